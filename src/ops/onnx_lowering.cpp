#include "ops/onnx_lowering.h"

#include <algorithm>

#include "base/error.h"
#include "onnx/wire.h"

namespace nongemm {

OnnxLowering::OnnxLowering(const Context& context, NodeId node, const Op& op, NodeId named_after)
    : context_(context),
      id_(named_after == kNoId ? node : named_after),
      operands_(context.graph, context.graph.nodes.at(node), op.schema) {}

DType OnnxLowering::dtype_of(std::size_t i) const {
  if (const auto* use = std::get_if<Use>(&operands_.raw(i))) return context_.graph.values.at(use->value).type.dtype;
  if (operands_.is_float(i)) return DType::kFloat32;
  return std::holds_alternative<bool>(operands_.raw(i)) ? DType::kBool : DType::kInt64;
}

OnnxLowering::Name OnnxLowering::tensor(std::size_t i) {
  const auto* use = std::get_if<Use>(&operands_.raw(i));
  return use != nullptr ? context_.name_of(use->value) : tensor(i, dtype_of(i));
}

OnnxLowering::Name OnnxLowering::tensor(std::size_t i, DType dtype) {
  if (std::holds_alternative<Use>(operands_.raw(i))) return cast(tensor(i), dtype_of(i), dtype);
  if (const auto* number = std::get_if<std::int64_t>(&operands_.raw(i))) {
    return context_.constants.scalar(*number, dtype);
  }
  return scalar(operands_.number(i), dtype);
}

OnnxLowering::Names OnnxLowering::tensors(std::size_t i) {
  Names names;
  for (const Use& use : std::get<std::vector<Use>>(operands_.raw(i))) {
    names.push_back(use.value == kNoId ? Name() : context_.name_of(use.value));
  }
  return names;
}

OnnxLowering::Name OnnxLowering::transposed(std::size_t i) {
  const Name prepared = context_.transposed_weight(std::get<Use>(operands_.raw(i)).value);
  return prepared.empty() ? transpose(tensor(i), {1, 0}) : prepared;
}

OnnxLowering::Name OnnxLowering::integer(std::size_t i) {
  if (std::holds_alternative<Use>(operands_.raw(i))) return tensor(i);
  return integer_constant(operands_.integer(i));
}

OnnxLowering::Name OnnxLowering::integer_list_of_one(std::size_t i) {
  if (std::holds_alternative<Use>(operands_.raw(i))) return unsqueeze(tensor(i), 0);
  return integer_constants({operands_.integer(i)});
}

OnnxLowering::Name OnnxLowering::integers(std::size_t i) {
  const auto* values = std::get_if<std::vector<Int>>(&operands_.raw(i));
  return values != nullptr ? integers(*values) : integer_constants(operands_.integers(i));
}

OnnxLowering::Name OnnxLowering::integers(const std::vector<Int>& values) {
  const bool known = std::all_of(values.begin(), values.end(), [](const Int& value) { return value.known(); });
  if (known) {
    std::vector<std::int64_t> numbers;
    for (const Int& value : values) numbers.push_back(value.value);
    return integer_constants(numbers);
  }
  Names parts;
  for (const Int& value : values) {
    parts.push_back(value.known() ? integer_constants({value.value}) : unsqueeze(context_.name_of(value.ref), 0));
  }
  return parts.size() == 1 ? parts[0] : concat(parts, 0);
}

OnnxLowering::Name OnnxLowering::add(std::string_view type, Names inputs, Attributes attributes) {
  return add_many(type, std::move(inputs), 1, std::move(attributes))[0];
}

OnnxLowering::Names OnnxLowering::add_many(std::string_view type, Names inputs, std::size_t outputs,
                                           Attributes attributes) {
  Names names;
  for (std::size_t i = 0; i < outputs; ++i) names.push_back(context_.new_temporary(id_));
  add_node({std::string(type), "", std::move(inputs), names, std::move(attributes)});
  return names;
}

void OnnxLowering::add_node(onnx::NodeDef node) {
  node.name = context_.new_node_name(id_);
  nodes_.push_back(std::move(node));
}

OnnxLowering::Name OnnxLowering::cast(Name value, DType from, DType to) {
  if (from == to) return value;
  return add("Cast", {std::move(value)}, {{"to", static_cast<std::int64_t>(onnx::data_type(to))}});
}

OnnxLowering::Name OnnxLowering::transpose(Name value, const std::vector<std::size_t>& order) {
  std::vector<std::int64_t> permutation(order.begin(), order.end());
  if (std::is_sorted(order.begin(), order.end())) return value;
  return add("Transpose", {std::move(value)}, {{"perm", std::move(permutation)}});
}

OnnxLowering::Name OnnxLowering::unsqueeze(Name value, const std::vector<std::int64_t>& axes) {
  return add("Unsqueeze", {std::move(value), integer_constants(axes)});
}

OnnxLowering::Name OnnxLowering::squeeze(Name value, std::int64_t axis) {
  return add("Squeeze", {std::move(value), integer_constants({axis})});
}

OnnxLowering::Name OnnxLowering::slice(Name value, std::size_t axis, const Name& start, const Name& end,
                                       std::int64_t step) {
  Names inputs = {std::move(value), start, end, integer_constants({static_cast<std::int64_t>(axis)})};
  if (step != 1) inputs.push_back(integer_constants({step}));
  return add("Slice", std::move(inputs));
}

OnnxLowering::Name OnnxLowering::gather(Name data, Name indices, std::size_t axis) {
  return add("Gather", {std::move(data), std::move(indices)}, {{"axis", static_cast<std::int64_t>(axis)}});
}

OnnxLowering::Name OnnxLowering::pick(Name data, std::size_t i, std::size_t axis) {
  return gather(std::move(data), integer_constant(static_cast<std::int64_t>(i)), axis);
}

OnnxLowering::Name OnnxLowering::concat(Names values, std::int64_t axis) {
  return add("Concat", std::move(values), {{"axis", axis}});
}

OnnxLowering::Name OnnxLowering::size_of(const Name& value, const Type& type, std::size_t axis) {
  if (type.shape.at(axis) != kDynamic) return integer_constants({type.shape[axis]});
  return gather(shape_of(value), integer_constants({static_cast<std::int64_t>(axis)}));
}

OnnxLowering::Name OnnxLowering::reshape(Name value, const Shape& shape) {
  const bool empty = std::find(shape.begin(), shape.end(), 0) != shape.end();
  Attributes attributes;
  // Without it a size of 0 means "as the operand's".
  if (empty && at_least(14)) attributes.push_back({"allowzero", std::int64_t{1}});
  return add("Reshape", {std::move(value), integer_constants(shape)}, std::move(attributes));
}

OnnxLowering::Name OnnxLowering::reduce(std::string_view type, Name value, const std::vector<std::int64_t>& axes,
                                        bool keep) {
  Names inputs = {std::move(value)};
  Attributes attributes = {{"keepdims", std::int64_t{keep}}};
  const bool as_input = type == "ReduceSum" || at_least(18);
  if (!axes.empty() && as_input) inputs.push_back(integer_constants(axes));
  if (!axes.empty() && !as_input) attributes.push_back({"axes", axes});
  return add(type, std::move(inputs), std::move(attributes));
}

const Type& OnnxLowering::result_type(std::size_t i, std::size_t least_rank) const {
  const Type& type = result_type(i);
  if (type.shape.size() < least_rank) unsupported("its result is stated as " + to_string(type.shape));
  return type;
}

void OnnxLowering::unsupported(std::string_view why, std::string_view way_out) const {
  std::string what = node().op;
  if (const std::string scope = context_.graph.scope_path(node().scope); !scope.empty()) what += " in " + scope;
  throw Error(ErrorKind::kUnsupported, what + " cannot be expressed in ONNX: " + std::string(why),
              std::string(way_out));
}

}  // namespace nongemm
