// Between the program's plain tensors and arguments and LibTorch's.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>

#include "base/tensor.h"
#include "graph/graph.h"
#include "ops/schema.h"

namespace nongemm::torch_flow {

c10::ScalarType to_torch(DType dtype);
DType from_torch(c10::ScalarType type);

/// On the CPU without a copy: the tensor keeps the host bytes alive.
at::Tensor to_torch(const HostTensor& tensor, c10::Device device);
HostTensor from_torch(const at::Tensor& tensor);
/// With the strides that the graph states for an input. A stride of 0 repeats what its first element holds.
at::Tensor laid_out(const at::Tensor& input, const Type& type);
Type type_of(const c10::IValue& value);

/// A number where an operator takes a tensor: it does not decide the result's type, as in Python.
at::Tensor wrapped_number(const c10::Scalar& number);

/// An argument that does not depend on the run. `device` stands in for an absent device.
c10::IValue constant_argument(const Argument& argument, const SchemaArg& schema, c10::Device device);

}  // namespace nongemm::torch_flow
