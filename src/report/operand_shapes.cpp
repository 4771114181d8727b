#include "report/operand_shapes.h"

#include <algorithm>

#include "analysis/buckets.h"
#include "base/tensor.h"

namespace nongemm {

std::string operand_shapes(const std::vector<Type>& operands) {
  std::string text;
  for (std::size_t i = 0; i < std::min(operands.size(), kMostOperands); ++i) {
    text += (i == 0 ? "" : " x ") + to_string(operands[i].shape);
  }
  return operands.size() > kMostOperands ? text + " x ..." : text;
}

std::string result_shapes(const std::vector<Type>& results) {
  constexpr std::size_t kMost = 4;  // a split into many pieces is said by its first ones
  std::string text;
  for (std::size_t i = 0; i < std::min(results.size(), kMost); ++i) {
    const Type& type = results[i];
    const bool list = type.kind == Type::Kind::kTensorList;
    const bool tensor = type.kind == Type::Kind::kTensor || list;
    text += std::string(i == 0 ? "" : ", ") + (list ? "list of " : "") + (tensor ? to_string(type.shape) : "number");
  }
  return results.size() > kMost ? text + ", ..." : text;
}

std::string_view dtype_text(DType dtype) { return dtype == DType::kUndefined ? "" : name_of(dtype); }

}  // namespace nongemm
