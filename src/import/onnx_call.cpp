#include "import/onnx_call.h"

#include <algorithm>

#include "base/error.h"

namespace nongemm::onnx {

Tensor OnnxCall::tensor(std::size_t i) {
  const std::string& name = node_.inputs.at(i);
  if (const auto at = names_.tensors.find(name); at != names_.tensors.end()) return at->second;
  Tensor made;
  if (const auto weight = names_.initializers.find(name); weight != names_.initializers.end()) {
    made = builder_.buffer(name, weight->second->dtype, weight->second->shape, {});
    builder_.graph().weights.back().buffer = false;
  } else if (const auto known = names_.known.find(name); known != names_.known.end()) {
    made = builder_.constant(tensor_of(known->second));
  } else {
    throw Error(ErrorKind::kBadInput, "uses '" + name + "' before its definition");
  }
  names_.tensors[name] = made;
  return made;
}

const KnownValue* OnnxCall::known(std::size_t i) const {
  if (!has(i)) return nullptr;
  const auto at = names_.known.find(node_.inputs[i]);
  return at == names_.known.end() ? nullptr : &at->second;
}

Arg OnnxCall::operand(std::size_t i) {
  const KnownValue* value = known(i);
  const std::size_t other = i == 0 ? 1 : 0;
  if (value == nullptr || value->numbers.size() != 1 || known(other) != nullptr) return tensor(i);
  // A number takes the other operand's type; its shape must not add dimensions.
  const Tensor partner = tensor(other);
  if (partner.dtype() != value->dtype || value->shape.size() > partner.shape().size()) return tensor(i);
  if (is_floating(value->dtype)) return value->numbers[0];
  if (value->dtype == DType::kBool) return value->numbers[0] != 0;
  return value->integers()[0];
}

std::int64_t OnnxCall::integer(std::string_view name, std::int64_t otherwise) const {
  const Attribute* attribute = node_.find(name);
  const auto* value = attribute == nullptr ? nullptr : std::get_if<std::int64_t>(&attribute->value);
  return value == nullptr ? otherwise : *value;
}

double OnnxCall::number(std::string_view name, double otherwise) const {
  const Attribute* attribute = node_.find(name);
  const auto* value = attribute == nullptr ? nullptr : std::get_if<double>(&attribute->value);
  return value == nullptr ? otherwise : *value;
}

std::string OnnxCall::text(std::string_view name, std::string_view otherwise) const {
  const Attribute* attribute = node_.find(name);
  const auto* value = attribute == nullptr ? nullptr : std::get_if<std::string>(&attribute->value);
  return value == nullptr ? std::string(otherwise) : *value;
}

std::optional<std::vector<std::int64_t>> OnnxCall::integers(std::string_view name) const {
  const Attribute* attribute = node_.find(name);
  const auto* value = attribute == nullptr ? nullptr : std::get_if<std::vector<std::int64_t>>(&attribute->value);
  return value == nullptr ? std::nullopt : std::optional(*value);
}

std::optional<std::vector<std::int64_t>> OnnxCall::integers(std::string_view name, std::size_t input) const {
  if (has(input)) {
    const KnownValue* value = known(input);
    if (value == nullptr) throw NotMapped();
    return value->integers();
  }
  return integers(name);
}

void OnnxCall::give(const Tensor& result, std::size_t output) {
  if (output < node_.outputs.size()) names_.tensors[node_.outputs[output]] = result;
}

void OnnxCall::give_known(KnownValue value, std::size_t output) {
  if (output < node_.outputs.size()) names_.known[node_.outputs[output]] = std::move(value);
}

const OnnxRule* find_rule(const ReadNode& node) {
  if (!node.domain.empty() || node.has_graph) return nullptr;
  for (const std::span<const OnnxRule> rules : {elementwise_rules(), layout_rules(), layer_rules()}) {
    const auto at =
        std::find_if(rules.begin(), rules.end(), [&](const OnnxRule& rule) { return rule.type == node.type; });
    if (at != rules.end()) return &*at;
  }
  return nullptr;
}

}  // namespace nongemm::onnx
