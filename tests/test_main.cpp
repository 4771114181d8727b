// The main function of every test program: GoogleTest's, and a skipped test fails unless tests/skips.txt excuses it.
#include <gtest/gtest.h>

#include <fstream>
#include <iostream>
#include <sstream>

#include "skips.h"
#include "test_paths.h"

namespace nongemm {
namespace {

class FailOnUnlistedSkips : public testing::EmptyTestEventListener {
 public:
  explicit FailOnUnlistedSkips(std::vector<Skip> skips) : skips_(std::move(skips)) {}

  // Both are called while a failure still counts for the test, or the suite, that ends.
  void OnTestEnd(const testing::TestInfo& test) override { check(*test.result()); }
  void OnTestSuiteEnd(const testing::TestSuite& suite) override { check(suite.ad_hoc_test_result()); }

 private:
  void check(const testing::TestResult& result) {
    std::vector<std::string> unlisted;
    for (int i = 0; i < result.total_part_count(); ++i) {
      const testing::TestPartResult& part = result.GetTestPartResult(i);
      if (part.skipped() && excuse_of(part.message(), skips_) == nullptr) unlisted.emplace_back(part.message());
    }
    for (const std::string& message : unlisted) {
      ADD_FAILURE() << "skipped for a reason that tests/skips.txt does not list: " << message;
    }
  }

  std::vector<Skip> skips_;
};

}  // namespace
}  // namespace nongemm

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  std::ifstream file(NONGEMM_SOURCE_DIR "/tests/skips.txt");
  if (!file) file.open("tests/skips.txt");  // a program that was carried to another machine
  if (!file) {
    std::cerr << "tests/skips.txt is missing: start tests where it is, or where they were built\n";
    return 1;
  }
  std::ostringstream list;
  list << file.rdbuf();
  testing::UnitTest::GetInstance()->listeners().Append(
      new nongemm::FailOnUnlistedSkips(nongemm::read_skips(list.str())));
  return RUN_ALL_TESTS();
}
