#include "study/generation_point.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "analysis/roofline.h"
#include "base/error.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "data/text/detokenizer.h"
#include "data/text/unicode.h"
#include "flows/load.h"
#include "report/generation_sections.h"
#include "study/counting.h"
#include "study/generation_measure.h"
#include "study/limits_cache.h"
#include "study/ranked_generation.h"

namespace nongemm {
namespace {

constexpr std::int64_t kUsualPrompt = 128;

/// Prompts and where they are from.
struct ReadPrompt {
  Prompt prompt;
  std::string source;
};

ReadPrompt read_prompt(const RunSpec& spec, const Model& model, const Graph& graph, const GenerationPlan& plan) {
  Graph only_ids = graph;
  only_ids.inputs.resize(1);
  std::optional<DataBatch> data;
  if (!spec.data.empty()) {
    ModelOptions options = spec.options;
    options.sequence = plan.prompt;
    data = read_data(model, spec.data, spec.weights, options);
    std::erase_if(data->tensors, [](const auto& tensor) { return tensor.first != "input_ids"; });
  }
  PreparedInputs inputs = prepare_inputs(only_ids, data ? &*data : nullptr, spec.runtime.seed);
  return {{.ids = std::move(inputs.tensors.front()), .mask = {}}, std::move(inputs.source)};
}

/// Where a tokenizer may lie: beside the weights, or in the model's folder.
std::unique_ptr<data::Tokenizer> tokenizer_of(const RunSpec& spec, const Model& model) {
  const std::string folder = spec.weights.empty() ? model.folder : spec.weights;
  if (folder.empty()) return nullptr;
  try {
    return data::open_tokenizer(folder);
  } catch (const Error&) {  // figures are worth having without the words
    return nullptr;
  }
}

/// All of a short text, otherwise its beginning.
std::int64_t prompt_of_text(const RunSpec& spec, data::Tokenizer* tokenizer) {
  std::error_code ignored;
  constexpr std::size_t kShort = std::size_t{1} << 20;
  if (tokenizer == nullptr || !std::filesystem::is_regular_file(spec.data, ignored)) return kUsualPrompt;
  if (std::filesystem::file_size(spec.data, ignored) > kShort) return kUsualPrompt;
  std::size_t replaced = 0;
  const auto tokens = tokenizer->encode(data::sanitize_utf8(read_file(spec.data, kShort), replaced)).size();
  return std::clamp<std::int64_t>(static_cast<std::int64_t>(tokens), 1, kUsualPrompt);
}

/// What was generated, in words where there is a tokenizer, else in numbers.
std::vector<std::string> texts_of(const MeasuredGeneration& measured, const data::Tokenizer* tokenizer) {
  std::vector<std::string> texts;
  for (const std::vector<std::int64_t>& ids : measured.tokens) {
    texts.push_back(tokenizer != nullptr ? on_one_line(data::Detokenizer(*tokenizer).decode(ids))
                                         : fmt::format("{}", fmt::join(ids, " ")));
  }
  return texts;
}

GenerationPlan plan_of(const RunSpec& spec, data::Tokenizer* tokenizer) {
  return {.batch = spec.options.batch,
          .prompt = spec.generate.prompt.value_or(spec.data.empty() ? kUsualPrompt : prompt_of_text(spec, tokenizer)),
          .tokens = spec.generate.tokens,
          .cache = spec.generate.cache.value_or(spec.replay ? CacheKind::kStatic : CacheKind::kDynamic),
          .sampling = spec.generate.sampling};
}

/// The device's limits, where they are wanted.
std::optional<DeviceLimits> limits_for(const RunSpec& spec, Flow& flow, const RunOptions& options) {
  if (!spec.limits || interrupted()) return std::nullopt;
  options.progress("device limits");
  return limits_of(flow, options, spec.fresh_limits);
}

/// What came of an option, whether or not it was given.
void set(const std::string& name, const std::string& value, Point& point) {
  if (point.setting(name).empty()) point.settings.emplace_back(name, value);
}

void add_note(const std::string& note, Point& point) {
  point.status.reason += (point.status.reason.empty() ? "" : "; ") + note;
}

std::vector<SampleSet> samples_of(const MeasuredGeneration& measured) {
  std::vector<SampleSet> samples;
  for (const Phase& phase : measured.record.phases) {
    samples.push_back({std::string(name_of(phase.kind)), phase.latency.samples_s});
  }
  const auto add = [&](const char* name, const std::vector<std::vector<double>>& runs) {
    for (std::size_t i = 0; i < runs.size(); ++i) samples.push_back({fmt::format("{}_{}", name, i + 1), runs[i]});
  };
  add("generation", measured.generation.tokens_s);
  add("replayed_generation", measured.generation.replayed_s);
  return samples;
}

}  // namespace

void check_generation(const RunSpec& spec) {
  Model model = find_model(spec.model);
  const std::unique_ptr<data::Tokenizer> tokenizer = tokenizer_of(spec, model);
  const GenerationGraphs graphs(std::move(model), spec.options, plan_of(spec, tokenizer.get()), spec.runtime.place);
}

void run_generation(const RunSpec& spec, const Progress& progress, Point& point) {
  const AnalysisOptions counting = analysis_options(spec.counting);
  Model model = find_model(spec.model);
  const std::unique_ptr<data::Tokenizer> tokenizer = tokenizer_of(spec, model);
  const GenerationPlan plan = plan_of(spec, tokenizer.get());
  GenerationGraphs graphs(std::move(model), spec.options, plan, spec.runtime.place);
  set("prompt", std::to_string(plan.prompt), point);
  set("cache", plan.cache == CacheKind::kStatic ? "static" : "dynamic", point);
  if (const auto whole = graphs.prompt()->attributes.find("not cut"); whole != graphs.prompt()->attributes.end()) {
    set(whole->first, whole->second, point);
  }
  PreparedWeights weights = prepare_weights(graphs.model(), *graphs.prompt(), spec.weights, spec.runtime.seed);
  if (spec.runtime.device.is_host()) check_host_memory(*graphs.prompt(), weights);
  const ReadPrompt read = read_prompt(spec, graphs.model(), *graphs.prompt(), plan);
  point.settings.emplace_back("weights", weights.source);
  point.settings.emplace_back("inputs", read.source);

  progress("loading " + spec.flow);
  Flow& flow = load_flow(spec.flow);
  point.settings.emplace_back("runtime", flow.info().version);
  RunOptions options(spec.runtime);
  options.progress = progress;
  if (spec.runtime.place.is_one_of_several()) {
    progress("waiting for the other ranks");
    flow.communicator(options);
  }
  progress("preparing weights");
  GenerationSessions sessions(graphs, flow, weights.tensors, options);
  weights.tensors.clear();
  RankedGeneration ranked(spec, graphs, sessions, flow, options);
  if (ranked.follows(read.prompt)) return;

  MeasuredGeneration measured = measure_generation(spec, graphs, ranked.steps(), read.prompt, progress);
  Record& record = measured.record;
  measured.generation.texts = texts_of(measured, tokenizer.get());
  record.devices.front().limits = limits_for(spec, flow, options);
  record.collectives = ranked.limits();
  std::vector<Analysis> analyses;
  for (std::size_t i = 0; i < record.phases.size(); ++i) analyses.push_back(analyse(record, counting, {.phase = i}));
  point.tables = make_generation_tables({record, measured.generation, analyses});
  ranked.finish(record, point);
  point.samples = samples_of(measured);
  if (!measured.no_replay.empty()) add_note("no replay: " + measured.no_replay, point);
  if (!measured.replay_agrees) add_note("the replay made other tokens than the steps launched one by one", point);
  if (record.incomplete || interrupted()) {
    point.status = {StatusKind::kIncomplete, "interrupted; the figures are of what was measured until then"};
  }
}

}  // namespace nongemm
