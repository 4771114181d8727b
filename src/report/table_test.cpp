// What tables of text show of long names.
#include <gmock/gmock.h>

#include <sstream>

#include "report/document.h"
#include "report/field.h"

namespace nongemm {
namespace {

TEST(ReportTable, WhatIsNotZeroIsNotShownAsZero) {
  EXPECT_EQ(to_text(FieldValue(0.00031), Unit::kRatio), "0.00031");
  EXPECT_EQ(to_text(FieldValue(0.0005), Unit::kRatio), "0.001");
  EXPECT_EQ(to_text(FieldValue(0.0), Unit::kRatio), "0.000");
  EXPECT_EQ(to_text(FieldValue(0.0012), Unit::kPerSecond), "0.0012 /s");
  EXPECT_EQ(to_text(FieldValue(12.0), Unit::kPerSecond), "12.00 /s");
  EXPECT_EQ(to_text(FieldValue(2e-5), Unit::kJoules), "2e-05 J");
}

TEST(ReportTable, NamesOfTemplatesAreCutInTheMiddleWhereNoTerminalIsToo) {
  const SectionInfo* info = find_section("trace_kernels");
  ASSERT_NE(info, nullptr);
  // Characters of two bytes on both sides of the cut.
  std::string name = "void kernel<";
  for (int i = 0; i < 300; ++i) name += "\u00fc";
  name += ">(int last)";
  Point point;
  point.tables = {Table{info, {{name, std::string("GEMM"), std::string("aten::mm"), std::int64_t{1}, 1e-3}}}};
  std::ostringstream out;
  write_table({{}, {point}}, TableLook{}, out);
  const std::string text = out.str();
  EXPECT_THAT(text, testing::HasSubstr("void kernel<"));
  EXPECT_THAT(text, testing::HasSubstr("\u00fc...\u00fc"));
  EXPECT_THAT(text, testing::HasSubstr(">(int last)"));
  std::size_t characters = 0;
  for (const char c : text.substr(text.find("void"), text.find("last)") + 5 - text.find("void"))) {
    if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U) ++characters;
  }
  EXPECT_EQ(characters, kMostOfName);
}

}  // namespace
}  // namespace nongemm
