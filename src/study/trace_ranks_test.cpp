// What files may stand beside each other in one report, and what limits beside a file.
#include <gmock/gmock.h>

#include <fstream>

#include "base/error.h"
#include "base/temporary_folder.h"
#include "study/trace_report.h"
#include "test_paths.h"

namespace nongemm {
namespace {

std::string shared(const std::string& name) { return std::string(NONGEMM_SHARED_DIR) + "/fixtures/traces/" + name; }

std::string caution_of(const Point& point) {
  for (const Table& table : point.tables) {
    if (table.info->id != "performance") continue;
    for (std::size_t i = 0; i < table.info->columns.size(); ++i) {
      if (table.info->columns[i].id == "caution") return to_plain(table.rows.front()[i]);
    }
  }
  return "";
}

std::string refusal(const std::vector<std::string>& files) {
  try {
    trace_points({.files = files}, {});
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(TraceRanks, EachRankOnce) {
  const std::string rank = shared("kineto_tp2a_rank0.json.gz");
  EXPECT_THAT(refusal({rank, rank}), testing::HasSubstr("stands twice"));
  const TemporaryFolder folder;
  const std::string copy = (folder.path() / "copy.json.gz").string();
  std::ofstream(copy, std::ios::binary) << std::ifstream(rank, std::ios::binary).rdbuf();
  EXPECT_THAT(refusal({rank, copy}), testing::HasSubstr("both of rank 0"));
}

TEST(TraceRanks, OfOneModel) {
  const std::string rank = shared("kineto_tp2a_rank0.json.gz");
  const std::vector<Point> same = trace_points({.files = {rank, shared("kineto_tp2a_rank1.json.gz")}}, {});
  EXPECT_EQ(caution_of(same[0]) + caution_of(same[1]), "");
  const std::vector<Point> other = trace_points({.files = {rank, shared("kineto_streams.json.gz")}}, {});
  EXPECT_THAT(caution_of(other[1]), testing::HasSubstr("% of its calls are those of kineto_tp2a_rank0.json.gz"));
}

TEST(TraceRanks, LimitsAreOfTheSameDevice) {
  const TemporaryFolder folder;
  const auto report = [&](const std::string& device) {
    const std::string path = (folder.path() / "report.json").string();
    std::ofstream(path) << R"({"schema": "nongemm-report", "version": 2, "context": {}, "points": [{"status": "ok",
      "reason": "", "command": "nongemm run gpt2", "settings": {}, "samples": {}, "sections": {"limits": [{"device": ")"
                        << device << R"(", "read_bandwidth": 1e12}]}}]})";
    return path;
  };
  const auto caution = [&](const std::string& device) {
    const std::string limits = report(device);
    return caution_of(trace_points({.files = {shared("kineto_streams.json.gz")}, .limits = limits}, {}).front());
  };
  EXPECT_EQ(caution("NVIDIA H200"), "");
  EXPECT_THAT(caution("AMD EPYC"), testing::HasSubstr("the limits are of AMD EPYC, the trace is of NVIDIA H200"));
}

}  // namespace
}  // namespace nongemm
