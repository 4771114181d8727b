// What every format makes of one fixed record, letter by letter. The record's names are as hostile as those of a user's
// file may be.
#include "golden.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "analysis/roofline.h"
#include "ops/builder.h"
#include "report/document.h"
#include "report/sections.h"

namespace nongemm {
namespace {

const std::string kTag = "<script>alert('1')</script>";
const std::string kQuotes = R"(comma, "quote" `tick` | pipe \ backslash)";
const std::string kBreaks = "line\nfeed\ttab\r\u2028separator\u2029end";
const std::string kTurned = "\u202eright\u202c \u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627";
const std::string kLong = "very " + std::string(300, 'l') + "ong";
const std::string kEscape = "\x1b[31mred\x1b[0m \x07 =cmd()";

Graph hostile_graph() {
  Builder b(kTag, DType::kFloat32);
  const Tensor x = b.input(kQuotes, DType::kFloat32, {2, 8, 16}, {});
  Tensor y;
  {
    const auto outer = b.scope(kQuotes, kTag);
    const auto inner = b.scope(kTurned, kLong);
    y = b.call("aten.linear.default", {x, b.parameter(kTag, {32, 16}, {})});
    y = b.call("aten.gelu.default", {y});
  }
  {
    const auto module = b.scope(kBreaks, "LlamaRMSNorm");
    y = b.call("aten.mul.Tensor", {y, b.call("aten.rsqrt.default", {b.call("aten.mean.dim", {y, Shape{-1}, true})})});
  }
  {
    const auto module = b.scope(kLong, kEscape);
    y = b.call("aten.contiguous.default", {b.call("aten.transpose.int", {y, 1, 2})});
    y = b.call("aten.relu.default", {b.call("aten.nonzero.default", {y})});
  }
  b.output(kBreaks, y);
  return b.finish();
}

DeviceLimits limits() {
  DeviceLimits limits;
  limits.device = kTag;
  limits.measured_at = "2026-01-02T03:04:05Z";
  limits.copy_bandwidth = 2e11;
  limits.read_bandwidth = 2.5e11;
  limits.fp32_rate = 4e12;
  limits.launch_ns = 2500;
  limits.shortest_kernel_s = 2e-6;
  limits.round_trip_ns = 9000;
  return limits;
}

LatencyPass latency(double seconds) {
  LatencyPass pass;
  for (int i = 0; i < 12; ++i) pass.samples_s.push_back(seconds * (1 + 0.01 * (i * 5 % 12)));
  pass.marks.assign(pass.samples_s.size(), SampleMark::kNone);
  pass.marks[3] = SampleMark::kDisturbed;
  pass.warmup_s = {3 * seconds, 1.5 * seconds};
  pass.stopping_rule = "12 iterations";
  return pass;
}

/// Of a device beside the host, or of the host itself.
Record record_on(bool device) {
  Record record = record_of(hostile_graph());
  record.devices = {{.is_host = !device, .limits = limits()}};
  Phase& phase = record.phases.emplace_back();
  phase.latency = latency(device ? 100e-6 : 400e-6);
  DevicePhase& on = phase.devices.emplace_back();
  on.memory = MemoryUse{.weights = 2048, .peak = 40960};
  NodePass& pass = on.nodes;
  pass.how = kQuotes;
  pass.averaged = 10;
  const std::size_t nodes = record.entries[0].graph->nodes.size();
  for (std::size_t i = 0; i < nodes; ++i) {
    const double part = 1e-6 * static_cast<double>(1 + i);
    const bool view = i == 5;  // the transposition
    NodeTime time{.host_s = 2 * part, .calls = 1};
    if (device && !view)
      time.device_s = 3 * part, time.gap_s = 0.5 * part, time.kernels = 1 + static_cast<double>(i % 2);
    if (device && i + 2 == nodes) time.wait_s = 4e-6;  // its size is asked for
    pass.nodes.push_back(time);
    pass.device_busy_s += time.device_s;
    pass.gap_s += time.gap_s;
    pass.mean_wall_s += device ? time.device_s + time.gap_s : time.host_s;
  }
  pass.outside_s = 5e-6;
  pass.mean_wall_s += pass.outside_s;
  if (device) {
    pass.head_s = 4e-6;
    pass.tail_s = 3e-6;
    pass.mean_wall_s += pass.head_s + pass.tail_s;
    pass.kernel_records = true;
    pass.recorded_s = pass.mean_wall_s;
    pass.attributed = 0.9375;
    pass.kernels = {{.node = 0, .name = kTag, .device_s = 3e-6, .launches = 1},
                    {.node = 2, .name = kBreaks, .device_s = 9e-6, .launches = 2}};
  }
  for (const double wall : phase.latency.samples_s) {
    pass.wall_s.push_back(1.1 * wall);
    pass.plain_s.push_back(wall);
    pass.inside_s.push_back(0.8 * wall);
  }
  return record;
}

Point point_of(const Record& record, const std::string& device) {
  Analysis analysis = analyse(record, {});
  const Roofline roofline = make_roofline(analysis, 100e-6);
  Point point;
  point.command = "nongemm run '" + kQuotes + "' --device " + device;
  point.key = "0123456789abcdef";
  point.specification = {{"model", OptionType::kText, false, {kQuotes}}, {"batch", OptionType::kInteger, false, {"2"}}};
  point.settings = {{"model", kQuotes}, {"device", device}, {"batch", "2"}, {"note", kBreaks}};
  point.tables = make_tables(
      {.record = &record, .analysis = &analysis, .batch = 2, .tokens = 8, .roofline = &roofline, .setup_s = 0.25});
  point.samples = {{"latency", record.phases[0].latency.samples_s}};
  return point;
}

Document hostile_document() {
  Document document;
  document.context = {{"nongemm", "1.2.3"},
                      {"command", "nongemm run \"a,b\" <x> | y"},
                      {"processor", kTag + kBreaks},
                      {"memory", kTurned}};
  document.points = {point_of(record_on(true), "cuda"), point_of(record_on(false), "cpu")};
  Point failed;
  failed.status = {StatusKind::kOutOfMemory, kTag + " | " + kBreaks + kEscape};
  failed.settings = {{"model", kLong}, {"batch", "8"}};
  failed.command = "nongemm run " + kTurned;
  document.points.push_back(failed);
  return document;
}

std::string written(const Writer& writer) {
  std::ostringstream out;
  writer.write(hostile_document(), out);
  return out.str();
}

/// The page without its own style and script, which other tests see to: its frame and the data.
std::string without_program(std::string page) {
  for (const auto& [begin, end] : {std::pair("<style>", "</style>"), std::pair("<script>", "</script>")}) {
    for (std::size_t at = 0; (at = page.find(begin, at)) != std::string::npos;) {
      at += std::string_view(begin).size();
      page.erase(at, page.find(end, at) - at);
    }
  }
  return page;
}

class Golden : public testing::TestWithParam<const char*> {};

TEST_P(Golden, IsLetterByLetterWhatItWas) {
  const Writer& writer = find_writer(GetParam());
  std::string text = written(writer);
  if (writer.format == "html") text = without_program(std::move(text));
  expect_golden("report_" + std::string(writer.format) + std::string(writer.extension), text);
}

INSTANTIATE_TEST_SUITE_P(Formats, Golden, testing::Values("table", "md", "csv", "json", "html"),
                         [](const auto& info) { return std::string(info.param); });

TEST(GoldenJson, IsReadAgainToTheSameInEveryFormat) {
  const Document back = parse_document(written(find_writer("json")), "test");
  for (const Writer& writer : writers()) {
    std::ostringstream out;
    writer.write(back, out);
    EXPECT_EQ(out.str(), written(writer)) << writer.format;
  }
}

/// Neither escape codes nor what turns a line around (U+202E).
TEST(GoldenText, DoesNotSteerTheTerminal) {
  for (const char* format : {"table", "md", "csv"}) {
    const std::string text = written(find_writer(format));
    const bool sound = std::all_of(text.begin(), text.end(), [&](char letter) {
      return static_cast<unsigned char>(letter) >= ' ' || letter == '\n' || letter == '\t' || letter == '\r';
    });
    EXPECT_TRUE(sound) << format;
    for (const char* control : {"\u202e", "\u2028", "\u2029", "\x7f"})
      EXPECT_EQ(text.find(control), std::string::npos) << format;
  }
}

}  // namespace
}  // namespace nongemm
