#include "import/onnx/call.h"

#include <algorithm>
#include <limits>

#include "base/error.h"

namespace nongemm::onnx {

OnnxNames::Guard OnnxNames::enter(const ReadGraph& graph, const std::vector<Attribute>* attributes) {
  Frame frame;
  frame.graph = &graph;
  frame.attributes = attributes;
  for (const auto& [name, tensor] : graph.initializers) {
    frame.initializers[name] = &tensor;
    if (std::optional<KnownValue> value = known_value(tensor)) frame.known[name] = std::move(*value);
  }
  frames_.push_back(std::move(frame));
  return Guard(*this);
}

std::pair<OnnxNames::Frame*, const std::string*> OnnxNames::find(const std::string& name) {
  const std::string* known_as = &name;
  for (std::size_t i = frames_.size(); i-- > 0;) {
    Frame& frame = frames_[i];
    if (const auto alias = frame.aliases.find(*known_as); alias != frame.aliases.end()) {
      known_as = &alias->second;
    } else if (frame.tensors.contains(*known_as) || frame.known.contains(*known_as) ||
               frame.initializers.contains(*known_as)) {
      return {&frame, known_as};
    } else if (frame.attributes != nullptr) {
      break;
    }
  }
  return {nullptr, nullptr};
}

bool OnnxNames::left_out(const std::string& name) const {
  const std::string* known_as = &name;
  for (std::size_t i = frames_.size(); i-- > 0 && !known_as->empty();) {
    const auto alias = frames_[i].aliases.find(*known_as);
    if (alias != frames_[i].aliases.end()) {
      known_as = &alias->second;
    } else if (frames_[i].attributes != nullptr) {
      break;
    }
  }
  return known_as->empty();
}

const std::vector<Attribute>* OnnxNames::attributes() const {
  for (std::size_t i = frames_.size(); i-- > 0;) {
    if (frames_[i].attributes != nullptr) return frames_[i].attributes;
  }
  return nullptr;
}

const ReadValue* OnnxNames::stated(const std::string& name) const {
  const auto& values = frames_.back().graph->values;
  const auto at = values.find(name);
  return at == values.end() ? nullptr : &at->second;
}

Tensor OnnxCall::any_tensor(const std::string& name) {
  const auto [frame, known_as] = names_.find(name);
  if (frame == nullptr) throw Error(ErrorKind::kBadInput, "uses '" + name + "' before its definition");
  if (const auto at = frame->tensors.find(*known_as); at != frame->tensors.end()) return at->second;
  Tensor made;
  if (const auto weight = frame->initializers.find(*known_as); weight != frame->initializers.end()) {
    const HostTensor& tensor = *weight->second;
    if (tensor.dtype == DType::kUndefined) return {};
    if (frame == &names_.outer()) {
      made = builder_.buffer(*known_as, tensor.dtype, tensor.shape, {});
      builder_.graph().weights.back().buffer = false;
    } else {
      made = builder_.constant(tensor);
    }
  } else {
    made = builder_.constant(tensor_of(frame->known.at(*known_as)));
  }
  frame->tensors[*known_as] = made;
  return made;
}

Tensor OnnxCall::tensor(std::size_t i) {
  const Tensor tensor = any_tensor(node_.inputs.at(i));
  if (!tensor || tensor.dtype() == DType::kUndefined) throw NotMapped();
  return tensor;
}

const KnownValue* OnnxCall::known(std::size_t i) const {
  if (!has(i)) return nullptr;
  const auto [frame, known_as] = names_.find(node_.inputs[i]);
  if (frame == nullptr) return nullptr;
  const auto at = frame->known.find(*known_as);
  return at == frame->known.end() ? nullptr : &at->second;
}

std::optional<KnownValue> OnnxCall::stored(std::size_t i) const {
  if (const KnownValue* value = known(i)) return *value;
  if (!has(i)) return std::nullopt;
  const auto [frame, known_as] = names_.find(node_.inputs[i]);
  if (frame == nullptr) return std::nullopt;
  const auto at = frame->initializers.find(*known_as);
  if (at == frame->initializers.end()) return std::nullopt;
  return known_value(*at->second, std::numeric_limits<std::int64_t>::max());
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
  if (output < node_.outputs.size()) names_.inner().tensors[node_.outputs[output]] = result;
}

void OnnxCall::give_known(KnownValue value, std::size_t output) {
  if (output < node_.outputs.size()) names_.inner().known[node_.outputs[output]] = std::move(value);
}

Type OnnxCall::dense(DType dtype, Shape shape) {
  Type type;
  type.dtype = dtype;
  type.shape = std::move(shape);
  return type;
}

Tensor OnnxCall::call_outside(std::string_view op, const std::vector<NamedArg>& args, Type type) {
  Graph& graph = builder_.graph();
  Node node;
  node.op = op;
  for (const NamedArg& arg : args) {
    node.arg_names.emplace_back(arg.name);
    node.args.push_back(arg.value.value);
  }
  const auto id = static_cast<NodeId>(graph.nodes.size());
  const auto value = static_cast<ValueId>(graph.values.size());
  graph.values.push_back({std::move(type), id});
  node.outputs.push_back(value);
  graph.blocks[builder_.block()].nodes.push_back(id);
  graph.nodes.push_back(std::move(node));
  return {&builder_, value};
}

const OnnxRule* find_rule(const ReadNode& node) {
  if (!node.bodies.empty() || (!node.domain.empty() && node.domain != "com.microsoft")) return nullptr;
  using Rules = std::vector<std::span<const OnnxRule>>;
  static const Rules kOnnx = {elementwise_rules(), layout_rules(),    layer_rules(),
                              window_rules(),      reduction_rules(), indexing_rules()};
  static const Rules kMicrosoft = {microsoft_rules()};
  for (const std::span<const OnnxRule> rules : node.domain.empty() ? kOnnx : kMicrosoft) {
    const auto at =
        std::find_if(rules.begin(), rules.end(), [&](const OnnxRule& rule) { return rule.type == node.type; });
    if (at != rules.end()) return &*at;
  }
  return nullptr;
}

}  // namespace nongemm::onnx
