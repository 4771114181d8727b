#include "graph/graph.h"

#include <algorithm>

namespace nongemm {

std::string Graph::scope_path(ScopeId scope) const {
  std::string path;
  for (; scope != kRootScope; scope = scopes[scope].parent) {
    const std::string& name = scopes[scope].name;
    if (name.empty()) continue;
    path = path.empty() ? name : name + "." + path;
  }
  return path;
}

Shape contiguous_strides(const Shape& shape) {
  Shape strides(shape.size(), 1);
  for (std::size_t i = shape.size(); i-- > 1;) {
    const bool unknown = shape[i] == kDynamic || strides[i] == kDynamic;
    strides[i - 1] = unknown ? kDynamic : strides[i] * std::max<std::int64_t>(shape[i], 1);
  }
  return strides;
}

bool is_contiguous(const Type& type) {
  if (type.strides.empty()) return true;
  for (std::int64_t dim : type.shape) {
    if (dim == 0) return true;
  }
  std::int64_t expected = 1;
  for (std::size_t i = type.shape.size(); i-- > 0;) {
    if (type.shape[i] == 1) continue;
    if (type.strides[i] != expected) return false;
    if (type.shape[i] == kDynamic) return i == 0;
    expected *= type.shape[i];
  }
  return true;
}

}  // namespace nongemm
