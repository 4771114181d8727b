#include "ops/builder.h"

#include <utility>

#include "base/error.h"
#include "ops/rules.h"

namespace nongemm {

const Type& Tensor::type() const { return builder_->graph().values[id_].type; }

std::int64_t Tensor::size(std::int64_t dim) const { return shape()[rules::sized_dim(dim, shape())]; }

Builder::Builder(std::string name, DType dtype) : dtype_(dtype) {
  graph_.name = std::move(name);
  graph_.attributes["dtype"] = name_of(dtype);
}

Builder::ScopeGuard Builder::scope(std::string name, std::string type) {
  const ScopeId outer = scope_;
  // A module entered twice is one scope.
  for (ScopeId i = static_cast<ScopeId>(graph_.scopes.size()); i-- > 1;) {
    const Scope& known = graph_.scopes[i];
    if (known.parent == outer && known.name == name && known.type == type) {
      scope_ = i;
      return ScopeGuard(*this, outer);
    }
  }
  graph_.scopes.push_back(Scope{outer, std::move(name), std::move(type)});
  scope_ = static_cast<ScopeId>(graph_.scopes.size() - 1);
  return ScopeGuard(*this, outer);
}

std::string Builder::full_name(const std::string& name) const {
  const std::string path = graph_.scope_path(scope_);
  return path.empty() ? name : path + "." + name;
}

namespace {

/// Keeps every product of dimensions that rules compute far from overflow. 2^48 elements are more than any machine
/// holds.
void check_size(const Type& type) {
  double count = 1;
  for (const std::int64_t dim : type.shape) count *= dim == kDynamic ? 1.0 : static_cast<double>(dim);
  if (count <= 0x1p48) return;
  throw Error(ErrorKind::kBadInput, "a tensor of shape " + to_string(type.shape) + " is too large for any machine",
              "use a smaller batch, sequence or image");
}

}  // namespace

ValueId Builder::add_value(Type type, NodeId producer) {
  check_size(type);
  graph_.values.push_back(Value{std::move(type), producer});
  return static_cast<ValueId>(graph_.values.size() - 1);
}

Tensor Builder::input(std::string name, DType dtype, Shape shape, InputKind kind) {
  const ValueId id = add_value(rules::tensor_type(dtype, std::move(shape)), kNoId);
  graph_.inputs.push_back(Input{id, std::move(name), kind});
  return {this, id};
}

Tensor Builder::add_weight(const std::string& name, DType dtype, Shape shape, InitSpec init) {
  const std::string path = full_name(name);
  if (const auto known = weights_.find(path); known != weights_.end()) return {this, known->second};
  const ValueId id = add_value(rules::tensor_type(dtype, std::move(shape)), kNoId);
  graph_.weights.push_back(Weight{id, path, init, {}, false});
  weights_.emplace(path, id);
  return {this, id};
}

Tensor Builder::parameter(const std::string& name, Shape shape, InitSpec init) {
  return add_weight(name, dtype_, std::move(shape), init);
}

Tensor Builder::parameter(const std::string& name, DType dtype, Shape shape, InitSpec init) {
  return add_weight(name, dtype, std::move(shape), init);
}

Tensor Builder::buffer(const std::string& name, DType dtype, Shape shape, InitSpec init) {
  const Tensor tensor = add_weight(name, dtype, std::move(shape), init);
  for (Weight& weight : graph_.weights) weight.buffer = weight.buffer || weight.value == tensor.id();
  return tensor;
}

Tensor Builder::constant(HostTensor tensor, const std::string& name) {
  const ValueId id = add_value(rules::tensor_type(tensor.dtype, tensor.shape), kNoId);
  graph_.constants.push_back(Constant{id, std::move(tensor)});
  if (!name.empty()) graph_.checkpoint_rules.ignored.push_back(full_name(name));
  return {this, id};
}

Tensor Builder::host_constant(HostTensor tensor) {
  const Tensor result = constant(std::move(tensor));
  graph_.constants.back().on_host = true;
  return result;
}

void Builder::tie(const Tensor& weight, std::string full_name) {
  for (Weight& candidate : graph_.weights) {
    if (candidate.value == weight.id()) candidate.aliases.push_back(full_name);
  }
}

void Builder::output(std::string name, const Tensor& tensor) {
  graph_.outputs.push_back(Output{tensor.id(), std::move(name)});
}

namespace {

/// What a schema argument accepts, written as a builder writes it: 1 for 1.0, 2 for [2, 2].
Argument fit(const Graph& graph, const SchemaArg& arg, Argument value, std::string_view op) {
  if (auto* number = std::get_if<std::int64_t>(&value)) {
    if (arg.kind == ArgKind::kFloat && !arg.list) return static_cast<double>(*number);
    if (arg.kind == ArgKind::kInt && arg.list) {
      return std::vector<Int>(static_cast<std::size_t>(std::max(arg.fixed_size, 1)), Int(*number));
    }
  }
  if (!accepts(arg, value)) {
    const bool absent = std::holds_alternative<std::monostate>(value);
    throw Error(ErrorKind::kBadInput,
                std::string(op) + ": argument '" + arg.name + (absent ? "' is missing" : "' has the wrong kind"));
  }
  for_each_use(value, [&](ValueId id) {
    if (id >= graph.values.size()) throw Error(ErrorKind::kBadInput, std::string(op) + " uses an unknown value");
  });
  return value;
}

}  // namespace

std::vector<Tensor> Builder::call_all(std::string_view op_name, std::initializer_list<Arg> args,
                                      std::initializer_list<NamedArg> named) {
  const Op& op = OpTable::get().at(op_name);
  if (args.size() > op.schema.args.size()) {
    throw Error(ErrorKind::kBadInput, op.name + " takes " + std::to_string(op.schema.args.size()) + " arguments, got " +
                                          std::to_string(args.size()));
  }
  Node node;
  node.op = op.name;
  node.scope = scope_;
  node.args.resize(op.schema.args.size());
  std::vector<bool> given(node.args.size(), false);
  std::size_t position = 0;
  for (const Arg& arg : args) {
    node.args[position] = fit(graph_, op.schema.args[position], arg.value, op.name);
    given[position++] = true;
  }
  for (const NamedArg& arg : named) {
    const int at = op.schema.find_arg(arg.name);
    if (at < 0) throw Error(ErrorKind::kBadInput, op.name + " has no argument '" + std::string(arg.name) + "'");
    const auto index = static_cast<std::size_t>(at);
    node.args[index] = fit(graph_, op.schema.args[index], arg.value.value, op.name);
    given[index] = true;
  }
  for (std::size_t i = 0; i < node.args.size(); ++i) {
    if (given[i]) continue;
    const SchemaArg& arg = op.schema.args[i];
    node.args[i] = fit(graph_, arg, arg.has_default ? arg.default_value : Argument{}, op.name);
  }
  const auto id = static_cast<NodeId>(graph_.nodes.size());
  std::vector<Tensor> results;
  for (Type& type : infer_types(graph_, node, op)) {
    node.outputs.push_back(add_value(std::move(type), id));
    results.emplace_back(this, node.outputs.back());
  }
  graph_.nodes.push_back(std::move(node));
  graph_.blocks[block_].nodes.push_back(id);
  return results;
}

Tensor Builder::call(std::string_view op, std::initializer_list<Arg> args, std::initializer_list<NamedArg> named) {
  const std::vector<Tensor> results = call_all(op, args, named);
  return results.empty() ? Tensor() : results.front();
}

BlockId Builder::build_block(std::vector<ValueId> parameters, const std::function<std::vector<Tensor>()>& content) {
  const auto id = static_cast<BlockId>(graph_.blocks.size());
  graph_.blocks.push_back(Block{std::move(parameters), {}, {}});
  struct Restore {
    BlockId& block;
    BlockId outer;
    ~Restore() { block = outer; }
  };
  const std::vector<Tensor> results = [&] {
    const Restore restore{block_, std::exchange(block_, id)};
    return content();
  }();
  for (const Tensor& result : results) graph_.blocks[id].results.push_back(result.id());
  return id;
}

std::vector<Tensor> Builder::add_control(Node node, std::vector<Type> results) {
  const auto id = static_cast<NodeId>(graph_.nodes.size());
  node.scope = scope_;
  std::vector<Tensor> tensors;
  for (Type& type : results) {
    node.outputs.push_back(add_value(std::move(type), id));
    tensors.emplace_back(this, node.outputs.back());
  }
  graph_.nodes.push_back(std::move(node));
  graph_.blocks[block_].nodes.push_back(id);
  return tensors;
}

namespace {

/// What is known of a value that is either of two.
Type either(const Type& a, const Type& b) {
  if (a.kind != b.kind || a.dtype != b.dtype || a.shape.size() != b.shape.size()) {
    throw Error(ErrorKind::kBadInput, "the branches of an if give values of different kinds");
  }
  Type type = a;
  for (std::size_t i = 0; i < a.shape.size(); ++i) {
    if (a.shape[i] != b.shape[i]) type.shape[i] = kDynamic;
  }
  if (a.shape != b.shape || a.strides != b.strides) type.strides.assign(type.shape.size(), kDynamic);
  if (type.strides.empty() || type.shape.empty()) type.strides.clear();
  type.alias = true;  // the branch itself moves nothing
  return type;
}

}  // namespace

std::vector<Tensor> Builder::branch(const Tensor& condition, double expected,
                                    const std::function<std::vector<Tensor>()>& then,
                                    const std::function<std::vector<Tensor>()>& otherwise) {
  if (condition.type().kind != Type::Kind::kBool) {
    throw Error(ErrorKind::kBadInput, "the condition of an if is not a truth value on the host");
  }
  Node node;
  node.op = "nongemm.if.default";
  node.args = {Use{condition.id()}, expected};
  node.blocks = {build_block({}, then), build_block({}, otherwise)};
  const std::vector<ValueId>& taken = graph_.blocks[node.blocks[0]].results;
  const std::vector<ValueId>& other = graph_.blocks[node.blocks[1]].results;
  if (taken.size() != other.size()) {
    throw Error(ErrorKind::kBadInput, "the branches of an if give different numbers of values");
  }
  std::vector<Type> types;
  for (std::size_t i = 0; i < taken.size(); ++i) {
    types.push_back(either(graph_.values[taken[i]].type, graph_.values[other[i]].type));
  }
  return add_control(std::move(node), std::move(types));
}

std::vector<Tensor> Builder::foreach (const std::vector<Tensor>& lists, std::int64_t expected,
                                      const std::function<std::vector<Tensor>(const std::vector<Tensor>&)>& body) {
  std::vector<Use> uses;
  std::vector<ValueId> parameters;
  std::vector<Tensor> elements;
  for (const Tensor& list : lists) {
    if (list.type().kind != Type::Kind::kTensorList)
      throw Error(ErrorKind::kBadInput, "a loop over something not a list");
    Type element = list.type();
    element.kind = Type::Kind::kTensor;
    uses.push_back(Use{list.id()});
    parameters.push_back(add_value(std::move(element), kNoId));
    elements.emplace_back(this, parameters.back());
  }
  Node node;
  node.op = "nongemm.foreach.default";
  node.args = {std::move(uses), expected};
  node.blocks = {build_block(std::move(parameters), [&] { return body(elements); })};
  std::vector<Type> types;
  for (const ValueId result : graph_.blocks[node.blocks[0]].results) {
    types.push_back(graph_.values[result].type);
    types.back().kind = Type::Kind::kTensorList;
  }
  return add_control(std::move(node), std::move(types));
}

}  // namespace nongemm
