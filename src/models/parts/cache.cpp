#include "models/parts/cache.h"

#include "models/parts/functional.h"

namespace nongemm {

void append_to_empty_cache(Builder& builder, Tensor& key, Tensor& value, std::int64_t window) {
  const Tensor no_keys = builder.constant(HostTensor::allocate(key.dtype(), {0}).first);
  const Tensor no_values = builder.constant(HostTensor::allocate(value.dtype(), {0}).first);
  if (window > 0) {  // the first step puts the window's size where the keys are
    builder.call("aten.to.dtype_layout",
                 {builder.constant(HostTensor::from<std::int64_t>(DType::kInt64, {}, {window}))});
  }
  key = fn::cat({no_keys, key}, -2);
  value = fn::cat({no_values, value}, -2);
  if (window <= 1) return;
  fn::slice(key, 2, 1 - window, fn::kToEnd);  // what stays in the cache; this step attends to all
  fn::slice(value, 2, 1 - window, fn::kToEnd);
}

}  // namespace nongemm
