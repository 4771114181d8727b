// torch.nn modules that hold parameters, by their names: each opens its scope, declares its parameters and calls the
// operator that its forward() dispatches.
#pragma once

#include <string>

#include "ops/builder.h"

namespace nongemm::nn {

/// nn.Linear: weight [out, in], bias [out].
Tensor linear(Builder& builder, const std::string& name, const Tensor& input, std::int64_t out,
              InitSpec weight = InitSpec::normal(0, 0.02), bool bias = true);

/// nn.LayerNorm over the last dimension.
Tensor layer_norm(Builder& builder, const std::string& name, const Tensor& input, double epsilon);

/// nn.Embedding's table [rows, width], without a call.
Tensor embedding_table(Builder& builder, const std::string& name, std::int64_t rows, std::int64_t width,
                       InitSpec weight = InitSpec::normal(0, 0.02));

/// nn.Embedding: indices [..] -> [.., width]
Tensor embedding(Builder& builder, const std::string& name, const Tensor& table, const Tensor& indices,
                 std::int64_t padding_index = -1);

struct Conv2dOptions {
  Shape kernel;  // {height, width}
  Shape stride = {1, 1};
  Shape padding = {0, 0};
  Shape dilation = {1, 1};
  std::int64_t groups = 1;
  bool bias = true;
};

/// nn.Conv2d: weight [out, in / groups, height, width], bias [out]; drawn so that the output has the input's scale.
Tensor conv2d(Builder& builder, const std::string& name, const Tensor& input, std::int64_t out,
              const Conv2dOptions& options);

/// The bounds of Xavier's uniform initialization of a linear layer.
InitSpec xavier_uniform(std::int64_t in, std::int64_t out);

}  // namespace nongemm::nn
