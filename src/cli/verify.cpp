// nongemm verify FOLDER...
#include <fmt/format.h>

#include <filesystem>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/message.h"
#include "base/text.h"
#include "cli/command.h"
#include "flows/load.h"
#include "study/build.h"
#include "study/ranks.h"
#include "verify/compare_outputs.h"
#include "verify/generation.h"
#include "verify/quantized_layers.h"

namespace nongemm::cli {
namespace {

/// Of outputs held against references.
constexpr double kTolerance = 1e-4;

/// Of generated tokens' logits, which stand on all steps before.
constexpr double kGenerationTolerance = 1e-3;

/// Of flows compared with each other: fp16 keeps three digits, and a deep model loses some of them.
double allowed_rms(DType dtype) { return dtype == DType::kFloat32 ? 1e-3 : 2e-2; }

/// Of quantized models against the original's: an activation in the last bit may round to another value, and equally
/// right implementations differ by up to 1.4 %.
constexpr double kQuantizedRms = 2e-2;

bool is_quantized(const Request& request) { return request.run.options.quantize.scheme != QuantizeScheme::kNone; }

/// A folder with the references of a generation, verified by itself.
bool is_generation(const Request& request) {
  return request.verified.against.empty() && holds_generation(request.run.model);
}

std::vector<OutputDifference> differences(const Request& request) {
  Flow& flow = load_flow(request.run.flow);
  const RunOptions run(request.run.runtime);
  const std::string& against = request.verified.against;
  if (is_generation(request)) {
    return verify_generation(request.run.model, flow, run, request.run.options,
                             request.run.generate.cache.value_or(CacheKind::kDynamic));
  }
  if (against.empty()) return verify_folder(request.run.model, flow, run, request.run.options);
  return compare_flows(find_model(request.run.model), request.run.options, flow, load_flow(against), run);
}

/// @param otherwise the tolerance where none is given
bool is_within(const OutputDifference& row, const Request& request, double otherwise) {
  if (!row.mismatch.empty()) return false;
  const std::optional<double>& tolerance = request.verified.tolerance;
  if (!request.verified.against.empty() && !tolerance)
    return row.rms_relative <= allowed_rms(request.run.options.dtype);
  if (is_quantized(request) && !tolerance) return row.rms_relative <= kQuantizedRms;
  return row.largest_absolute <= allowed_difference(row, tolerance.value_or(otherwise));
}

/// Single layers of LLM.int8, where there are references of them.
bool verify_layers(const Request& request) {
  const QuantizeOptions& options = request.run.options.quantize;
  if (options.scheme != QuantizeScheme::kLlmInt8 || !request.verified.against.empty()) return true;
  Flow& flow = load_flow(request.run.flow);
  const RunOptions run(request.run.runtime);
  bool all_within = true;
  for (const auto& check : holds_quantized_layers(request.run.model)
                               ? verify_quantized_layers(request.run.model, flow, run, options)
                               : verify_layers_of_model(request.run.model, flow, run, options)) {
    all_within = all_within && check.within;
    fmt::print("{}  {}  {}  {}: {}\n", check.within ? "ok  " : "FAIL", request.run.model, check.layer, check.what,
               check.found);
  }
  return all_within;
}

/// Whether all outputs are as they should be.
bool verify(const Request& request) {
  bool all_within = verify_layers(request);
  if (request.run.options.quantize.scheme == QuantizeScheme::kLlmInt8 && holds_quantized_layers(request.run.model)) {
    return all_within;
  }
  const double otherwise = is_generation(request) ? kGenerationTolerance : kTolerance;
  for (const OutputDifference& row : differences(request)) {
    const bool within = is_within(row, request, otherwise);
    all_within = all_within && within;
    if (row.mismatch.empty()) {
      fmt::print("{}  {}  {} {}  max |difference| {:.3g}, relative {:.3g}, rms {:.3g}\n", within ? "ok  " : "FAIL",
                 request.run.model, on_one_line(row.name), to_string(row.shape), row.largest_absolute,
                 row.largest_relative, row.rms_relative);
    } else {
      fmt::print("FAIL  {}  {}  {}\n", request.run.model, on_one_line(row.name), on_one_line(row.mismatch));
    }
    if (!within)
      say(fmt::format("nongemm: {}: output {} is not as it should be\n", request.run.model, on_one_line(row.name)));
  }
  return all_within;
}

/// What is wrong with the model is told once, and not by each rank.
void check_cut(const Request& request) {
  const std::filesystem::path path = request.run.model;
  const bool is_built = !std::filesystem::exists(path) || std::filesystem::exists(path / "config.json");
  if (is_built) (void)build_model(request.run, [](const std::string&) {});
}

/// By as many processes; what the first one prints is shown. Every rank holds its outputs against the references.
bool verify_by_ranks(const Request& request) {
  check_cut(request);
  std::vector<std::string> words = option_table().words_of(kVerify, request);
  // What becomes of outputs is no part of a run's words.
  const VerifyRequest& verified = request.verified;
  if (!verified.against.empty()) words.insert(words.end(), {"--against", verified.against});
  if (verified.tolerance) words.insert(words.end(), {"--tolerance", fmt::format("{}", *verified.tolerance)});
  const RanksEnd end = run_ranks(words, request.run.runtime.place, /*journals=*/false, /*most_seconds=*/0);
  fmt::print("{}", end.ranks.front().printed);
  if (end.failure.empty()) return true;
  throw Error(ErrorKind::kFailed, end.failure);
}

bool verify_at_place(Request request) {
  const RankPlace wanted = request.run.runtime.place;
  if (!wanted.is_one_of_several()) return verify(request);
  const std::optional<RankPlace> place = place_of_process(wanted);
  if (!place) return verify_by_ranks(request);
  request.run = at_place(std::move(request.run), *place);
  return verify(request);
}

/// Options without effect are refused.
void check(const std::vector<Request>& points, const Selection& selection) {
  const Request& first = points.front();
  if (is_given(selection, "dtype") && first.verified.against.empty()) {
    throw Error(ErrorKind::kUsage, "--dtype has no effect: references have a type of their own", "add --against FLOW");
  }
  for (const Request& point : points) {
    const bool same = point.verified.against == point.run.flow;
    if (!same || point.run.runtime.place.is_one_of_several()) continue;
    throw Error(ErrorKind::kUsage, "--against " + point.run.flow + " compares the flow with itself",
                "name another with --flow or --against, or several ranks to be held against one");
  }
}

}  // namespace

ExitCode verify_command(const Selection& selection) {
  const std::vector<Request> points = option_table().points(kVerify, selection);
  check(points, selection);
  bool all_within = true;
  for (const Request& point : points) {
    try {
      all_within = verify_at_place(point) && all_within;
    } catch (const Error& error) {
      if (points.size() == 1) throw;
      all_within = false;
      fmt::print("FAIL  {}  {}\n", point.run.model, error.what());
      say(fmt::format("nongemm: {}: {}\n", point.run.model, error.what()));
    }
  }
  return all_within ? kSuccess : kFailure;
}

}  // namespace nongemm::cli
