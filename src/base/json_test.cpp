#include "base/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.h"

namespace nongemm {
namespace {

std::string nested(int depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(JsonDepth, OnlyHonestDepthsPass) {
  EXPECT_NO_THROW(parse_json(nested(400), "file"));
  EXPECT_THROW(parse_json(nested(401), "file"), Error);
  EXPECT_THROW(parse_json("{\"a\": " + nested(400) + "}", "file"), Error);
}

TEST(JsonDepth, BracketsInStringsDoNotCount) {
  const std::string brackets(1000, '{');
  EXPECT_NO_THROW(parse_json("[\"" + brackets + "\"]", "file"));
  EXPECT_NO_THROW(parse_json("[\"\\\"" + brackets + "\"]", "file"));
  EXPECT_THROW(parse_json("[\"\\\\\"" + nested(400) + "]", "file"), Error);
}

TEST(JsonDepth, SiblingsDoNotAddUp) {
  std::string many = "[";
  for (int i = 0; i < 1000; ++i) many += "[],";
  EXPECT_NO_THROW(parse_json(many + "[]]", "file"));
}

TEST(Json, KeepsStringsAsTheyAre) {
  const Json json = parse_json("{\"a\\\"nan\": [\"\x1e\\u001f\t\", true, nan, -inf, 1e5]}", "");
  EXPECT_EQ(json["a\"nan"][0], "\x1e\x1f\t");
  EXPECT_EQ(json["a\"nan"][1], true);
  EXPECT_TRUE(std::isnan(as_number(json["a\"nan"][2])));
  EXPECT_EQ(as_number(json["a\"nan"][3]), -INFINITY);
  EXPECT_EQ(json["a\"nan"][4], 1e5);
}

TEST(Json, ReadsTheBareInfinitiesOfPython) {
  const Json json = parse_json(R"({"a": [-Infinity, Infinity,NaN], "text": "a \"NaN\" is not -Infinity"})", "it");
  EXPECT_EQ(as_number(json.at("a")[0]), -INFINITY);
  EXPECT_EQ(as_number(json.at("a")[1]), INFINITY);
  EXPECT_TRUE(std::isnan(as_number(json.at("a")[2])));
  EXPECT_EQ(as_text(json.at("text")), "a \"NaN\" is not -Infinity");
}

TEST(Json, RefusesWhatIsNoJson) {
  for (const char* text : {"", "{", "[1, Infinit]", "[-Infinity", "\"NaN", "[NaN NaN]", "[1e999]"}) {
    EXPECT_THROW(parse_json(text, "it"), Error) << text;
    EXPECT_TRUE(parse_json_or_null(text).is_null()) << text;
  }
}

TEST(Json, SaysWhereItIsWrong) {
  const auto complaint = [](std::string_view text) {
    try {
      parse_json(text, "a.json");
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(
      complaint("{\"a\": 1"),
      "a.json is not valid JSON: it ends too early, at byte 7 of 7\n  write the file again with the tool that made it");
  EXPECT_EQ(complaint("[1, }, 2]"),
            "a.json is not valid JSON: damaged near byte 5 of 9\n  write the file again with the tool that made it");
  EXPECT_EQ(complaint("[1e999]"), "a.json is not valid JSON: a number in it is out of range");
}

TEST(Json, PrintsWhateverStringsHold) { EXPECT_EQ(dump_json(Json("a\xff\n")), "\"a\xef\xbf\xbd\\n\""); }

}  // namespace
}  // namespace nongemm
