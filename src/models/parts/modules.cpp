#include "models/parts/modules.h"

#include <cmath>

#include "models/parts/functional.h"

namespace nongemm::nn {

Tensor linear(Builder& builder, const std::string& name, const Tensor& input, std::int64_t out, InitSpec weight,
              bool bias) {
  const auto scope = builder.scope(name, "Linear");
  const Tensor w = builder.parameter("weight", {out, input.size(-1)}, weight);
  return fn::linear(input, w, bias ? builder.parameter("bias", {out}, InitSpec::constant(0)) : Tensor());
}

Tensor layer_norm(Builder& builder, const std::string& name, const Tensor& input, double epsilon) {
  const auto scope = builder.scope(name, "LayerNorm");
  const std::int64_t width = input.size(-1);
  const Tensor weight = builder.parameter("weight", {width}, InitSpec::constant(1));
  return fn::layer_norm(input, {width}, weight, builder.parameter("bias", {width}, InitSpec::constant(0)), epsilon);
}

Tensor embedding_table(Builder& builder, const std::string& name, std::int64_t rows, std::int64_t width,
                       InitSpec weight) {
  const auto scope = builder.scope(name, "Embedding");
  return builder.parameter("weight", {rows, width}, weight);
}

Tensor embedding(Builder& builder, const std::string& name, const Tensor& table, const Tensor& indices,
                 std::int64_t padding_index) {
  const auto scope = builder.scope(name, "Embedding");
  return fn::embedding(table, indices, padding_index);
}

Tensor conv2d(Builder& builder, const std::string& name, const Tensor& input, std::int64_t out,
              const Conv2dOptions& options) {
  const auto scope = builder.scope(name, "Conv2d");
  const Shape shape = {out, input.size(1) / options.groups, options.kernel[0], options.kernel[1]};
  const auto fan_in = static_cast<double>(shape[1] * shape[2] * shape[3]);
  const Tensor weight = builder.parameter("weight", shape, InitSpec::normal(0, 1.0 / std::sqrt(fan_in)));
  const Tensor bias = options.bias ? builder.parameter("bias", {out}, InitSpec::constant(0)) : Tensor();
  return fn::conv2d(input, weight, bias, options.stride, options.padding, options.dilation, options.groups);
}

InitSpec xavier_uniform(std::int64_t in, std::int64_t out) {
  const double bound = std::sqrt(6.0 / static_cast<double>(in + out));
  return InitSpec::uniform(-bound, bound);
}

}  // namespace nongemm::nn
