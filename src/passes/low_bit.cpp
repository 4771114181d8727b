#include "passes/low_bit.h"

#include <vector>

#include "passes/quantized_layers.h"

namespace nongemm::passes {
namespace {

constexpr std::int64_t kGroup = 128;

Tensor bias_of(Builder& builder, const LinearLayer& layer) {
  return layer.bias == kNoId ? Tensor() : Tensor(&builder, layer.bias);
}

DType result_dtype(const Graph& graph, const LinearLayer& layer) {
  return graph.values[graph.nodes[layer.node].outputs[0]].type.dtype;
}

}  // namespace

Graph weight_only(const Graph& graph, const QuantizeOptions& options, std::int64_t bits, std::int64_t group,
                  const WeightSource& weights) {
  return replace_layers(graph, options, "", [&](Builder& builder, const LinearLayer& layer, WeightMaker& maker) {
    const std::vector<Tensor> weight = weights(builder, layer, maker);
    const std::int64_t columns = maker.sizes_of(layer).second;
    return builder.call("nongemm.grouped_linear.default",
                        {Tensor(&builder, layer.input), weight[0], weight[1], weight.size() > 2 ? weight[2] : Tensor(),
                         bias_of(builder, layer)},
                        {{"bits", bits}, {"group", group == 0 ? columns : group}});
  });
}

Graph w8(const Graph& graph, const QuantizeOptions& options) {
  return weight_only(graph, options, 8, kGroup, [](Builder& builder, const LinearLayer& layer, WeightMaker& maker) {
    return maker.grouped(builder, layer, 8, kGroup);
  });
}

Graph w4(const Graph& graph, const QuantizeOptions& options) {
  return weight_only(graph, options, 4, kGroup, [](Builder& builder, const LinearLayer& layer, WeightMaker& maker) {
    return maker.grouped(builder, layer, 4, kGroup);
  });
}

Graph fp8(const Graph& graph, const QuantizeOptions& options, const WeightSource& weights) {
  SharedRows shared(graph);
  return replace_layers(graph, options, "", [&](Builder& builder, const LinearLayer& layer, WeightMaker& maker) {
    const std::vector<Tensor> weight = weights(builder, layer, maker);
    const Tensor input(&builder, layer.input);
    std::vector<Tensor> rows;
    if (weight.size() > 2) {  // a step that was found before, each layer's own
      rows = builder.call_all("nongemm.static_quantize.default", {input, weight[2]}, {{"dtype", DType::kFloat8E4M3}});
    } else {
      rows = shared.of(builder, layer.input,
                       [&] { return builder.call_all("nongemm.fp8_row_quantize.default", {input}); });
    }
    return builder.call("nongemm.fp8_linear.default", {rows[0], weight[0], rows[1], weight[1], bias_of(builder, layer)},
                        {{"dtype", result_dtype(graph, layer)}});
  });
}

Graph fp8(const Graph& graph, const QuantizeOptions& options) {
  return fp8(graph, options, [](Builder& builder, const LinearLayer& layer, WeightMaker& maker) {
    return maker.fp8_rows(builder, layer);
  });
}

}  // namespace nongemm::passes
