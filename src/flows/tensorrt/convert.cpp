#include "flows/tensorrt/convert.h"

#include <string>

#include "base/elements.h"
#include "base/error.h"

namespace nongemm::tensorrt {

HostTensor as_engine_has(const HostTensor& tensor, DType dtype) {
  if (is_floating(tensor.dtype) != is_floating(dtype) || is_complex(tensor.dtype) != is_complex(dtype) ||
      (dtype == DType::kBool && tensor.dtype != dtype)) {
    throw Error(ErrorKind::kUnsupported, "TensorRT's engine has " + std::string(name_of(dtype)) +
                                             " for a tensor of type " + std::string(name_of(tensor.dtype)));
  }
  return converted(tensor, dtype);
}

}  // namespace nongemm::tensorrt
