#include "study/generation_point.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "analysis/roofline.h"
#include "base/error.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "data/text/detokenizer.h"
#include "flows/load.h"
#include "report/generation_sections.h"
#include "study/counting.h"
#include "study/generation_measure.h"
#include "study/generation_prompt.h"
#include "study/limits_cache.h"
#include "study/ranked_generation.h"

namespace nongemm {
namespace {

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

/// What was generated, in words where there is a tokenizer, else in numbers.
std::vector<std::string> texts_of(const MeasuredGeneration& measured, const data::Tokenizer* tokenizer) {
  std::vector<std::string> texts;
  for (const std::vector<std::int64_t>& ids : measured.tokens) {
    texts.push_back(tokenizer != nullptr ? on_one_line(data::Detokenizer(*tokenizer).decode(ids))
                                         : fmt::format("{}", fmt::join(ids, " ")));
  }
  return texts;
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

GenerationGraphs graphs_of(const RunSpec& spec, Model model, const PromptRequest& request) {
  ModelOptions built_for = spec.options;
  built_for.padding = request.padding;
  return {std::move(model), built_for, request.plan, spec.runtime.place};
}

}  // namespace

void check_generation(const RunSpec& spec) {
  Model model = find_model(spec.model);
  const std::unique_ptr<data::Tokenizer> tokenizer = tokenizer_of(spec, model);
  const PromptRequest request = prompt_request(spec, model, tokenizer.get());
  graphs_of(spec, std::move(model), request);
}

void run_generation(const RunSpec& spec, const Progress& progress, Point& point) {
  const AnalysisOptions counting = analysis_options(spec.counting);
  Model model = find_model(spec.model);
  const std::unique_ptr<data::Tokenizer> tokenizer = tokenizer_of(spec, model);
  const PromptRequest request = prompt_request(spec, model, tokenizer.get());
  const GenerationPlan& plan = request.plan;
  GenerationGraphs graphs = graphs_of(spec, std::move(model), request);
  set("prompt", std::to_string(plan.prompt), point);
  set("cache", plan.cache == CacheKind::kStatic ? "static" : "dynamic", point);
  if (const auto whole = graphs.prompt()->attributes.find("not cut"); whole != graphs.prompt()->attributes.end()) {
    set(whole->first, whole->second, point);
  }
  PreparedWeights weights = prepare_weights(graphs.model(), *graphs.prompt(), spec.weights, spec.runtime.seed);
  if (spec.runtime.device.is_host()) check_host_memory(*graphs.prompt(), weights);
  const ReadPrompt read = read_prompt(spec, graphs.model(), *graphs.prompt(), request);
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
