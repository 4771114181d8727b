#include "base/json_depth.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace nongemm {
namespace {

std::string nested(int depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(JsonDepth, OnlyHonestDepthsPass) {
  EXPECT_NO_THROW(check_json_depth(nested(400), "file"));
  EXPECT_THROW(check_json_depth(nested(401), "file"), Error);
  EXPECT_THROW(check_json_depth("{\"a\": " + nested(400) + "}", "file"), Error);
}

TEST(JsonDepth, BracketsInStringsDoNotCount) {
  const std::string brackets(1000, '{');
  EXPECT_NO_THROW(check_json_depth("[\"" + brackets + "\"]", "file"));
  EXPECT_NO_THROW(check_json_depth("[\"\\\"" + brackets + "\"]", "file"));
  EXPECT_THROW(check_json_depth("[\"\\\\\"" + nested(400) + "]", "file"), Error);
}

TEST(JsonDepth, SiblingsDoNotAddUp) {
  std::string many = "[";
  for (int i = 0; i < 1000; ++i) many += "[],";
  EXPECT_NO_THROW(check_json_depth(many + "[]]", "file"));
}

}  // namespace
}  // namespace nongemm
