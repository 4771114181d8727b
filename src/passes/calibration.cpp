#include "passes/calibration.h"

#include <algorithm>
#include <cmath>

#include "base/elements.h"
#include "base/error.h"
#include "passes/quantized_layers.h"
#include "passes/rewrite.h"

namespace nongemm::passes {
namespace {

/// The same product. A weight that is stored as [in, out] is transposed for it.
Tensor as_it_is(Builder& builder, const LinearLayer& layer) {
  Tensor weight(&builder, layer.weight);
  if (layer.transposed) weight = builder.call("aten.t.default", {weight});
  const Tensor bias = layer.bias == kNoId ? Tensor() : Tensor(&builder, layer.bias);
  return builder.call("aten.linear.default", {Tensor(&builder, layer.input), weight, bias});
}

}  // namespace

Graph with_magnitudes(const Graph& graph, const QuantizeOptions& options) {
  const auto dtype = graph.attributes.find("dtype");
  std::map<NodeId, Replacement> replacements;
  for (const LinearLayer& layer : layers_to_quantize(graph, options)) {
    const std::string name = weight_name(graph, layer);
    replacements[layer.node] = [layer, name](Builder& builder) {
      if (builder.block() != kBodyBlock) {
        throw Error(ErrorKind::kUnsupported,
                    "the layer of " + name + " is in a branch or a loop: its input may never come",
                    "leave it out (--quantize-skip), or --set quantize.activations=dynamic");
      }
      const Tensor magnitudes = builder.call("aten.abs.default", {Tensor(&builder, layer.input)});
      builder.output(name, builder.call("aten.amax.default", {magnitudes}));
      return as_it_is(builder, layer);
    };
  }
  Graph copy = graph;
  copy.outputs.clear();
  const DType type =
      dtype != graph.attributes.end() ? parse_dtype(dtype->second).value_or(DType::kFloat32) : DType::kFloat32;
  return replace_nodes(std::move(copy), type, replacements);
}

void add_steps(const Graph& magnitudes, const std::vector<HostTensor>& outputs, InputSteps& steps) {
  constexpr double kSteps = 127;
  for (std::size_t i = 0; i < magnitudes.outputs.size(); ++i) {
    const std::string& name = magnitudes.outputs[i].name;
    const double largest = element(outputs.at(i), 0);
    if (!std::isfinite(largest)) {
      throw Error(ErrorKind::kBadInput, "the input of the layer of " + name + " is not finite, and gives no scale",
                  "give other inputs (--data, --inputs), or leave the layer out (--quantize-skip)");
    }
    double& step = steps[name];
    step = std::max(step, largest / kSteps);
  }
}

}  // namespace nongemm::passes
