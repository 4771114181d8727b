#include "study/engine_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <utility>

#include "analysis/fusion.h"
#include "base/error.h"
#include "base/statistics.h"
#include "lowering/lower.h"
#include "onnx/names.h"
#include "prepare/model.h"
#include "programs/tensorrt/engine_map.h"
#include "programs/tensorrt/inferred_nodes.h"
#include "programs/tensorrt/lowered_nodes.h"
#include "report/sections.h"
#include "study/counting.h"
#include "traces/tensorrt/profile.h"
#include "traces/tensorrt/times.h"

namespace nongemm {
namespace {

/// What the layers are told to: a graph, and which of its nodes each ONNX node belongs to.
struct Reference {
  Graph graph;
  bool names_only = false;
  traces::OnnxNodes model;
  std::vector<std::vector<NodeId>> graph_nodes;  // by ONNX node
  std::string source;
};

Reference lowered(const RunSpec& spec) {
  Reference reference;
  ModelOptions options = spec.options;
  options.device = DeviceKind::kCuda;
  reference.graph = build_graph(find_model(spec.model), options);
  reference.model = traces::nodes_of(onnx::lower_to_onnx(reference.graph).model);
  for (const traces::OnnxNode& node : reference.model.nodes) {
    reference.graph_nodes.push_back(onnx::graph_nodes_in(node.name));
  }
  reference.source = "model " + spec.model;
  return reference;
}

/// A graph whose nodes are the ONNX nodes themselves, without types: groups need no more.
Reference foreign(traces::OnnxNodes model, std::string source) {
  Reference reference;
  reference.model = std::move(model);
  reference.source = std::move(source);
  reference.names_only = true;
  Graph& graph = reference.graph;
  std::map<std::string, ScopeId> scopes{{"", kRootScope}};
  for (const traces::OnnxNode& onnx : reference.model.nodes) {
    const std::size_t slash = onnx.name.rfind('/');
    const std::string path = slash == std::string::npos ? "" : onnx.name.substr(0, slash);
    const auto [scope, is_new] = scopes.try_emplace(path, static_cast<ScopeId>(graph.scopes.size()));
    if (is_new) graph.scopes.push_back({kRootScope, path, ""});
    reference.graph_nodes.push_back({static_cast<NodeId>(graph.nodes.size())});
    graph.blocks[kBodyBlock].nodes.push_back(static_cast<NodeId>(graph.nodes.size()));
    Node node;
    node.op = "onnx." + (onnx.type.empty() ? "unknown" : onnx.type);
    node.scope = scope->second;
    graph.nodes.push_back(std::move(node));
  }
  return reference;
}

/// The engine's own ONNX file is taken as it is; other models as `nongemm export` writes them.
bool is_onnx_file(const RunSpec& spec) { return spec.model.ends_with(".onnx"); }

bool covers_any(const traces::TensorRtEngine& engine, const Reference& reference) {
  const traces::EngineMap map = traces::map_engine(engine, reference.model);
  return std::any_of(map.layers.begin(), map.layers.end(),
                     [](const traces::LayerCover& layer) { return !layer.nodes.empty(); });
}

/// A model that none of the layers comes from says less than their own names: an engine built from another exporter's
/// file has that one's names.
Reference reference_of(const RunSpec& spec, const traces::TensorRtEngine& engine) {
  constexpr const char* kNames = "names of the layers alone";
  if (spec.model.empty()) return foreign(traces::infer_nodes(engine), kNames);
  Reference reference =
      is_onnx_file(spec) ? foreign(traces::read_onnx_nodes(spec.model), "ONNX file " + spec.model) : lowered(spec);
  if (covers_any(engine, reference)) return reference;
  return foreign(traces::infer_nodes(engine), fmt::format("{}: none is of {}", kNames, reference.source));
}

/// Files of one engine have the layers' names in common, but for those that one of the tools leaves out.
void check_same_engine(const traces::TensorRtProfile& profile, const traces::TensorRtEngine& engine,
                       const EngineFiles& files) {
  std::set<std::string> known;
  for (const traces::EngineLayer& layer : engine.layers) known.insert(layer.name);
  double all_s = 0;
  double known_s = 0;
  std::size_t in_both = 0;
  for (const traces::LayerTime& layer : profile.layers) {
    all_s += layer.mean_s;
    if (known.count(layer.name) == 0) continue;
    known_s += layer.mean_s;
    ++in_both;
  }
  constexpr double kLeast = 0.5;
  if (in_both > 0 && known_s >= kLeast * all_s) return;
  throw Error(ErrorKind::kBadInput,
              fmt::format("{} and {} are of different engines: of {} layers with times {} are among the {} layers",
                          files.profile, files.layers, profile.layers.size(), in_both, engine.layers.size()),
              "give the files that trtexec wrote of one engine");
}

/// Times by step. Layers that the profile has and the layer information lacks become steps of their own.
StepPass times_of(const traces::TensorRtProfile& profile, RuntimeProgram& program) {
  std::map<std::string, std::vector<std::size_t>> steps;
  for (std::size_t i = program.nodes.size(); i-- > 0;) steps[program.nodes[i].name].push_back(i);
  StepPass pass;
  pass.inferences = std::max(1, static_cast<int>(profile.inferences));  // older files do not say how many
  pass.mean_s.resize(program.nodes.size());
  for (const traces::LayerTime& layer : profile.layers) {
    std::vector<std::size_t>& places = steps[layer.name];
    if (places.empty()) {
      if (layer.mean_s == 0) continue;  // a constant: trtexec lists those, too
      places.push_back(program.nodes.size());
      RuntimeNode step;
      step.name = layer.name;
      step.type = "layer";
      program.nodes.push_back(std::move(step));
      pass.mean_s.push_back(0);
    }
    // Steps of one name come in their order; a profile with more of them adds to the last.
    pass.mean_s[places.back()] += layer.mean_s;
    if (places.size() > 1) places.pop_back();
  }
  return pass;
}

LatencyPass latency_of(const EngineFiles& files) {
  LatencyPass pass;
  if (files.times.empty()) return pass;
  for (const traces::InferenceTime& time : traces::read_tensorrt_times(files.times)) {
    pass.samples_s.push_back(time.compute_s);
  }
  return pass;
}

/// What trtexec's files tell of a run: no kernels, no host times, no warm-up.
Record record_of(const EngineFiles& files, const traces::TensorRtProfile& profile, const traces::TensorRtEngine& engine,
                 Reference reference) {
  Record record;
  Entry& entry = record.entries.emplace_back();
  entry.names_only = reference.names_only;
  entry.program = traces::program_of(engine, traces::map_engine(engine, reference.model), reference.graph_nodes,
                                     reference.graph.nodes.size());
  entry.graph = std::make_shared<const Graph>(std::move(reference.graph));
  record.devices.emplace_back().is_host = false;
  Phase& phase = record.phases.emplace_back();
  phase.latency = latency_of(files);
  DevicePhase& device = phase.devices.emplace_back();
  device.steps = times_of(profile, *entry.program);
  std::optional<double> plain_s;
  if (!phase.latency.samples_s.empty()) plain_s = median(phase.latency.samples_s);
  std::string how = "layer times by TensorRT's own clock";
  if (profile.inferences > 0) how += fmt::format(", means of {} profiled inferences", profile.inferences);
  device.nodes = node_pass_of(*device.steps, plain_s, std::move(how));
  return record;
}

}  // namespace

Point engine_point(const EngineFiles& files, const RunSpec& spec) {
  const AnalysisOptions options = analysis_options(spec.counting);
  const traces::TensorRtProfile profile = traces::read_tensorrt_profile(files.profile);
  const traces::TensorRtEngine engine =
      traces::engine_of_profile(traces::read_tensorrt_layers(files.layers), profile.layers.front().profile);
  check_same_engine(profile, engine, files);
  Reference reference = reference_of(spec, engine);
  const std::int64_t known_batch = reference.names_only ? 0 : spec.options.batch;

  Point point;
  point.settings = {{"engine", std::filesystem::path(files.layers).filename().string()},
                    {"flow", "tensorrt"},
                    {"nodes from", reference.source}};
  const Record record = record_of(files, profile, engine, std::move(reference));
  const LatencyPass& latency = record.phases.front().latency;
  if (latency.samples_s.empty()) {
    point.settings.emplace_back("latency", "not known: give --times");
  } else {
    point.samples.push_back({"latency", latency.samples_s});
  }
  const Analysis analysis = analyse(record, options);
  const FusionAnalysis fusion = analyse_fusion(*record.entries.front().program, analysis, options);
  const RunFigures figures{.record = &record, .analysis = &analysis, .batch = known_batch, .fusion = &fusion};
  point.tables = make_tables(figures);
  if (fusion.mapped_time < 0.95) {
    point.status.kind = StatusKind::kIncomplete;
    point.status.reason = fmt::format(
        "of {:.0f} % of the time the operators are not known: give --model the ONNX file that the engine "
        "was built from",
        100.0 * (1.0 - fusion.mapped_time));
  }
  return point;
}

}  // namespace nongemm
