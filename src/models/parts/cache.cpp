#include "models/parts/cache.h"

#include "models/parts/functional.h"

namespace nongemm {

void append_to_empty_cache(Builder& builder, Tensor& key, Tensor& value) {
  const Tensor no_keys = builder.constant(HostTensor::allocate(key.dtype(), {0}).first);
  const Tensor no_values = builder.constant(HostTensor::allocate(value.dtype(), {0}).first);
  key = fn::cat({no_keys, key}, -2);
  value = fn::cat({no_values, value}, -2);
}

}  // namespace nongemm
