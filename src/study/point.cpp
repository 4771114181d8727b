#include "study/point.h"

#include <fmt/format.h>

#include <algorithm>

#include "analysis/roofline.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/statistics.h"
#include "base/text.h"
#include "flows/load.h"
#include "prepare/given_inputs.h"
#include "profile/device_pass.h"
#include "report/sections.h"
#include "study/limits_cache.h"
#include "verify/compare_outputs.h"

namespace nongemm {
namespace {

std::string_view option_of(Attention attention) {
  return attention == Attention::kEager ? "eager" : attention == Attention::kSdpa ? "sdpa" : "";
}

std::vector<std::pair<std::string, std::string>> settings_of(const PointSpec& spec) {
  return {{"model", spec.model},
          {"flow", spec.flow},
          {"device", spec.device},
          {"dtype", std::string(short_name_of(spec.options.dtype))},
          {"batch", std::to_string(spec.options.batch)}};
}

/// Options that change figures and that no attribute of the graph tells; defaults are left out.
void add_further_settings(const PointSpec& spec, Point& point) {
  const auto add = [&](bool given, const char* name, const std::string& value) {
    if (given && point.setting(name).empty()) point.settings.emplace_back(name, value);
  };
  const auto& [height, width] = std::pair(spec.options.height, spec.options.width);
  add(height && width, "image size", fmt::format("{}x{}", height.value_or(0), width.value_or(0)));
  add(spec.threads > 0, "threads", std::to_string(spec.threads));
  add(spec.tf32, "tf32", "yes");
  for (const auto& [name, value] : spec.settings) {
    const bool is_place = name.ends_with(".cache") || name.ends_with(".export");  // where files go changes no figure
    add(name.starts_with(spec.flow + ".") && !is_place, name.c_str(), value);
  }
  add(!spec.analysis.by_module, "by", "operator");
  add(!spec.analysis.attention_is_gemm, "attention counts as", "non-GEMM");
  add(!spec.groups.empty(), "groups", spec.groups);
}

/// Attributes that the builder decided (sequence length, attention, image size) belong to the settings, too; batch and
/// dtype of a model file are its own.
void add_attributes(const Graph& graph, Point& point) {
  for (const auto& [key, value] : graph.attributes) {
    const auto setting = std::find_if(point.settings.begin(), point.settings.end(),
                                      [&name = key](const auto& row) { return row.first == name; });
    if (setting == point.settings.end()) {
      point.settings.emplace_back(key, value);
    } else if (const std::optional<DType> dtype = key == "dtype" ? parse_dtype(value) : std::nullopt) {
      setting->second = short_name_of(*dtype);
    } else {
      setting->second = value;
    }
  }
}

std::int64_t batch_of(const Graph& graph) {
  const auto batch = graph.attributes.find("batch");
  return batch == graph.attributes.end() ? 1 : std::stoll(batch->second);
}

/// The types of a model file are what they are.
void check_dtype(const PointSpec& spec, const Graph& graph) {
  const auto own = graph.attributes.find("dtype");
  if (!spec.dtype_given || own == graph.attributes.end() || parse_dtype(own->second) == spec.options.dtype) return;
  throw Error(ErrorKind::kUnsupported, fmt::format("the model's file is in {}", own->second),
              fmt::format("export the model in {}", name_of(spec.options.dtype)));
}

std::int64_t tokens_of(const Graph& graph) {
  const auto sequence = graph.attributes.find("sequence");
  return sequence == graph.attributes.end() ? 0 : std::stoll(sequence->second);
}

/// What the flows of a point have in common.
std::string key_of(PointSpec spec) {
  spec.flow = "torch";
  spec.settings.clear();
  return command_of(spec);
}

/// Tables in which the flows of a point meet: side by side, and their outputs.
void compare_flows(const PointSpec& spec, double latency_s, const Analysis& analysis, const FusionAnalysis* fusion,
                   Baseline& baseline, Point& point) {
  const Analysis* node_by_node = spec.flow == "torch" && analysis.measured ? &analysis : nullptr;
  const auto& flows = baseline.add(flow_figures(spec.flow, latency_s, analysis, fusion), node_by_node);
  if (flows.size() > 1) point.tables.insert(point.tables.begin() + 1, make_flows_table(flows));
}

/// The record gets the limits that it is analysed with.
Analysis analyse_with_limits(const PointSpec& spec, Record& record, Flow& flow, const RunOptions& options,
                             const Progress& progress) {
  std::optional<DeviceLimits>& limits = record.devices.front().limits;
  const bool traced = record.phases.front().devices.front().nodes.averaged > 0;
  if (spec.limits && traced && !record.incomplete) {
    progress("device limits");
    limits = limits_of(flow, options, spec.fresh_limits);
  }
  Analysis analysis = analyse(record, spec.analysis);
  if (!limits || !products_exceed(analysis, *limits)) return analysis;
  progress("device limits again: this run was faster");
  std::optional<DeviceLimits> raised = raise_limits(flow, options);
  if (!raised) return analysis;
  limits = std::move(raised);
  return analyse(record, spec.analysis);
}

void run(const PointSpec& spec, const Progress& progress, Baseline& baseline, Point& point) {
  const Stopwatch setup;
  const Model model = find_model(spec.model);
  ModelOptions options = spec.options;
  std::optional<DataBatch> data;
  if (!spec.data.empty()) {
    progress("reading data");
    data = read_data(model, spec.data, spec.weights.path, options);
    options = options_for(data->tensors, options);
  } else if (!spec.inputs.empty()) {
    data = read_inputs(model, spec.inputs, options);
    options = model.file ? options_for_file(model, data->tensors, options) : options_for(data->tensors, options);
  }
  Graph built = build_graph(model, options);
  if (!spec.weights.path.empty()) built.source = nullptr;  // the file has other weights
  const auto shared_graph = std::make_shared<const Graph>(std::move(built));
  const Graph& graph = *shared_graph;
  if (model.file) check_dtype(spec, graph);
  add_attributes(graph, point);
  PreparedWeights weights = prepare_weights(model, graph, spec.weights);
  if (options.device == "cpu") check_host_memory(graph, weights);
  point.settings.emplace_back("weights", weights.source);
  const PreparedInputs inputs = prepare_inputs(graph, data ? &*data : nullptr, spec.weights.seed);
  point.settings.emplace_back("inputs", inputs.source);
  add_further_settings(spec, point);

  progress("loading " + spec.flow);
  Flow& flow = load_flow(spec.flow);
  RunOptions run_options;
  run_options.device = spec.device;
  run_options.threads = spec.threads;
  run_options.tf32 = spec.tf32;
  run_options.seed = spec.weights.seed;
  run_options.settings = spec.settings;
  run_options.libraries = spec.libraries;
  run_options.progress = progress;
  baseline.begin_point(key_of(spec));
  std::vector<HostTensor> expected;
  if (spec.check && spec.flow != "torch") {
    progress("running torch for its outputs");
    try {
      expected = baseline.outputs([&] { return torch_outputs(graph, weights.tensors, inputs.tensors, run_options); });
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kUnsupported) throw;
      point.reason = std::string("not compared with PyTorch: ") + error.what();
    }
  }
  progress("preparing weights");
  const std::unique_ptr<Session> session = flow.prepare(graph, weights.tensors, run_options);
  weights.tensors.clear();
  session->set_inputs(inputs.tensors);
  const double setup_s = setup.seconds();

  progress("measuring");
  Record record = measure(*session, shared_graph, {spec.policy}, options.device != "cpu");
  record.tf32 = {.products = spec.tf32, .convolutions = spec.tf32};
  const Analysis analysis = analyse_with_limits(spec, record, flow, run_options, progress);
  std::optional<FusionAnalysis> fusion;
  if (record.entries.front().program && analysis.measured) {
    fusion = analyse_fusion(*record.entries.front().program, analysis, spec.analysis, baseline.analysis());
  }
  Analysis replay_analysis;
  std::string replay_failed;
  if (spec.replay && !record.incomplete) {
    progress("replaying");
    try {
      record.phases.push_back(measure_replay(*session, graph, {spec.policy}));
      replay_analysis = analyse(record, spec.analysis, {.phase = 1});
    } catch (const Error& error) {
      // The eager figures are worth having all the same.
      replay_failed = error.what();
    }
  }
  const Phase& inference = record.phases.front();
  const Phase* replay = record.find(PhaseKind::kReplay);
  const double latency_s = median(inference.latency.samples_s);
  RunFigures figures{.record = &record,
                     .analysis = &analysis,
                     .batch = batch_of(graph),
                     .tokens = tokens_of(graph),
                     .replay_analysis = &replay_analysis,
                     .setup_s = setup_s};
  Roofline roofline;
  if (figures.limits() != nullptr) {
    roofline = make_roofline(analysis, latency_s);
    figures.roofline = &roofline;
  }
  if (fusion) figures.fusion = &*fusion;
  if (data) figures.preprocessing = data->preprocessing;
  point.tables = make_tables(figures);
  compare_flows(spec, latency_s, analysis, fusion ? &*fusion : nullptr, baseline, point);
  if (spec.check) {
    session->run();
    std::vector<HostTensor> outputs = session->outputs();
    if (spec.flow == "torch") {
      baseline.set_outputs(std::move(outputs));
    } else if (!expected.empty()) {
      point.tables.insert(point.tables.begin() + 1, make_check_table(compare_outputs(graph, expected, outputs)));
    }
  }
  const NodePass& nodes = inference.devices.front().nodes;
  point.samples = {{"warmup", inference.latency.warmup_s},
                   {"latency", inference.latency.samples_s},
                   {"node_pass", nodes.wall_s},
                   {"node_pass_plain", nodes.plain_s}};
  if (replay != nullptr) point.samples.push_back({"replay", replay->latency.samples_s});
  if (!replay_failed.empty()) point.reason += (point.reason.empty() ? "no replay: " : "; no replay: ") + replay_failed;
  if (record.incomplete) {
    point.status = "incomplete";
    point.reason = "interrupted; the figures are of what was measured until then";
  }
}

}  // namespace

std::string command_of(const PointSpec& spec) {
  std::string command = "nongemm run " + shell_word(spec.model);
  const auto add = [&](bool given, const std::string& text) {
    if (given) command += " " + text;
  };
  add(spec.flow != "torch", "--flow " + spec.flow);
  add(spec.device != "cpu", "--device " + spec.device);
  add(spec.options.batch != 1, fmt::format("--batch {}", spec.options.batch));
  add(spec.options.sequence.has_value(), fmt::format("--seq-len {}", spec.options.sequence.value_or(0)));
  add(spec.options.height && spec.options.width,
      fmt::format("--image-size {}x{}", spec.options.height.value_or(0), spec.options.width.value_or(0)));
  add(spec.options.detections.has_value(), fmt::format("--detections {}", spec.options.detections.value_or(0)));
  add(spec.options.dtype != DType::kFloat32, fmt::format("--dtype {}", short_name_of(spec.options.dtype)));
  add(spec.options.attention != Attention::kDefault, fmt::format("--attention {}", option_of(spec.options.attention)));
  add(spec.threads > 0, fmt::format("--threads {}", spec.threads));
  add(spec.tf32, "--tf32");
  add(spec.replay, "--cuda-graph");
  add(spec.check, "--check");
  if (const auto level = spec.settings.find("ort.level"); level != spec.settings.end()) {
    add(true, "--ort-level " + level->second);
  }
  for (const auto& [name, value] : spec.settings) {
    add(name != "ort.level" && name.starts_with(spec.flow + "."), "--set " + shell_word(name + "=" + value));
  }
  add(!spec.limits, "--no-limits");
  add(spec.fresh_limits, "--remeasure-limits");
  add(spec.policy.most_seconds != MeasurePolicy().most_seconds,
      fmt::format("--max-seconds {}", spec.policy.most_seconds));
  add(spec.policy.iterations.has_value(), fmt::format("--iterations {}", spec.policy.iterations.value_or(0)));
  add(spec.policy.warmup.has_value(), fmt::format("--warmup {}", spec.policy.warmup.value_or(0)));
  add(!spec.weights.path.empty(), "--weights " + shell_word(spec.weights.path));
  add(spec.weights.seed != 0, fmt::format("--seed {}", spec.weights.seed));
  add(!spec.data.empty(), "--data " + shell_word(spec.data));
  add(!spec.inputs.empty(), "--inputs " + shell_word(spec.inputs));
  for (const std::string& library : spec.libraries) add(true, "--load-library " + shell_word(library));
  add(!spec.groups.empty(), "--groups " + shell_word(spec.groups));
  for (const InputBinding& input : spec.options.inputs) add(true, "--input " + shell_word(to_string(input)));
  add(!spec.analysis.by_module, "--by operator");
  add(!spec.analysis.attention_is_gemm, "--attention-as-nongemm");
  return command;
}

Point run_point(const PointSpec& spec, const Progress& progress, Baseline& baseline) {
  Point point;
  point.settings = settings_of(spec);
  point.command = command_of(spec);
  try {
    run(spec, progress, baseline, point);
  } catch (const Error& error) {
    point.status = name_of(error.kind());
    point.reason = error.what();
  } catch (const std::bad_alloc&) {
    point.status = name_of(ErrorKind::kOutOfMemory);
    point.reason = "no host memory left";
  } catch (const std::exception& error) {
    point.status = name_of(ErrorKind::kFailed);
    point.reason = error.what();
  }
  return point;
}

Point inspect_point(const PointSpec& spec) {
  Point point;
  point.settings = settings_of(spec);
  const Model model = find_model(spec.model);
  const Record record = record_of(build_graph(model, spec.options));
  const Graph& graph = *record.entries.front().graph;
  if (model.file) check_dtype(spec, graph);
  add_attributes(graph, point);
  add_further_settings(spec, point);
  const Analysis analysis = analyse(record, spec.analysis);
  point.settings.emplace_back("nodes", std::to_string(graph.nodes.size()));
  point.settings.emplace_back("parameters", std::to_string(analysis.parameters));
  const RunFigures figures{
      .record = &record, .analysis = &analysis, .batch = batch_of(graph), .tokens = tokens_of(graph)};
  point.tables = make_tables(figures);
  return point;
}

}  // namespace nongemm
