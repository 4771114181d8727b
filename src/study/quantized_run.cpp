#include "study/quantized_run.h"

#include <cmath>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/statistics.h"
#include "flows/options.h"
#include "report/quantization_sections.h"
#include "study/build.h"
#include "verify/compare_outputs.h"
#include "verify/perplexity.h"

namespace nongemm {
namespace {

bool is_quantized(const RunSpec& spec) { return spec.options.quantize.scheme != QuantizeScheme::kNone; }

/// Whether the quantized graph can be built; what is wrong with it is told when its own turn comes.
bool can_be_built(RunSpec spec) {
  spec.data.clear();  // only names, and which layers there are, matter here
  spec.inputs.clear();
  spec.activations = QuantizeActivations::kDynamic;  // no scales have to be found
  try {
    build_model(spec, [](const std::string&) {});
    return true;
  } catch (const Error&) {
    return false;
  }
}

std::string key_as_it_is(RunSpec spec) {
  spec.options.quantize = {};
  return option_table().key_of(kRun, {.run = std::move(spec)});
}

Unquantized figures_of(const AnalysedRun& analysed, const std::optional<Perplexity>& perplexity) {
  const auto& memory = analysed.record.phases.front().devices.front().memory;
  return {.latency_s = median(analysed.record.phases.front().latency.samples_s),
          .peak_bytes = memory ? std::optional(static_cast<double>(memory->peak)) : std::nullopt,
          .weight_bytes = analysed.analysis.weight_bytes,
          .analysis = analysed.analysis,
          .perplexity = perplexity ? std::optional(perplexity->value) : std::nullopt,
          .perplexity_tokens = perplexity ? perplexity->tokens : 0};
}

/// Takes inferences over the text: when everything else of the session is done.
std::optional<Perplexity> perplexity_of(const RunSpec& spec, const BuiltModel& built, Session& session,
                                        const Progress& progress) {
  if (spec.data.empty() || spec.perplexity_tokens == 0) return std::nullopt;
  progress("perplexity of the text");
  return perplexity_of_text(built.model, *built.graph, session, spec.data, spec.weights, spec.options,
                            spec.perplexity_tokens);
}

std::vector<HostTensor> outputs_of(Session& session) {
  session.run();
  return session.outputs();
}

/// Of the first floating-point output that can be compared.
void compare(const Graph& graph, const std::vector<HostTensor>& before, const std::vector<HostTensor>& after,
             QuantizationFigures& figures) {
  const std::vector<OutputDifference> rows = compare_outputs(graph, before, after);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!rows[i].mismatch.empty() || !is_floating(before[i].dtype)) continue;
    figures.output_error = rows[i].rms_relative;
    figures.largest_error = rows[i].largest_absolute;
    return;
  }
}

Table products_table(const Graph& graph, const AnalysedRun& analysed) {
  const NodePass& pass = analysed.record.phases.front().devices.front().nodes;
  return make_products_table(quantized_products(graph, analysed.analysis, pass.kernels));
}

}  // namespace

std::vector<Request> with_unquantized(std::vector<Request> points) {
  std::set<std::string> there;
  std::vector<Request> all;
  for (Request& point : points) {
    const std::string key = key_as_it_is(point.run);
    if (!there.contains(key) && is_quantized(point.run) && can_be_built(point.run)) {
      there.insert(key);
      Request as_it_is = point;
      as_it_is.run.options.quantize = {};
      all.push_back(std::move(as_it_is));
    }
    if (!is_quantized(point.run)) there.insert(key);
    all.push_back(std::move(point));
  }
  return all;
}

std::vector<Table> compare_with_unquantized(const RunSpec& spec, const BuiltModel& built, const AnalysedRun& analysed,
                                            Session& session, const Progress& progress, Baseline& baseline) {
  const Graph& graph = *built.graph;
  if (analysed.record.incomplete) return {};
  const std::string key = key_as_it_is(spec);
  std::vector<Table> tables;
  if (!is_quantized(spec)) {
    if (baseline.wants_as_it_is()) {
      std::vector<HostTensor> outputs = outputs_of(session);
      const auto perplexity = perplexity_of(spec, built, session, progress);
      baseline.set_as_it_is({key, figures_of(analysed, perplexity), std::move(outputs)});
    }
  } else if (const AsItIs* before = baseline.as_it_is(key)) {
    const std::vector<HostTensor> outputs = outputs_of(session);
    const auto perplexity = perplexity_of(spec, built, session, progress);
    QuantizationFigures figures = quantization_figures(before->figures, figures_of(analysed, perplexity));
    compare(graph, before->outputs, outputs, figures);
    tables = make_quantization_tables(figures);
  }
  // A checkpoint may be quantized without being asked for.
  if (graph.attributes.contains("quantize")) tables.push_back(products_table(graph, analysed));
  return tables;
}

}  // namespace nongemm
