#include "import/common/json_access.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.h"

namespace nongemm::pt2 {
namespace {

TEST(ParseJson, ReadsTheBareInfinitiesOfOlderTorch) {
  const Json json = parse_json(R"({"a": [-Infinity, Infinity,NaN], "text": "a \"NaN\" is not -Infinity"})", "it");
  EXPECT_EQ(as_number(json.at("a")[0]), -INFINITY);
  EXPECT_EQ(as_number(json.at("a")[1]), INFINITY);
  EXPECT_TRUE(std::isnan(as_number(json.at("a")[2])));
  EXPECT_EQ(as_text(json.at("text")), "a \"NaN\" is not -Infinity");
}

TEST(ParseJson, RefusesWhatIsNoJson) {
  for (const char* text : {"", "{", "[1, Infinit]", "[-Infinity", "\"NaN", "[NaN NaN]"}) {
    EXPECT_THROW(parse_json(text, "it"), Error) << text;
  }
}

}  // namespace
}  // namespace nongemm::pt2
