// What each study makes of reports made by hand, number by number.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

#include "report/writers.h"
#include "studies/all_studies.h"
#include "studies/claims.h"
#include "studies/made_runs.h"
#include "studies/paper.h"
#include "studies/study_document.h"

namespace nongemm {
namespace {

using made::Group;
using testing::HasSubstr;

const Table& table_of(const Document& document, std::string_view section) {
  const Table* table = find_table(document.points.front(), section);
  if (table == nullptr) throw std::runtime_error("no table " + std::string(section));
  return *table;
}

std::string text_at(const Table& table, std::size_t row, std::string_view column) {
  return to_plain(value_at(table, row, column));
}

/// The row whose column has this text.
std::size_t row_with(const Table& table, std::string_view column, const std::string& text) {
  for (std::size_t r = 0; r < table.rows.size(); ++r) {
    if (text_at(table, r, column) == text) return r;
  }
  throw std::runtime_error("no row " + text);
}

std::string readings(const Document& document) {
  const Table& table = table_of(document, "study_reading");
  std::string all;
  for (std::size_t r = 0; r < table.rows.size(); ++r) all += text_at(table, r, "text") + "\n";
  return all;
}

/// All models alike: on a CPU a fifth, on a GPU half of the device's time is non-GEMM.
Document both_devices() {
  Document document{{{"processor", "a processor"}}, {}};
  for (const std::string& model : paper::model_names()) {
    document.points.push_back(
        made::run(model, {{"gemm", 8e-3}, {"normalization", 2e-3}}, {.device = "cpu", .wall = 10e-3}));
    document.points.push_back(made::run(model, {{"gemm", 2e-3, 0, 1e-3}, {"normalization", 2e-3, 2e-3, 5e-3}},
                                        {.wall = 8e-3, .latency = 8e-3}));
  }
  return document;
}

TEST(Acceleration, MeansAndDifferencesAreExact) {
  const Document document = study_document(acceleration_study(), both_devices());
  const Table& claims = table_of(document, "study_paper");
  const std::size_t cpu = row_with(claims, "what", "CPU: non-GEMM, mean of the models");
  EXPECT_NEAR(number_at(claims, cpu, "ours_published"), 0.2, 1e-12);
  EXPECT_DOUBLE_EQ(number_at(claims, cpu, "paper"), 0.172);
  EXPECT_NEAR(number_at(claims, cpu, "difference"), 0.028, 1e-12);
  EXPECT_EQ(text_at(claims, cpu, "reason"), "");
  const std::size_t gpu = row_with(claims, "what", "GPU: non-GEMM, mean of the models");
  EXPECT_NEAR(number_at(claims, gpu, "ours_device"), 0.5, 1e-12);
  EXPECT_NEAR(number_at(claims, gpu, "ours_charged"), 0.5, 1e-12);
  EXPECT_NEAR(number_at(claims, gpu, "ours_published"), 0.7, 1e-12);
  EXPECT_NEAR(number_at(claims, gpu, "difference"), 0.277, 1e-12);
  EXPECT_THAT(text_at(claims, gpu, "reason"), HasSubstr("of the time in operators 50.0 %"));
  EXPECT_THAT(readings(document), HasSubstr("Over 16 models that ran on both"));
}

TEST(Acceleration, TasksAreMeansOfTheirModels) {
  const Document document = study_document(acceleration_study(), both_devices());
  const Table& tasks = table_of(document, "study_tasks");
  EXPECT_EQ(tasks.rows.size(), 10U);  // all and four tasks on two devices
  const std::size_t row = row_with(tasks, "task", "Object Detection");
  EXPECT_EQ(number_at(tasks, row, "models"), 3);
  EXPECT_NEAR(number_at(tasks, row, "nongemm_device"), 0.2, 1e-12);
}

TEST(Acceleration, EveryFigureWithoutRunsSaysWhy) {
  Document document;
  document.points.push_back(made::failed("gpt2", "the torch flow sees no cuda on this machine; it has cpu"));
  const Document study = study_document(acceleration_study(), document);
  const Table& claims = table_of(study, "study_paper");
  for (std::size_t r = 0; r < claims.rows.size(); ++r) {
    EXPECT_TRUE(std::isnan(number_at(claims, r, "difference")));
    EXPECT_NE(text_at(claims, r, "reason"), "") << text_at(claims, r, "what");
  }
  EXPECT_THAT(readings(study), HasSubstr("sees no cuda"));
}

/// Every figure and table of the paper has a row in some study.
TEST(Studies, EveryFigureAndTableOfThePaperHasARow) {
  std::string all;
  for (const Study* study : studies()) {
    const Document document = study_document(*study, both_devices());
    std::ostringstream text;
    write_json(Document{{}, {document.points.front()}}, text);
    all += text.str();
  }
  for (const char* place :
       {"Figures 1 and 5", "Figures 2 to 4", "Figure 6", "Figure 7", "Figure 8", "Table I\"", "Table II", "Table III",
        "Table IV", "Table V", "Abstract", "Section IV-A", "Section IV-B1", "Section IV-B2", "Section IV-C"}) {
    EXPECT_THAT(all, HasSubstr(place));
  }
}

/// More than ten points apart, or without a figure of ours: the reason is there.
TEST(Studies, NoLargeDifferenceStandsWithoutAReason) {
  for (const Study* study : studies()) {
    const Document document = study_document(*study, both_devices());
    const Table* claims = find_table(document.points.front(), "study_paper");
    if (claims == nullptr) continue;
    for (std::size_t r = 0; r < claims->rows.size(); ++r) {
      const double difference = number_at(*claims, r, "difference");
      if (!std::isnan(difference) && std::abs(difference) <= kClose) continue;
      EXPECT_NE(text_at(*claims, r, "reason"), "") << study->name << ": " << text_at(*claims, r, "what");
    }
  }
}

TEST(Studies, MadeAgainFromTheirOwnReportTheyAreTheSame) {
  for (const Study* study : studies()) {
    const Document once = study_document(*study, both_devices());
    std::ostringstream text;
    write_json(once, text);
    const Document again = study_document(*study, parse_document(text.str(), "once"));
    std::ostringstream second;
    write_json(again, second);
    EXPECT_EQ(text.str(), second.str()) << study->name;
  }
}

TEST(Studies, ThePointThatStandsTwiceCountsOnce) {
  Document document;
  document.points.push_back(made::failed("gpt2", "interrupted"));
  document.points.push_back(
      made::run("gpt2", {{"gemm", 1e-3, 0, 1e-3}, {"activation", 1e-3, 0, 1e-3}}, {.wall = 2e-3}));
  document.points.back().key = document.points.front().key;
  const Document study = study_document(acceleration_study(), document);
  ASSERT_EQ(study.points.size(), 2U);
  EXPECT_TRUE(study.points[1].status.ok());
}

TEST(Dominant, GroupsAreComparedInThePapersWords) {
  Document document;
  document.points.push_back(made::run("swin-t",
                                      {{"gemm", 4e-3, 0, 4e-3},
                                       {"memory-layout", 0, 1e-3, 2e-3},
                                       {"memory-movement", 1e-3, 0, 1e-3},
                                       {"normalization", 1.5e-3, 0, 0.5e-3}},
                                      {.wall = 10e-3}));
  const Document study = study_document(dominant_operators_study(), document);
  const Table& table = table_of(study, "study_dominant");
  const std::size_t row = row_with(table, "model", "swin-t");
  EXPECT_EQ(text_at(table, row, "group_published"), "Memory");
  EXPECT_EQ(text_at(table, row, "group_charged"), "Memory");
  EXPECT_EQ(text_at(table, row, "group_device"), "Normalization");
  EXPECT_NEAR(number_at(table, row, "share_published"), 4.0 / 14.0, 1e-12);
  EXPECT_EQ(text_at(table, row, "agree"), "published way, waits charged");
  EXPECT_DOUBLE_EQ(number_at(table, row, "paper_share"), 0.318);
  EXPECT_THAT(readings(study), HasSubstr("all 1 models with figures"));
  EXPECT_EQ(table.rows.size(), 16U);
}

TEST(Fusion, SpeedUpIsOfThePyTorchRunBesideIt) {
  Document document;
  document.points.push_back(
      made::run("detr", {{"gemm", 3e-3, 0, 1e-3}, {"normalization", 6e-3, 1e-3, 8e-3}}, {.wall = 10e-3}));
  Point fused = made::run("detr", {{"gemm", 3e-3}, {"normalization", 2e-3}}, {.flow = "tensorrt", .wall = 5e-3});
  Table fusion = made::table_of("fusion");
  made::set(fusion, "rate", 0.4);
  made::set(fusion, "nongemm_time", 2e-3);
  made::set(fusion, "fused_into_gemm", std::int64_t{30});
  made::set(fusion, "fused_among_nongemm", std::int64_t{10});
  fused.tables.push_back(std::move(fusion));
  document.points.push_back(std::move(fused));
  const Document study = study_document(fusion_study(), document);
  const Table& table = table_of(study, "study_fusion");
  ASSERT_EQ(table.rows.size(), 1U);
  EXPECT_DOUBLE_EQ(number_at(table, 0, "speedup"), 3.0);
  EXPECT_DOUBLE_EQ(number_at(table, 0, "into_gemm"), 0.75);
  EXPECT_NEAR(number_at(table, 0, "paper_speedup"), 32.17 / 2.38, 1e-9);
  const Table& claims = table_of(study, "study_paper");
  const std::size_t rate = row_with(claims, "what", "detr: fusion rate");
  EXPECT_NEAR(number_at(claims, rate, "difference"), 0.1, 1e-12);
  const Table& numbers = table_of(study, "study_paper_numbers");
  const std::size_t before = row_with(numbers, "what", "detr: non-GEMM latency before fusion, waits charged");
  EXPECT_NEAR(number_at(numbers, before, "ours"), 7.0, 1e-9);
  EXPECT_NEAR(number_at(numbers, before, "paper"), 32.17, 1e-9);
}

TEST(Quantization, IsHeldAgainstTheModelAsItIs) {
  Document document;
  document.points.push_back(made::run("llama3-8b", {{"gemm", 8e-3, 0, 1e-3}, {"arithmetic", 2e-3, 0, 1e-3, 0, 100}},
                                      {.sequence = "512", .wall = 10e-3, .latency = 10e-3}));
  document.points.push_back(
      made::run("llama3-8b",
                {{"gemm", 4e-3, 0, 1e-3},
                 {"arithmetic", 6e-3, 0, 3e-3, 0, 400},
                 {"quantization", 4e-3, 0, 2e-3, 0, 100},
                 {"synchronisation", 0, 0, 5e-3, 0, 0}},
                {.sequence = "512", .quantize = "llm.int8", .way = "published", .wall = 20e-3, .latency = 20e-3}));
  const Document study = study_document(quantization_study(), document);
  const Table& table = table_of(study, "study_quantization");
  ASSERT_EQ(table.rows.size(), 1U);
  EXPECT_DOUBLE_EQ(number_at(table, 0, "gemm_ratio"), 0.5);
  EXPECT_DOUBLE_EQ(number_at(table, 0, "nongemm_ratio"), 5.0);
  EXPECT_DOUBLE_EQ(number_at(table, 0, "nodes_added"), 400.0);
  EXPECT_NEAR(number_at(table, 0, "after_published"), 20.0 / 25.0, 1e-12);
  const Table& numbers = table_of(study, "study_paper_numbers");
  const std::size_t reduced = row_with(numbers, "what", "GEMM latency, reduced by");
  EXPECT_DOUBLE_EQ(number_at(numbers, reduced, "ours"), 50.0);
  EXPECT_DOUBLE_EQ(number_at(numbers, reduced, "paper"), 38.2);
  const Table& claims = table_of(study, "study_paper");
  const std::size_t asking = row_with(claims, "what", "arithmetic, scales and asking for outliers at 512 tokens");
  EXPECT_NEAR(number_at(claims, asking, "ours_published"), 20.0 / 25.0, 1e-12);
  EXPECT_THAT(text_at(claims, asking, "reason"), HasSubstr("how many columns hold outliers"));
  const std::size_t longest = row_with(claims, "what", "arithmetic, scales and asking for outliers at 8192 tokens");
  EXPECT_THAT(text_at(claims, longest, "reason"), HasSubstr("on a GPU: "));
  EXPECT_NEAR(number_at(table, 0, "arithmetic_published"), 15.0 / 25.0, 1e-12);
  EXPECT_THAT(readings(study), HasSubstr("80.0 % are non-GEMM: 20.0 points of them operators in which the host asks"));
}

TEST(Launch, WaitsAreWhatIsNoWork) {
  Document document;
  document.points.push_back(made::run(
      "gpt2", {{"gemm", 1e-3, 1e-3, 1e-3, 0, 1, 50}, {"activation", 1e-3, 3e-3, 1e-3, 0, 1, 200}}, {.wall = 6e-3}));
  const Document study = study_document(launch_study(), document);
  const Table& table = table_of(study, "study_launch");
  EXPECT_DOUBLE_EQ(number_at(table, 0, "launching"), 0.75);
  EXPECT_DOUBLE_EQ(number_at(table, 0, "work"), 1e-3);
  EXPECT_DOUBLE_EQ(number_at(table, 0, "kernels"), 250.0);
}

TEST(Headroom, SumsGroupsAndTakesTheWhatIfTable) {
  Document document;
  Point point = made::run(
      "gpt2", {{"gemm", 4e-3, 0, 0, 2e-3}, {"activation", 2e-3, 0, 0, 0.5e-3}, {"normalization", 1e-3, 0, 0, 0.25e-3}},
      {.wall = 8e-3});
  Table what_if{find_section("what_if"), {}};
  made::add_row(what_if);
  made::set(what_if, "what", std::string("all non-GEMM at its limit"));
  made::set(what_if, "speedup", 1.4);
  point.tables.push_back(std::move(what_if));
  document.points.push_back(std::move(point));
  const Document study = study_document(headroom_study(), document);
  const Table& table = table_of(study, "study_headroom");
  EXPECT_EQ(text_at(table, 0, "group"), "all non-GEMM");
  EXPECT_DOUBLE_EQ(number_at(table, 0, "time"), 3e-3);
  EXPECT_DOUBLE_EQ(number_at(table, 0, "times_limit"), 4.0);
  EXPECT_DOUBLE_EQ(number_at(table, 0, "perfect"), 1.4);
  EXPECT_TRUE(std::isnan(number_at(table, 0, "fused")));
  EXPECT_EQ(text_at(table, 1, "group"), "Activation");
}

}  // namespace
}  // namespace nongemm
