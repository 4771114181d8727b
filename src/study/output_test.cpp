#include "study/output.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace nongemm {
namespace {

using testing::HasSubstr;
using testing::Not;

/// Of one point with a table of groups and one of operators, so many rows each.
Document document_of(std::size_t rows) {
  Document document;
  Point& point = document.points.emplace_back();
  point.settings = {{"model", "gpt2"}};
  for (const char* section : {"groups", "operators"}) {
    Table& table = point.tables.emplace_back(Table{find_section(section), {}});
    for (std::size_t i = 0; i < rows; ++i) {
      auto& row = table.rows.emplace_back(table.info->columns.size());
      row[0] = "row " + std::to_string(i) + ".";
    }
  }
  return document;
}

std::size_t lines_in(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

TEST(TextForScreen, IsWholeWhereItFits) {
  const std::string whole = text_for_screen(document_of(10), {}, SIZE_MAX);
  EXPECT_THAT(whole, Not(HasSubstr("--details")));
  EXPECT_EQ(text_for_screen(document_of(10), {}, lines_in(whole) + 3), whole);
}

TEST(TextForScreen, KeepsTheFirstRowsOfEveryTable) {
  const std::string cut = text_for_screen(document_of(10), {}, 24);
  EXPECT_LE(lines_in(cut), 21U);
  EXPECT_THAT(cut, HasSubstr("row 4."));
  EXPECT_THAT(cut, Not(HasSubstr("row 5.")));
  EXPECT_THAT(cut, HasSubstr("--details prints all"));
}

TEST(TextForScreen, KeepsTheFirstTablesWhereThreeRowsOfEachAreTooMany) {
  const std::string three = text_for_screen(document_of(10), {}, 20);
  EXPECT_THAT(three, HasSubstr("Operator groups"));
  EXPECT_THAT(three, HasSubstr("Top operators"));
  const std::string one = text_for_screen(document_of(10), {}, 14);
  EXPECT_LE(lines_in(one), 11U);
  EXPECT_THAT(one, HasSubstr("Operator groups"));
  EXPECT_THAT(one, HasSubstr("row 2."));
  EXPECT_THAT(one, Not(HasSubstr("Top operators")));
  // Something is said on the smallest screen, too.
  EXPECT_THAT(text_for_screen(document_of(10), {}, 1), HasSubstr("row 1."));
}

}  // namespace
}  // namespace nongemm
