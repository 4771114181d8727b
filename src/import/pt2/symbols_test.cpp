#include "import/pt2/symbols.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/json.h"

namespace nongemm::pt2 {
namespace {

Json known(std::int64_t size) { return {{"as_int", size}}; }

Json free_size(const std::string& expression, std::int64_t example) {
  return {{"as_expr", {{"expr_str", expression}, {"hint", {{"as_int", example}}}}}};
}

const Json kRanges = {{"s0", {{"min_val", 2}, {"max_val", 64}}}};

TEST(Symbols, TakeTheExamplesSizesUnlessTheUserSaysOthers) {
  const Json sizes = {free_size("s0", 3), known(8)};
  Symbols as_exported(kRanges);
  as_exported.bind({{"x", &sizes, std::nullopt}});
  EXPECT_EQ(as_exported.shape(sizes), (Shape{3, 8}));
  Symbols given(kRanges);
  given.bind({{"x", &sizes, Shape{5, 8}}});
  EXPECT_EQ(given.shape(sizes), (Shape{5, 8}));
  EXPECT_EQ(given.size(free_size("2*s0 + 1", 7)), 11);
  EXPECT_EQ(given.size(free_size("u0", 7)), kDynamic);
}

TEST(Symbols, SolveSizesThatAreDerived) {
  const Json derived = {free_size("Add(Mul(Integer(2), Symbol('s0')), Integer(1))", 7)};
  Symbols symbols(kRanges);
  symbols.bind({{"x", &derived, Shape{21}}});
  EXPECT_EQ(symbols.size(free_size("s0", 3)), 10);
  // 2 * s0 + 1 is never even.
  EXPECT_THROW(Symbols(kRanges).bind({{"x", &derived, Shape{20}}}), Error);
}

TEST(Symbols, RefuseSizesThatDoNotFit) {
  const Json sizes = {free_size("s0", 3), known(8)};
  EXPECT_THROW(Symbols(kRanges).bind({{"x", &sizes, Shape{5, 9}}}), Error);
  EXPECT_THROW(Symbols(kRanges).bind({{"x", &sizes, Shape{5}}}), Error);
  EXPECT_THROW(Symbols(kRanges).bind({{"x", &sizes, Shape{65, 8}}}), Error);  // outside the range
  EXPECT_THROW(Symbols(kRanges).bind({{"x", &sizes, Shape{5, 8}}, {"y", &sizes, Shape{6, 8}}}), Error);
}

TEST(Symbols, TakeOneBatchForAllInputs) {
  const Json images = {free_size("s0", 3), known(8)};
  const Json fixed = {known(4)};
  Symbols symbols(kRanges);
  symbols.bind_batch({{"x", &images, std::nullopt}}, 16);
  symbols.bind({{"x", &images, std::nullopt}});
  EXPECT_EQ(symbols.shape(images), (Shape{16, 8}));
  EXPECT_THROW(Symbols(kRanges).bind_batch({{"x", &fixed, std::nullopt}}, 16), Error);
}

TEST(Symbols, TakeTheStridesOfLargeTensors) {
  const Json video = {known(301056), known(37632), known(5376), known(672), known(96), known(1)};
  EXPECT_EQ(Symbols(kRanges).strides(video).at(0), 301056);
  EXPECT_THROW(Symbols(kRanges).shape(video), Error);
}

TEST(Symbols, TakeNumbers) {
  Symbols symbols(kRanges);
  symbols.bind_number("k", free_size("s0", 3), 9);
  EXPECT_EQ(symbols.size(free_size("s0", 3)), 9);
  EXPECT_THROW(symbols.bind_number("k", free_size("s0", 3), 10), Error);
}

}  // namespace
}  // namespace nongemm::pt2
