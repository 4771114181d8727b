#include "microbench/call.h"

#include <fmt/format.h>

#include "microbench/operand_text.h"
#include "ops/rules.h"

namespace nongemm::microbench {
namespace {

template <typename Visit>
void for_each_tensor(const Call& call, Visit&& visit) {
  for (const Operand& operand : call.operands) {
    if (const auto* tensor = std::get_if<TensorSpec>(&operand)) visit(*tensor);
    const auto* list = std::get_if<TensorList>(&operand);
    for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
      if ((*list)[i]) visit(*(*list)[i]);
    }
  }
}

const TensorSpec* first_tensor(const Call& call) {
  const TensorSpec* first = nullptr;
  for_each_tensor(call, [&](const TensorSpec& tensor) {
    if (first == nullptr) first = &tensor;
  });
  return first;
}

}  // namespace

std::string shapes_text(const Call& call) {
  constexpr int kMost = 6;  // a cat of many tensors is said by its first ones
  std::string text;
  int count = 0;
  for_each_tensor(call, [&](const TensorSpec& tensor) {
    if (++count <= kMost) text += (text.empty() ? "" : " x ") + to_string(tensor.shape);
  });
  return count > kMost ? text + " x ..." : text;
}

std::string attributes_text(const Call& call) {
  std::string text;
  for (std::size_t i = 0; i < call.operands.size(); ++i) {
    const auto* value = std::get_if<Argument>(&call.operands[i]);
    const SchemaArg& arg = call.info.schema.args[i];
    if (value == nullptr || std::holds_alternative<std::monostate>(*value)) continue;
    if (arg.has_default && arg.default_value == *value) continue;
    text += (text.empty() ? "" : ", ") + arg.name + "=" + argument_text(*value);
  }
  return text;
}

DType dtype_of(const Call& call) {
  const TensorSpec* tensor = first_tensor(call);
  if (tensor != nullptr) return tensor->dtype;
  for (const Operand& operand : call.operands) {  // arange, full
    const auto* value = std::get_if<Argument>(&operand);
    if (value != nullptr && std::holds_alternative<DType>(*value)) return std::get<DType>(*value);
  }
  return DType::kFloat32;
}

std::string layout_text(const Call& call) {
  const TensorSpec* tensor = first_tensor(call);
  return tensor != nullptr ? layout_of(*tensor) : "contiguous";
}

std::string key_of(const Call& call) {
  std::string key = call.info.name;
  const auto add = [&](const TensorSpec& tensor) {
    key += fmt::format("|{} {}", shape_text(tensor.shape), name_of(tensor.dtype));
    if (layout_of(tensor) != "contiguous") key += " " + layout_of(tensor);
  };
  for (const Operand& operand : call.operands) {
    if (const auto* tensor = std::get_if<TensorSpec>(&operand)) {
      add(*tensor);
    } else if (const auto* list = std::get_if<TensorList>(&operand)) {
      key += "|[";
      for (const auto& element : *list) element ? add(*element) : void(key += "|none");
      key += "]";
    } else {
      const Argument& value = std::get<Argument>(operand);
      // A text and a number that look alike are different values.
      key += fmt::format("|{}:{}", value.index(), argument_text(value));
    }
  }
  return key;
}

double operand_bytes(const Call& call) {
  double bytes = 0;
  for_each_tensor(call, [&](const TensorSpec& tensor) {
    double count = 1;
    for (const std::int64_t dim : tensor.shape) count *= static_cast<double>(dim);
    bytes += count * static_cast<double>(size_of(tensor.dtype));
  });
  return bytes;
}

}  // namespace nongemm::microbench
