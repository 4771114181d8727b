// Timelines as they are recorded, for working on the queue model away from a device: plain inferences with host spans,
// inferences with spans and records, attributed ones, and how the device takes up work. Text, a line each:
//   timeline_dump OUTPUT.txt MODEL BATCH [SEQUENCE|0 [DTYPE [SECONDS]]]
//   timeline_dump OUTPUT.txt probe
#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/statistics.h"
#include "flows/device/device.h"
#include "flows/load.h"
#include "prepare/prepare.h"
#include "profile/sampling.h"
#include "profile/timeline_file.h"

namespace nongemm {
namespace {

void dump_model(std::ostream& dump, int count, char** arguments) {
  ModelOptions options;
  options.batch = std::atoi(arguments[3]);
  options.batch_given = true;
  if (count > 4 && std::atoi(arguments[4]) > 0) options.sequence = std::atoi(arguments[4]);
  options.dtype = count > 5 && std::string(arguments[5]) == "fp32" ? DType::kFloat32 : DType::kFloat16;
  options.dtype_given = true;
  const double most_s = count > 6 ? std::atof(arguments[6]) : 1.5;
  const Model model = find_model(arguments[2]);
  const Graph graph = build_graph(model, options);
  const PreparedWeights weights = prepare_weights(model, graph);
  RunOptions run;
  run.device = {DeviceKind::kCuda, 0};
  const auto session = load_flow("torch").prepare(graph, weights.tensors, run);
  session->set_inputs(prepare_inputs(graph, nullptr, 0).tensors);
  for (int i = 0; i < 10; ++i) session->run();
  dump << "M " << arguments[2] << ' ' << arguments[3] << ' ' << graph.nodes.size() << '\n';
  for (NodeId i = 0; i < graph.nodes.size(); ++i) dump << "O " << i << ' ' << graph.nodes[i].op << '\n';
  Trace trace;
  for (int i = 0; i < 7; ++i) {
    session->run_traced(TraceLevel::kAttribution, trace);
    if (i >= 2) write_trace(dump, "attribution", trace);
  }
  const Stopwatch watch;
  std::vector<double> plain, spans;
  for (int round = 0; round < 8 && (round < 2 || watch.seconds() < most_s); ++round) {
    session->end_tracing();
    session->run();
    for (int i = 0; i < 10; ++i) {
      plain.push_back(timed_run(*session));
      dump << "P " << static_cast<std::int64_t>(plain.back() * 1e9) << '\n';
      session->run_traced(TraceLevel::kHost, trace);
      spans.push_back(static_cast<double>(trace.end_ns - trace.begin_ns) * 1e-9);
      write_trace(dump, "host", trace);
    }
    std::vector<Trace> traces(2 + 5);
    session->run_traced_in_a_row(TraceLevel::kTimingSpans, traces);
    for (std::size_t i = 2; i < traces.size(); ++i) write_trace(dump, "timing", traces[i]);
  }
  session->end_tracing();
  fmt::print("{} batch {}: plain {:.3f} ms, with spans {:.3f}\n", arguments[2], arguments[3], median(plain) * 1e3,
             median(spans) * 1e3);
}

}  // namespace
}  // namespace nongemm

int main(int count, char** arguments) {
  if (count < 3) return 2;
  try {
    std::ofstream dump(arguments[1]);
    if (!dump) throw nongemm::Error(nongemm::ErrorKind::kBadInput, std::string("cannot write ") + arguments[1]);
    if (std::string(arguments[2]) == "probe") {
      const nongemm::QueueTimes t = nongemm::device::library().queue_times(0);
      dump << "start " << t.start_ns << " switch " << t.switch_ns << " return " << t.return_ns << " wait " << t.wait_ns
           << " recorded start " << t.recorded_start_ns << " switch " << t.recorded_switch_ns << " recording "
           << t.recording_ns << '\n';
      return 0;
    }
    nongemm::dump_model(dump, count, arguments);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
  return 0;
}
