#include "base/common_sequence.h"

#include <gtest/gtest.h>

#include <random>

namespace nongemm {
namespace {

TEST(CommonSequence, IsAsLongAsTheQuadraticAlgorithmSays) {
  std::mt19937 random(1);
  for (int round = 0; round < 300; ++round) {
    std::vector<int> a(random() % 12);
    std::vector<int> b(random() % 12);
    for (int& value : a) value = static_cast<int>(random() % 3);
    for (int& value : b) value = static_cast<int>(random() % 3);
    const auto pairs =
        common_sequence(a.size(), b.size(), 100, [&](std::size_t i, std::size_t k) { return a[i] == b[k]; });
    std::vector<std::vector<std::size_t>> longest(a.size() + 1, std::vector<std::size_t>(b.size() + 1, 0));
    for (std::size_t i = 0; i < a.size(); ++i) {
      for (std::size_t k = 0; k < b.size(); ++k) {
        longest[i + 1][k + 1] = a[i] == b[k] ? longest[i][k] + 1 : std::max(longest[i][k + 1], longest[i + 1][k]);
      }
    }
    EXPECT_EQ(pairs.size(), longest[a.size()][b.size()]);
    for (std::size_t p = 0; p < pairs.size(); ++p) {
      EXPECT_EQ(a[pairs[p].first], b[pairs[p].second]);
      if (p > 0) {
        EXPECT_LT(pairs[p - 1].first, pairs[p].first);
        EXPECT_LT(pairs[p - 1].second, pairs[p].second);
      }
    }
  }
}

}  // namespace
}  // namespace nongemm
