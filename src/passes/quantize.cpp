#include "passes/quantize.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"
#include "passes/llm_int8.h"
#include "passes/low_bit.h"

namespace nongemm::passes {
namespace {

std::string_view id_of(QuantizeWay way) {
  switch (way) {
    case QuantizeWay::kPublished:
      return "published";
    case QuantizeWay::kDecomposed:
      return "decomposed";
    case QuantizeWay::kFused:
      return "fused";
  }
  return "";
}

}  // namespace

std::span<const Scheme> schemes() {
  static constexpr std::array kSchemes = {
      Scheme{QuantizeScheme::kLlmInt8, "llm.int8", llm_int8},
      Scheme{QuantizeScheme::kW8a8, "w8a8", w8a8},
      Scheme{QuantizeScheme::kW8, "w8", w8},
      Scheme{QuantizeScheme::kW4, "w4", w4},
      Scheme{QuantizeScheme::kFp8, "fp8", fp8},
  };
  return kSchemes;
}

void describe(const QuantizeOptions& options, Graph& graph) {
  for (const Scheme& row : schemes()) {
    if (row.scheme == options.scheme) graph.attributes["quantize"] = row.id;
  }
  if (options.scheme == QuantizeScheme::kLlmInt8) graph.attributes["quantize.way"] = id_of(options.way);
}

Graph quantize(Graph graph, const QuantizeOptions& options) {
  if (options.scheme == QuantizeScheme::kNone) return graph;
  if (!(options.threshold >= 0) || std::isinf(options.threshold)) {
    throw Error(ErrorKind::kUsage, "quantize.threshold is not a number of 0 or more");
  }
  const auto scheme =
      std::find_if(schemes().begin(), schemes().end(), [&](const Scheme& row) { return row.scheme == options.scheme; });
  Graph result = scheme->apply(graph, options);
  describe(options, result);
  return result;
}

Graph quantize(const Graph& graph, const QuantizeOptions& options, const InputSteps& steps) {
  if (options.scheme != QuantizeScheme::kW8a8) {
    throw Error(ErrorKind::kUsage, "w8a8 alone has static activations", "add --quantize w8a8");
  }
  Graph result = static_w8a8(graph, options, steps);
  describe(options, result);
  result.attributes["quantize.activations"] = "static";
  return result;
}

}  // namespace nongemm::passes
