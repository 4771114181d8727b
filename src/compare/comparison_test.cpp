#include "compare/comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <optional>

#include "compare/matching.h"
#include "report/document.h"

namespace nongemm {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

/// A table of a section with these columns filled in.
Table table_of(std::string_view section, const std::vector<std::map<std::string, FieldValue>>& rows) {
  Table table{find_section(section), {}};
  for (const auto& row : rows) {
    std::vector<FieldValue>& values = table.rows.emplace_back();
    for (const Column& column : table.info->columns) {
      const auto at = row.find(std::string(column.id));
      values.push_back(at == row.end() ? FieldValue{} : at->second);
    }
  }
  return table;
}

std::map<std::string, FieldValue> node(const std::string& op, const std::string& shapes, double time) {
  return {{"operator", op}, {"shapes", shapes}, {"module", std::string("M")}, {"time", time}};
}

/// A run of gpt2 in which one operator takes a part of the time.
Point point_of(int process, double latency, double gelu, const std::string& dtype = "fp32") {
  Point point;
  point.key = "k" + dtype;
  point.process = process;
  point.specification = {{"model", OptionType::kText, false, {"gpt2"}}, {"dtype", OptionType::kText, false, {dtype}}};
  point.settings = {{"model", "gpt2"}, {"flow", "torch"}, {"dtype", dtype}, {"runtime", "2.11.0"}};
  const double noise = 1 + 0.001 * process;
  point.samples = {{"latency", std::vector<double>(5, latency * noise)}};
  point.tables = {table_of("performance", {{{"latency", latency * noise}}}),
                  table_of("groups", {{{"group", std::string("GEMM")}, {"time", (latency - gelu) * noise}},
                                      {{"group", std::string("Activation")}, {"time", gelu * noise}}}),
                  table_of("nodes", {node("aten.linear.default", "4x4", (latency - gelu) * noise),
                                     node("aten.gelu.default", "4x4", gelu * noise)})};
  return point;
}

Document run_of(double latency, double gelu, const std::string& dtype = "fp32") {
  Document document;
  document.context = {{"nongemm", "0.1.0"}, {"processor", "p"}, {"time", "now"}};
  for (int process = 1; process <= 4; ++process) document.points.push_back(point_of(process, latency, gelu, dtype));
  return document;
}

/// The verdict of a row.
std::string verdict_in(const Point& point, std::string_view section, std::string_view level, const std::string& name) {
  const Table* table = find_table(point, section);
  for (std::size_t r = 0; table != nullptr && r < table->rows.size(); ++r) {
    if (to_plain(value_at(*table, r, "level")) == level && to_plain(value_at(*table, r, "name")) == name) {
      return to_plain(value_at(*table, r, "verdict"));
    }
  }
  return "no such row";
}

TEST(Comparison, OfARunWithItselfIsTheSame) {
  const Comparison comparison = compare_documents(run_of(1.0, 0.2), run_of(1.0, 0.2), {.fail_above = 0.05});
  EXPECT_TRUE(comparison.comparable);
  EXPECT_TRUE(comparison.decided);
  EXPECT_FALSE(comparison.gate_failed);
  ASSERT_EQ(comparison.document.points.size(), 2U);
  const Point& overview = comparison.document.points[0];
  EXPECT_EQ(find_table(overview, "comparison_differences"), nullptr);
  EXPECT_EQ(verdict_in(overview, "comparison", "inference", ""), "same");
  EXPECT_EQ(overview.setting("gate"), "passed");
}

TEST(Comparison, AnOperatorThatTakesLongerIsNamed) {
  const Comparison comparison = compare_documents(run_of(1.0, 0.2), run_of(1.1, 0.3), {.fail_above = 0.05});
  EXPECT_TRUE(comparison.gate_failed);
  const Point& parts = comparison.document.points.at(1);
  EXPECT_EQ(verdict_in(comparison.document.points[0], "comparison", "inference", ""), "slower");
  EXPECT_EQ(verdict_in(parts, "comparison_parts", "group", "Activation"), "slower");
  EXPECT_EQ(verdict_in(parts, "comparison_parts", "group", "GEMM"), "same");
  EXPECT_EQ(verdict_in(parts, "comparison_parts", "operator", "aten.gelu.default"), "slower");
  EXPECT_EQ(verdict_in(parts, "comparison_parts", "operator", "aten.linear.default"), "same");
  EXPECT_FALSE(compare_documents(run_of(1.0, 0.2), run_of(1.1, 0.3), {.fail_above = 0.15}).gate_failed);
  EXPECT_EQ(verdict_in(compare_documents(run_of(1.1, 0.3), run_of(1.0, 0.2), {}).document.points[0], "comparison",
                       "inference", ""),
            "faster");
}

TEST(Comparison, ReportsThatOneOptionSetsApartAreMatched) {
  const Document base = run_of(1.0, 0.2, "fp32");
  Document fresh = run_of(0.5, 0.1, "bf16");
  fresh.context[1].second = "q";
  fresh.points[0].settings[3].second = "2.12.0";
  const Comparison comparison = compare_documents(base, fresh, {});
  const Table* differences = find_table(comparison.document.points[0], "comparison_differences");
  ASSERT_NE(differences, nullptr);
  std::vector<std::string> names;
  for (std::size_t r = 0; r < differences->rows.size(); ++r)
    names.push_back(to_plain(value_at(*differences, r, "what")));
  EXPECT_THAT(names, ElementsAre("processor", "dtype", "torch runtime"));
  EXPECT_EQ(verdict_in(comparison.document.points[0], "comparison", "inference", ""), "faster");
}

TEST(Comparison, AClockThatExplainsItIsTakenOut) {
  const auto with_clock = [](Document document, double clock) {
    for (Point& point : document.points) {
      point.tables[0] = table_of("performance", {{{"latency", 1.0}, {"clock", clock}}});
    }
    return document;
  };
  const Comparison comparison =
      compare_documents(with_clock(run_of(1.0, 0.2), 2e9), with_clock(run_of(1.25, 0.25), 1.6e9), {.fail_above = 0.05});
  const Table* table = find_table(comparison.document.points[0], "comparison");
  EXPECT_EQ(to_plain(value_at(*table, 0, "verdict")), "same");
  EXPECT_NEAR(number_at(*table, 0, "ratio"), 1.25, 1e-9);
  EXPECT_NEAR(number_at(*table, 0, "in_cycles"), 1.0, 1e-9);
  EXPECT_THAT(to_plain(value_at(*table, 0, "why")), HasSubstr("clocks explain that it is slower in time"));
  EXPECT_FALSE(comparison.gate_failed);
}

TEST(Comparison, PointsWithoutAPartnerOrFiguresAreNamed) {
  Document base = run_of(1.0, 0.2);
  Document fresh = run_of(1.0, 0.2);
  Point other = point_of(0, 2.0, 0.5);
  other.specification[0].texts = {"bert"};
  other.settings[0].second = "bert";
  base.points.push_back(other);
  for (Point& point : fresh.points) {
    point.samples.clear();
    point.status = {StatusKind::kOutOfMemory, "too little"};
  }
  const Comparison comparison = compare_documents(base, fresh, {});
  EXPECT_FALSE(comparison.comparable);
  const Point& overview = comparison.document.points[0];
  EXPECT_EQ(verdict_in(overview, "comparison", "inference", ""), "not comparable");
  EXPECT_THAT(to_plain(value_at(*find_table(overview, "comparison"), 0, "why")),
              AllOf(HasSubstr("new: out-of-memory"), HasSubstr("too little")));
  EXPECT_THAT(to_plain(value_at(*find_table(overview, "comparison_leftovers"), 0, "name")), HasSubstr("bert"));
}

TEST(Matching, NodesOfOtherGraphsGoByOperatorAndShapes) {
  const Table base = table_of("nodes", {node("a", "1", 1), node("b", "1", 1), node("a", "1", 1), node("c", "1", 1)});
  const Table fresh = table_of("nodes", {node("b", "1", 1), node("a", "1", 1), node("a", "2", 1), node("a", "1", 1)});
  const NodeMatching matching = match_nodes(base, fresh);
  EXPECT_FALSE(matching.same_graph);
  EXPECT_THAT(matching.pairs, ElementsAre(std::pair(0U, 1U), std::pair(1U, 0U), std::pair(2U, 3U)));
  EXPECT_THAT(matching.base_alone, ElementsAre(3));
  EXPECT_THAT(matching.fresh_alone, ElementsAre(2));
  EXPECT_TRUE(match_nodes(base, base).same_graph);
}

}  // namespace
}  // namespace nongemm
