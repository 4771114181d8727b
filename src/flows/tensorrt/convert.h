// Tensors of the graph's types and those that TensorRT has for them: before version 10 there is no int64.
#pragma once

#include "base/tensor.h"

namespace nongemm::tensorrt {

/// The same values as another type, sharing the bytes when it is the same type. Integers that do not fit become the
/// nearest that does.
/// @throws Error (kUnsupported) between types that hold different things
HostTensor as_engine_has(const HostTensor& tensor, DType dtype);

}  // namespace nongemm::tensorrt
