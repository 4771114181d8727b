#include "microbench/shape_sweep.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace nongemm::microbench {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string refused(const std::string& text) {
  try {
    parse_shapes(text);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage) << text;
    return error.what();
  }
  ADD_FAILURE() << "'" << text << "' was taken";
  return "";
}

TEST(ShapeSweep, ASizeThatIsThereTwiceIsRefused) {
  EXPECT_THAT(refused("{64,64}x64"), HasSubstr("the size 64 is there twice"));
  EXPECT_THAT(refused("{64..256*2,128}"), HasSubstr("the size 128 is there twice"));
}

TEST(ShapeSweep, OneShapeIsItself) {
  EXPECT_THAT(parse_shapes("1x2048x4096"), ElementsAre(Shape{1, 2048, 4096}));
  EXPECT_THAT(parse_shapes("7"), ElementsAre(Shape{7}));
  EXPECT_THAT(parse_shapes("0x4"), ElementsAre(Shape{0, 4}));
  EXPECT_THAT(parse_shapes("scalar"), ElementsAre(Shape{}));
}

TEST(ShapeSweep, RangesMultiplyAddAndCount) {
  EXPECT_THAT(parse_shapes("{128..1024*2}"), ElementsAre(Shape{128}, Shape{256}, Shape{512}, Shape{1024}));
  EXPECT_THAT(parse_shapes("{128..1000*2}"), ElementsAre(Shape{128}, Shape{256}, Shape{512}));
  EXPECT_THAT(parse_shapes("{0..64+32}"), ElementsAre(Shape{0}, Shape{32}, Shape{64}));
  EXPECT_THAT(parse_shapes("{3..5}"), ElementsAre(Shape{3}, Shape{4}, Shape{5}));
  EXPECT_THAT(parse_shapes("{5..5*3}"), ElementsAre(Shape{5}));
  EXPECT_THAT(parse_shapes("{1,7..8,100}x2"), ElementsAre(Shape{1, 2}, Shape{7, 2}, Shape{8, 2}, Shape{100, 2}));
}

TEST(ShapeSweep, SeveralSweepsMultiply) {
  EXPECT_THAT(parse_shapes("{1,2}x3x{4,5}"),
              ElementsAre(Shape{1, 3, 4}, Shape{1, 3, 5}, Shape{2, 3, 4}, Shape{2, 3, 5}));
  EXPECT_EQ(parse_shapes("1x{128..8192*2}x4096").size(), 7U);
}

TEST(ShapeSweep, WhatIsNoShapeIsRefusedByName) {
  for (const char* text :
       {"",   "x",  "1x", "x1",   "1xx2", "1,2",   "1x2 ",    " 1",    "ax2",      "-1x2",  "1x-2",   "1.5",
        "{}", "{1", "1}", "{1,}", "{,1}", "{1..}", "{1..2*}", "{1.2}", "{1..2-1}", "{{1}}", "1x{2}3", "scalar2"}) {
    EXPECT_THAT(refused(text), HasSubstr("shape '" + std::string(text) + "'"));
  }
}

TEST(ShapeSweep, WhatNeverEndsOrFitsIsRefused) {
  EXPECT_THAT(refused("{8..2}"), HasSubstr("8..2 is empty"));
  EXPECT_THAT(refused("{1..8*1}"), HasSubstr("never ends"));
  EXPECT_THAT(refused("{0..8*2}"), HasSubstr("never ends"));
  EXPECT_THAT(refused("{1..8+0}"), HasSubstr("never ends"));
  EXPECT_THAT(refused("{1..100000}"), HasSubstr("too many"));
  EXPECT_THAT(refused("{1..200}x{1..200}"), HasSubstr("more than 10000"));
  EXPECT_THAT(refused("99999999999999999999"), HasSubstr("not possible"));
  EXPECT_THAT(refused("4294967296x4294967296"), HasSubstr("too large"));
  // Close to the largest number, where a careless loop would overflow.
  EXPECT_EQ(parse_shapes("{1..9223372036854775807*4611686018427387904}x0").size(), 2U);
}

}  // namespace
}  // namespace nongemm::microbench
