#include "passes/llm_int8.h"

#include <utility>
#include <vector>

#include "base/error.h"
#include "passes/quantized_layers.h"

namespace nongemm::passes {
namespace {

/// One layer on its way from its input to its result. Scopes mark the steps that are no group of their own as PyTorch's
/// operators (analysis/composite.cpp); what the host waits for and what multiplies stands outside of them.
class LayerBuilder {
 public:
  LayerBuilder(Builder& builder, const Graph& graph, const LinearLayer& layer, const std::vector<Tensor>& weight,
               double threshold)
      : b_(builder), values_(weight[0]), scales_(weight[1]), threshold_(threshold) {
    input_ = Tensor(&b_, layer.input);
    dtype_ = graph.values[graph.nodes[layer.node].outputs[0]].type.dtype;
    if (layer.bias != kNoId) bias_ = Tensor(&b_, layer.bias);
    if (weight.size() > 2) step_ = weight[2];
  }

  /// The input was measured: its values are whole steps. One of zeros alone may have any.
  void use_step(double step) { known_step_ = step > 0 ? step : 1.0; }

  /// bitsandbytes' MatMul8bitLt: int8_vectorwise_quant, int8_mixed_scaled_mm. The two dispatch what stands here.
  Tensor published() {
    const Tensor matrix = flat();
    const Tensor half =
        matrix.dtype() == DType::kFloat16 ? matrix : b_.call("aten.to.dtype", {matrix, DType::kFloat16});
    if (threshold_ <= 0) return unflat(scaled(b_.call_all("nongemm.int8_row_quantize.default", {half})));
    const Tensor mask = search(half);
    const Tensor found = host_asks("aten.is_nonzero.default", any(mask));
    const Tensor columns = outlier_columns(mask, found);
    const std::vector<Tensor> rows = b_.call_all("nongemm.int8_row_quantize.default", {half, threshold_});
    if (matrix.size(0) != 1) {
      const auto scope = b_.scope("outlier_search", "Int8OutlierSearch");
      const Tensor zero = b_.host_constant(HostTensor::from<std::int8_t>(DType::kInt8, {}, {0}));
      b_.call("aten.index_put_.default", {rows[0], std::vector<Tensor>{Tensor(), columns}, zero});
    }
    const std::vector<Tensor> parts = outlier_parts(matrix, columns, found);
    const Tensor result = scaled(rows);
    return unflat(b_.branch(
        found, 1.0,
        [&] {
          const auto scope = b_.scope("outlier_product", "Int8OutlierProduct");
          return std::vector{b_.call("aten.addmm.default", {result, parts[0], parts[1]})};
        },
        [&] { return std::vector{result}; })[0]);
  }

  Tensor decomposed() {
    const Tensor matrix = flat();
    if (threshold_ <= 0) return unflat(scaled(b_.call_all("nongemm.int8_row_quantize.default", {matrix})));
    const std::vector<Tensor> rows = b_.call_all("nongemm.int8_quantize.default", {matrix, threshold_});
    const Tensor result = scaled(rows);
    return unflat(
        b_.call("nongemm.add_outlier_product_.default", {result, matrix, rows[2], rows[3], values_, scales_}));
  }

  /// Of the input as it is: what layers that share it share, too.
  std::vector<Tensor> quantize_fused() {
    if (known_step_ > 0) {
      step_ = b_.constant(HostTensor::from<float>(DType::kFloat32, {}, {static_cast<float>(known_step_)}));
    }
    if (step_) return b_.call_all("nongemm.static_quantize.default", {input_, step_}, {{"dtype", DType::kInt8}});
    return threshold_ > 0 ? b_.call_all("nongemm.int8_quantize.default", {input_, threshold_})
                          : b_.call_all("nongemm.int8_row_quantize.default", {input_});
  }

  Tensor fused(const std::vector<Tensor>& rows) {
    if (threshold_ <= 0) {
      return b_.call("nongemm.int8_linear.default", {rows[0], values_, rows[1], scales_, bias_}, {{"dtype", dtype_}});
    }
    return b_.call("nongemm.int8_linear.default", {rows[0], values_, rows[1], scales_, bias_},
                   {{"input", input_}, {"outliers", rows[2]}, {"gathered", rows[3]}, {"dtype", dtype_}});
  }

 private:
  /// [rows, in]
  Tensor flat() {
    if (input_.rank() == 2) return input_;
    return b_.call("aten.reshape.default", {input_, Shape{-1, input_.size(-1)}});
  }

  Tensor unflat(const Tensor& result) {
    if (input_.rank() == 2) return result;
    Shape shape = input_.shape();
    shape.back() = result.size(-1);
    return b_.call("aten.reshape.default", {result, shape});
  }

  /// int32 products with both scales: int8_scaled_mm.
  Tensor scaled(const std::vector<Tensor>& rows) {
    const Tensor sums = b_.call("bitsandbytes.int8_linear_matmul.default", {rows[0], values_});
    return b_.call("bitsandbytes.int8_mm_dequant.default", {sums, rows[1], scales_, dtype_, bias_});
  }

  Tensor search(const Tensor& half) {
    const auto scope = b_.scope("outlier_search", "Int8OutlierSearch");
    return b_.call("aten.ge.Scalar", {b_.call("aten.abs.default", {half}), threshold_});
  }

  Tensor any(const Tensor& mask) {
    const auto scope = b_.scope("outlier_search", "Int8OutlierSearch");
    return b_.call("aten.any.default", {mask});
  }

  /// The host waits for the answer.
  Tensor host_asks(const char* op, const Tensor& of) {
    const auto scope = b_.scope("host_decision", "Int8HostDecision");
    return b_.call(op, {of});
  }

  Tensor any_in_column(const Tensor& mask) {
    const auto scope = b_.scope("outlier_search", "Int8OutlierSearch");
    return b_.call("aten.any.dim", {mask, 0});
  }

  Tensor outlier_columns(const Tensor& mask, const Tensor& found) {
    return b_.branch(
        found, 1.0,
        [&] {
          const Tensor at = host_asks("aten.nonzero.default", any_in_column(mask));
          return std::vector{b_.call("aten.view.default", {at, Shape{-1}})};
        },
        [&] {
          return std::vector{b_.call("aten.empty.memory_format", {Shape{0}}, {{"dtype", DType::kInt64}})};
        })[0];
  }

  /// The outlier columns of the input [rows, outliers] and of the weight [outliers, out], in the input's type.
  std::vector<Tensor> outlier_parts(const Tensor& matrix, const Tensor& columns, const Tensor& found) {
    const DType dtype = matrix.dtype();
    return b_.branch(
        found, 1.0,
        [&] {
          const auto scope = b_.scope("outlier_gather", "Int8OutlierGather");
          const std::vector<Tensor> at = {Tensor(), columns};
          const Tensor left = b_.call("aten.contiguous.default", {b_.call("aten.index.Tensor", {matrix, at})});
          const Tensor values = b_.call("aten.contiguous.default", {b_.call("aten.index.Tensor", {values_, at})});
          const Tensor by_row = b_.call("aten.view.default", {scales_, Shape{-1, 1}});
          constexpr double kPerStep = 7.874015718698502e-3;  // 1 / 127, as the original has it
          Tensor right = b_.call("aten.mul.Tensor", {b_.call("aten.mul.Tensor", {values, by_row}), kPerStep});
          if (right.dtype() != dtype) right = b_.call("aten.to.dtype", {right, dtype});
          return std::vector{left, b_.call("aten.t.default", {right})};
        },
        [&] {
          const auto none = [&](const Shape& shape) {
            return b_.call("aten.empty.memory_format", {shape}, {{"dtype", dtype}});
          };
          return std::vector{none({matrix.size(0), 0}), none({0, values_.size(0)})};
        });
  }

  Builder& b_;
  Tensor values_;  // int8 [out, in]
  Tensor scales_;  // [out]
  Tensor step_;    // of the input, where it was found before
  double known_step_ = 0;
  double threshold_;
  DType dtype_;
  Tensor input_;
  Tensor bias_;
};

/// What stands in a layer's place. @param shared rows of inputs that several layers have
Tensor layer_of(LayerBuilder& steps, const Builder& builder, const LinearLayer& layer, QuantizeWay way, bool own_step,
                SharedRows& shared) {
  if (way == QuantizeWay::kPublished) return steps.published();
  if (way == QuantizeWay::kDecomposed) return steps.decomposed();
  // A checkpoint's steps are each layer's own; those of calibration are their input's.
  if (own_step) return steps.fused(steps.quantize_fused());
  return steps.fused(shared.of(builder, layer.input, [&] { return steps.quantize_fused(); }));
}

std::vector<Tensor> int8_rows(Builder& builder, const LinearLayer& layer, WeightMaker& maker) {
  return maker.int8_rows(builder, layer);
}

}  // namespace

Graph llm_int8(const Graph& graph, const QuantizeOptions& options, const WeightSource& weights) {
  SharedRows shared(graph);
  return replace_layers(graph, options, "Linear8bitLt",
                        [&](Builder& builder, const LinearLayer& layer, WeightMaker& maker) {
                          const std::vector<Tensor> weight = weights(builder, layer, maker);
                          LayerBuilder steps(builder, graph, layer, weight, options.threshold);
                          return layer_of(steps, builder, layer, options.way, weight.size() > 2, shared);
                        });
}

Graph llm_int8(const Graph& graph, const QuantizeOptions& options) { return llm_int8(graph, options, int8_rows); }

QuantizeOptions without_outliers(QuantizeOptions options) {
  options.threshold = 0;
  options.way = QuantizeWay::kFused;
  return options;
}

Graph w8a8(const Graph& graph, const QuantizeOptions& options) { return llm_int8(graph, without_outliers(options)); }

Graph static_w8a8(const Graph& graph, const QuantizeOptions& options, const InputSteps& known) {
  const QuantizeOptions plain = without_outliers(options);
  SharedRows shared(graph);
  return replace_layers(graph, plain, "Linear8bitLt",
                        [&](Builder& builder, const LinearLayer& layer, WeightMaker& maker) {
                          const auto step = known.find(weight_name(graph, layer));
                          if (step == known.end()) {
                            throw Error(ErrorKind::kUsage,
                                        graph.name + ": no scale is known of the input of " + weight_name(graph, layer),
                                        "`nongemm run` and `nongemm export` find them");
                          }
                          LayerBuilder steps(builder, graph, layer, int8_rows(builder, layer, maker), plain.threshold);
                          steps.use_step(step->second);
                          return layer_of(steps, builder, layer, plain.way, /*own_step=*/false, shared);
                        });
}

}  // namespace nongemm::passes
