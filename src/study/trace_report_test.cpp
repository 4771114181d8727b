// From the traces of other tools to a report, held to direct sums over their events (fixtures: shared, truth.json).
#include "study/trace_report.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/temporary_folder.h"
#include "report/document.h"
#include "report/sections.h"
#include "test_paths.h"
#include "traces/common/byte_source.h"

namespace nongemm {
namespace {

std::string shared(const std::string& name) { return std::string(NONGEMM_SHARED_DIR) + "/fixtures/traces/" + name; }

const Table* find(const Point& point, std::string_view section) {
  for (const Table& table : point.tables) {
    if (table.info->id == section) return &table;
  }
  return nullptr;
}

const FieldValue& cell(const Point& point, std::string_view section, std::string_view column, std::size_t row = 0) {
  static const FieldValue kAbsent;
  const Table* table = find(point, section);
  if (table == nullptr) return kAbsent;
  for (std::size_t i = 0; i < table->info->columns.size(); ++i) {
    if (table->info->columns[i].id == column) return table->rows.at(row).at(i);
  }
  return kAbsent;
}

double number(const FieldValue& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return static_cast<double>(*integer);
  return std::get<double>(value);
}
std::string words(const FieldValue& value) { return std::get<std::string>(value); }

/// A column added up by another.
std::map<std::string, double> sums(const Point& point, std::string_view section, std::string_view key,
                                   std::string_view value) {
  std::map<std::string, double> result;
  const Table* table = find(point, section);
  for (std::size_t row = 0; row < table->rows.size(); ++row) {
    result[words(cell(point, section, key, row))] += number(cell(point, section, value, row));
  }
  return result;
}

void expect_seconds(double seconds, double microseconds) {
  EXPECT_NEAR(seconds, microseconds * 1e-6, 1e-6 * microseconds * 1e-6 + 1e-15);
}

std::string inflated(const std::string& path) {
  traces::ByteSource source(path);
  std::string text;
  std::array<char, 1 << 16> piece{};
  while (const std::size_t size = source.read(piece.data(), piece.size())) text.append(piece.data(), size);
  return text;
}

/// "12.345" microseconds behind the key, as whole nanoseconds: all that the file says, and nothing rounded.
std::int64_t nanoseconds_at(const std::string& text, std::string_view key, std::size_t from) {
  std::size_t at = text.find(key, from) + key.size();
  std::int64_t whole = 0;
  for (; std::isdigit(static_cast<unsigned char>(text[at])) != 0; ++at) whole = whole * 10 + (text[at] - '0');
  std::int64_t part = 0;
  if (text[at] == '.') ++at;
  for (int digit = 0; digit < 3; ++digit) {
    const bool there = std::isdigit(static_cast<unsigned char>(text[at])) != 0;
    part = part * 10 + (there ? text[at++] - '0' : 0);
  }
  return whole * 1000 + part;
}

struct DeviceTime {
  std::int64_t busy_ns = 0;
  std::int64_t span_ns = 0;
};

/// The union of what a trace of torch.profiler says the device did, from its text.
DeviceTime device_time_in(const std::string& text) {
  std::vector<std::pair<std::int64_t, std::int64_t>> activities;
  for (const char* kind : {R"("cat": "kernel")", R"("cat": "gpu_memcpy")", R"("cat": "gpu_memset")"}) {
    for (std::size_t at = 0; (at = text.find(kind, at)) != std::string::npos; ++at) {
      const std::int64_t begin = nanoseconds_at(text, R"("ts": )", at);
      activities.emplace_back(begin, begin + nanoseconds_at(text, R"("dur": )", at));
    }
  }
  std::sort(activities.begin(), activities.end());
  DeviceTime time;
  std::int64_t end = activities.front().first;
  for (const auto& [begin, until] : activities) {
    if (until <= end) continue;
    time.busy_ns += until - std::max(begin, end);
    end = until;
  }
  time.span_ns = end - activities.front().first;
  return time;
}

void expect_truth(const std::string& file, const nlohmann::json& truth) {
  SCOPED_TRACE(file);
  const Point point = trace_points({.files = {shared(file)}}, {}).front();
  EXPECT_EQ(point.status.kind, StatusKind::kOk);
  const auto figure = [&](std::string_view column) { return number(cell(point, "trace", column)); };
  EXPECT_EQ(words(cell(point, "trace", "kind")), truth["kind"]);
  EXPECT_EQ(figure("events"), truth["events"]);
  EXPECT_EQ(figure("repaired"), 0);
  EXPECT_EQ(figure("dropped"), 0);
  EXPECT_EQ(figure("kernels"), truth["kernels"]);
  EXPECT_EQ(figure("copies"), truth["memcpy"]);
  EXPECT_EQ(figure("fills"), truth["memset"]);
  EXPECT_EQ(figure("streams"), truth["streams"]);
  EXPECT_EQ(figure("devices"), 1);
  EXPECT_EQ(figure("unattributed"), 0);
  expect_seconds(figure("kernel_time"), truth["kernel_us"]);
  expect_seconds(figure("copy_time"), truth["memcpy_us"]);
  // truth.json has these two as sums of doubles in microseconds since boot, which are off by as much as a nanosecond a
  // record: they are held against whole nanoseconds instead.
  const DeviceTime time = device_time_in(inflated(shared(file)));
  EXPECT_DOUBLE_EQ(figure("device_busy"), static_cast<double>(time.busy_ns) * 1e-9);
  EXPECT_DOUBLE_EQ(figure("idle"), static_cast<double>(time.span_ns - time.busy_ns) * 1e-9);
  expect_seconds(figure("span"), truth["span_us"]);
  const auto operators = sums(point, "trace_operators", "operator", "kernel_time");
  for (const auto& [name, microseconds] : truth["by_operator_us"].items()) {
    ASSERT_TRUE(operators.contains(name)) << name;
    expect_seconds(operators.at(name), microseconds);
  }
  const auto kernels = sums(point, "trace_kernels", "kernel", "time");
  double all = 0;
  for (const auto& [name, seconds] : kernels) all += seconds;
  expect_seconds(all, truth["kernel_us"]);
}

TEST(TraceReport, FixturesToTheNanosecond) {
  std::ifstream file(shared("truth.json"));
  const nlohmann::json all = nlohmann::json::parse(file);
  int seen = 0;
  for (const auto& [name, truth] : all.items()) {
    if (truth["kind"] != "kineto") continue;
    expect_truth(name, truth);
    ++seen;
  }
  EXPECT_EQ(seen, 6);
}

/// Streams keep their numbers, and a timeline's gaps are the idle time.
TEST(TraceReport, WhatHappenedInTime) {
  std::ifstream file(shared("truth.json"));
  const nlohmann::json truth = nlohmann::json::parse(file)["kineto_streams.json.gz"];
  const Point point = trace_points({.files = {shared("kineto_streams.json.gz")}}, {}).front();
  std::map<double, int> streams;
  double idle = 0;
  const Table* device = find(point, "timeline_device");
  ASSERT_NE(device, nullptr);
  for (std::size_t row = 0; row < device->rows.size(); ++row) {
    ++streams[number(cell(point, "timeline_device", "stream", row))];
    idle += number(cell(point, "timeline_device", "gap", row));
    const double begin = number(cell(point, "timeline_device", "begin", row));
    const FieldValue launch = cell(point, "timeline_device", "launch", row);
    EXPECT_TRUE(std::holds_alternative<std::monostate>(launch) || number(launch) <= begin);
  }
  EXPECT_THAT(streams, testing::ElementsAre(testing::Pair(30.0, 10), testing::Pair(34.0, 10)));
  expect_seconds(idle, truth["idle_us"]);
  EXPECT_EQ(find(point, "timeline_calls")->rows.size(), 75U);
  // What goes from one operator to the other is not told, so nothing is alive in between.
  EXPECT_TRUE(std::holds_alternative<std::monostate>(cell(point, "nodes", "alive")));
  // Each gap is charged to what it ends with.
  EXPECT_FALSE(words(cell(point, "gaps", "operator")).empty());
  EXPECT_EQ(number(cell(point, "timeline", "left_out")), 0);
}

TEST(TraceReport, HostsAloneHaveATimelineToo) {
  const Point point = trace_points({.files = {shared("onnxruntime_gpt2.json")}}, {}).front();
  EXPECT_EQ(find(point, "timeline_device"), nullptr);
  EXPECT_EQ(find(point, "timeline_calls")->rows.size(), 189U);
}

TEST(TraceReport, NodesOfOnnxRuntime) {
  std::ifstream file(shared("truth.json"));
  const nlohmann::json truth = nlohmann::json::parse(file)["onnxruntime_gpt2.json"];
  const Point point = trace_points({.files = {shared("onnxruntime_gpt2.json")}}, {}).front();
  EXPECT_EQ(words(cell(point, "trace", "kind")), "onnxruntime");
  EXPECT_EQ(number(cell(point, "trace", "runs")), truth["runs"]);
  EXPECT_EQ(number(cell(point, "trace", "nodes")), truth["nodes"]);
  expect_seconds(number(cell(point, "trace", "node_time")), truth["node_us"]);
  // Nothing is known of a device, which is not 0.
  const auto absent = [&](std::string_view section, std::string_view column) {
    return std::holds_alternative<std::monostate>(cell(point, section, column));
  };
  EXPECT_TRUE(absent("trace", "kernels"));
  for (const char* column : {"kernels", "kernel_time", "copies", "copy_time", "gap", "gaps", "longest_gap"}) {
    EXPECT_TRUE(absent("trace_operators", column)) << column;
  }
  const auto operators = sums(point, "trace_operators", "operator", "total_time");
  for (const auto& [name, microseconds] : truth["by_operator_us"].items())
    expect_seconds(operators.at(name), microseconds);
  EXPECT_THAT(sums(point, "trace_operators", "group", "calls"),
              testing::IsSupersetOf({testing::Pair("GEMM", 39.0), testing::Pair("Activation", 6.0)}));
  // Groups are of one inference, and so are their nodes.
  double nodes = 0;
  for (const auto& [group, count] : sums(point, "groups", "group", "nodes")) nodes += count;
  EXPECT_EQ(nodes, number(cell(point, "trace", "nodes")) / number(cell(point, "trace", "runs")));
  EXPECT_EQ(sums(point, "groups", "group", "nodes").at("GEMM"), 13);
  const auto groups = sums(point, "groups", "group", "time");
  expect_seconds(groups.at("GEMM") * 3, 501 + 185 + 163);
  ASSERT_EQ(point.samples.size(), 1U);
  EXPECT_THAT(point.samples.front().seconds, testing::ElementsAre(1732e-6, 1389e-6, 1284e-6));
  EXPECT_DOUBLE_EQ(number(cell(point, "performance", "latency")), 1389e-6);
}

TEST(TraceReport, KernelTimeHasGroups) {
  for (const auto& [file, least] : std::map<std::string, double>{{"kineto_gpt2_eager.json.gz", 0.99},
                                                                 {"kineto_streams.json.gz", 0.99},
                                                                 {"kineto_tp2a_rank0.json.gz", 0.99},
                                                                 {"kineto_segformer_compiled.json.gz", 0.95},
                                                                 {"kineto_gpt2_decode_cudagraph.json.gz", 0.95}}) {
    SCOPED_TRACE(file);
    const Point point = trace_points({.files = {shared(file)}}, {}).front();
    const auto by = sums(point, "trace_grouping", "by", "share");
    const double told = 1.0 - (by.contains("nothing") ? by.at("nothing") : 0.0);
    EXPECT_GE(told, least);
    // Other is what nothing told.
    const auto groups = sums(point, "trace_kernels", "group", "time");
    const double other = groups.contains("Other") ? groups.at("Other") : 0.0;
    EXPECT_NEAR(other / number(cell(point, "trace", "kernel_time")), 1.0 - told, 1e-9);
  }
}

TEST(TraceReport, GroupsAddUpToTheDevicesTime) {
  const Point point = trace_points({.files = {shared("kineto_gpt2_eager.json.gz")}}, {}).front();
  const auto groups = sums(point, "groups", "group", "time");
  double all = 0;
  for (const auto& [group, seconds] : groups) all += seconds;
  expect_seconds(all, 2134.25 + 6.592);
  // aten::addmm, aten::mm and aten::bmm, by truth.json.
  expect_seconds(groups.at("GEMM"), 632.375 + 429.898 + 149.153);
  expect_seconds(groups.at("Logit computation"), 91.905);
  expect_seconds(groups.at("Normalization"), 182.112);
  EXPECT_NEAR(number(cell(point, "trace", "gemm_share")), 1211.426 / 2134.25, 1e-6);
}

TEST(TraceReport, TimeOfSeveralStreamsIsChargedOnce) {
  const Point point = trace_points({.files = {shared("kineto_streams.json.gz")}}, {}).front();
  const double busy = number(cell(point, "trace", "device_busy"));
  EXPECT_GT(number(cell(point, "trace", "overlap")), 1e-3);
  double all = 0;
  for (const auto& [group, seconds] : sums(point, "groups", "group", "time")) all += seconds;
  EXPECT_NEAR(all, busy, 1e-12);
  EXPECT_NEAR(number(cell(point, "performance", "parts")), 1, 1e-9);
  EXPECT_NEAR(number(cell(point, "performance", "outside_share")), 0, 1e-9);
  // What the sections of the trace itself say is whole durations.
  EXPECT_GT(number(cell(point, "trace", "kernel_time")) + number(cell(point, "trace", "copy_time")), busy);
}

/// relu launches in its clamp_min, and linear in its addmm.
constexpr const char* kNested = R"({"traceEvents": [
{"ph":"X","cat":"cpu_op","name":"aten::relu","pid":1,"tid":1,"ts":0,"dur":100,"args":{"External id":1,
 "Input Dims":[[4,8]],"Input type":["float"],"Concrete Inputs":[""]}},
{"ph":"X","cat":"cpu_op","name":"aten::clamp_min","pid":1,"tid":1,"ts":10,"dur":50,"args":{"External id":2}},
{"ph":"X","cat":"cuda_runtime","name":"cudaLaunchKernel","pid":1,"tid":1,"ts":20,"dur":5,"args":{"External id":2,"correlation":7}},
{"ph":"X","cat":"kernel","name":"clamp","pid":0,"tid":7,"ts":200,"dur":5,"args":{"External id":2,"correlation":7,"stream":7}},
{"ph":"X","cat":"cpu_op","name":"aten::linear","pid":1,"tid":1,"ts":300,"dur":100,"args":{"External id":3,
 "Input Dims":[[4,8],[16,8],[16]],"Input type":["float","float","float"],"Concrete Inputs":["","",""]}},
{"ph":"X","cat":"cpu_op","name":"aten::addmm","pid":1,"tid":1,"ts":310,"dur":60,"args":{"External id":4,
 "Input Dims":[[16],[4,8],[8,16],[],[]],"Input type":["float","float","float","Scalar","Scalar"],"Concrete Inputs":["","","","1","1"]}},
{"ph":"X","cat":"cuda_runtime","name":"cudaLaunchKernel","pid":1,"tid":1,"ts":320,"dur":5,"args":{"External id":4,"correlation":8}},
{"ph":"X","cat":"kernel","name":"product","pid":0,"tid":7,"ts":500,"dur":10,"args":{"External id":4,"correlation":8,"stream":7}}
]})";

TEST(TraceReport, TimeAndWorkStandAtTheOperatorThatTheProgramCalled) {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "nested.json").string();
  std::ofstream(path) << kNested;
  const Point point = trace_points({.files = {path}}, {}).front();
  const auto groups = sums(point, "groups", "group", "time");
  EXPECT_EQ(groups.size(), 2U);
  expect_seconds(groups.at("Activation"), 5);
  expect_seconds(groups.at("GEMM"), 10);
  const auto host = sums(point, "operators", "operator", "host_time");
  EXPECT_EQ(host.size(), 2U);
  expect_seconds(host.at("aten.relu.default"), 100);
  // The product and the bias, once.
  EXPECT_EQ(sums(point, "groups", "group", "flops").at("GEMM"), 2.0 * 4 * 8 * 16 + 4 * 16);
  const auto innermost = sums(point, "trace_operators", "operator", "kernel_time");
  expect_seconds(innermost.at("aten::clamp_min"), 5);
  expect_seconds(innermost.at("aten::addmm"), 10);
  EXPECT_EQ(innermost.at("aten::relu"), 0);
}

/// The terminal says what groups are shares of: waits and what is outside, too.
TEST(TraceReport, TheTerminalHasAllPartsOfTheWall) {
  for (const char* file : {"kineto_gpt2_eager.json.gz", "onnxruntime_gpt2.json"}) {
    SCOPED_TRACE(file);
    const Document summary = summary_of({{}, trace_points({.files = {shared(file)}}, {})});
    const Point& point = summary.points.front();
    const auto figure = [&](std::string_view column) {
      const FieldValue& value = cell(point, "performance", column);
      return std::holds_alternative<std::monostate>(value) ? 0.0 : number(value);
    };
    double groups = 0;
    for (const auto& [group, share] : sums(point, "groups", "group", "share")) groups += share;
    EXPECT_NEAR(groups, figure("gemm_share") + figure("nongemm_share"), 1e-9);
    EXPECT_NEAR(groups + figure("gap_share") + figure("outside_share"), 1, 1e-9);
  }
}

TEST(TraceReport, AnOperatorIsOfOneGroupInAllTables) {
  const Point point = trace_points({.files = {shared("kineto_tp2a_rank0.json.gz")}}, {}).front();
  const Table* nodes = find(point, "nodes");
  for (std::size_t row = 0; row < nodes->rows.size(); ++row) {
    if (words(cell(point, "nodes", "operator", row)) != "aten.gather") continue;
    EXPECT_EQ(words(cell(point, "nodes", "group", row)), "Embedding");  // launched inside of one
  }
}

TEST(TraceReport, CollectivesAndCopiesToTheHostAreCommunication) {
  const Point point = trace_points({.files = {shared("kineto_tp2a_rank1.json.gz")}}, {}).front();
  expect_seconds(sums(point, "groups", "group", "time").at("Communication"), 7643.42 + 3.232 + 2.24);
  EXPECT_EQ(point.setting("rank"), "1");
}

TEST(TraceReport, RecordedShapesGiveWork) {
  const Point point = trace_points({.files = {shared("kineto_gpt2_eager.json.gz")}}, {}).front();
  const Table* nodes = find(point, "nodes");
  ASSERT_NE(nodes, nullptr);
  int seen = 0;
  for (std::size_t row = 0; row < nodes->rows.size(); ++row) {
    if (words(cell(point, "nodes", "operator", row)) != "aten.mm.default") continue;
    // [256, 768] x [768, 50257] in fp16.
    EXPECT_EQ(number(cell(point, "nodes", "flops", row)), 2.0 * 256 * 768 * 50257);
    EXPECT_EQ(number(cell(point, "nodes", "bytes", row)), 2.0 * (256 * 768 + 768 * 50257 + 256 * 50257));
    ++seen;
  }
  EXPECT_EQ(seen, 1);
  EXPECT_THROW(trace_points({.files = {shared("kineto_streams.json.gz")}, .limits = shared("truth.json")}, {}), Error);
}

TEST(TraceReport, RanksOfOneJob) {
  const std::vector<Point> points =
      trace_points({.files = {shared("kineto_tp2a_rank0.json.gz"), shared("kineto_tp2a_rank1.json.gz")}}, {});
  ASSERT_EQ(points.size(), 2U);
  const double first = number(cell(points[0], "trace_collectives", "time"));
  const double second = number(cell(points[1], "trace_collectives", "time"));
  expect_seconds(first, 470.14);
  expect_seconds(second, 7643.42);
  EXPECT_EQ(number(cell(points[0], "trace_collectives", "calls")), 16);
  for (const Point& point : points) {
    // One stream: nothing runs beside them.
    EXPECT_EQ(number(cell(point, "trace_collectives", "hidden")), 0);
    EXPECT_DOUBLE_EQ(number(cell(point, "trace_collectives", "exposed")),
                     number(cell(point, "trace_collectives", "time")));
  }
  // Both waited for each other; what is left is the same for both.
  const double waited = number(cell(points[1], "trace_collectives", "waited"));
  EXPECT_NEAR(second - waited, first - number(cell(points[0], "trace_collectives", "waited")), 1e-12);
  EXPECT_GT(waited, 7e-3);
  for (const Point& point : points) {
    const double transfer = number(cell(point, "trace_collectives", "transfer"));
    EXPECT_NEAR(transfer + number(cell(point, "trace_collectives", "waited")),
                number(cell(point, "trace_collectives", "time")), 1e-12);
  }
}

TEST(TraceReport, WhatARankWaitedForAddsUpToItsWaiting) {
  const std::vector<Point> points =
      trace_points({.files = {shared("kineto_tp2a_rank1.json.gz"), shared("kineto_tp2a_rank0.json.gz")}}, {});
  for (const Point& point : points) {
    const Table* waits = find(point, "rank_waits");
    ASSERT_NE(waits, nullptr);
    double sum = 0;
    for (std::size_t row = 0; row < waits->rows.size(); ++row) {
      EXPECT_EQ(number(cell(point, "rank_waits", "rank", row)), std::stod(point.setting("rank")));
      sum += number(cell(point, "rank_waits", "time", row));
    }
    EXPECT_NEAR(sum, number(cell(point, "trace_collectives", "waited")), 1e-9);
  }
}

}  // namespace
}  // namespace nongemm
