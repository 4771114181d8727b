#include "import/pt2/nodes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/json.h"
#include "import/pt2/arguments.h"
#include "ops/foreign.h"
#include "pt2/format.h"
#include "pt2/types.h"

namespace nongemm::pt2 {
namespace {

/// Checks on the host, which a run with sizes that are known does not need.
constexpr std::array<std::string_view, 8> kChecks = {
    "torch.ops.aten._assert_async.default",
    "torch.ops.aten._assert_async.msg",
    "torch.ops.aten._assert_tensor_metadata.default",
    "torch.ops.aten.sym_constrain_range.default",
    "torch.ops.aten._functional_assert_async.msg",
    "torch.ops.aten.sym_constrain_range_for_size.default",
    "torch.ops.aten._functional_assert_scalar.default",
    "torch.ops.aten._assert_scalar.default",
};

/// Operators that give their operand as it is: bookkeeping that graphs leave out.
constexpr std::array<std::string_view, 5> kIdentities = {
    "aten.alias.default",      "aten.detach.default",          "aten.detach_.default",
    "aten.lift_fresh.default", "aten.lift_fresh_copy.default",
};

constexpr std::array<std::string_view, 4> kDropouts = {"aten.dropout.default", "aten.dropout_.default",
                                                       "aten.feature_dropout.default", "aten.alpha_dropout.default"};

template <typename Range>
bool contains(const Range& range, std::string_view name) {
  return std::find(range.begin(), range.end(), name) != range.end();
}

/// Calls `visit` for every name in arguments, those in lists included; sub-graphs have names of their own.
template <typename Visit>
void for_each_name(const Json& json, Visit&& visit) {
  if (json.is_array()) {
    for (const Json& element : json) for_each_name(element, visit);
  }
  if (!json.is_object() || json.contains("as_graph")) return;
  for (const auto& [key, value] : json.items()) {
    if (key == "as_name" && value.is_string()) {
      visit(as_text(value));
    } else {
      for_each_name(value, visit);
    }
  }
}

bool is_symbolic(std::string_view tag) { return tag == "as_sym_int" || tag == "as_sym_float" || tag == "as_sym_bool"; }

const Json* find_input(const Json& node, std::string_view name) {
  for (const Json& input : array_at(node, "inputs")) {
    if (text_at(input, "name") == name) return &member(input, "arg");
  }
  return nullptr;
}

/// Names of sizes that more than checks use. Nodes stand behind what they use, so one walk from the end suffices.
std::set<std::string, std::less<>> find_needed(const Json& body) {
  std::set<std::string, std::less<>> needed;
  const auto need = [&](const std::string& name) { needed.insert(name); };
  for_each_name(array_at(body, "outputs"), need);
  const Json& nodes = array_at(body, "nodes");
  const auto look_at = [&](const Json& node) {
    const Json& outputs = array_at(node, "outputs");
    bool used = !contains(kChecks, text_at(node, "target"));
    if (used && outputs.size() == 1 && is_symbolic(union_of(outputs[0]).first)) {
      used = false;
      for_each_name(outputs, [&](const std::string& name) { used = used || needed.contains(name); });
    }
    if (used) for_each_name(array_at(node, "inputs"), need);
  };
  for (std::size_t i = nodes.size(); i-- > 0;) {
    within(fmt::format("node {}", i), [&] { look_at(nodes[i]); });
  }
  return needed;
}

}  // namespace

void NodeReader::read(const Json& body) {
  const Json* outer = std::exchange(body_, &body);
  std::set<std::string, std::less<>> needed = std::exchange(needed_, find_needed(body));
  std::size_t position = 0;
  for (const Json& node : array_at(body, "nodes")) {
    std::string place = fmt::format("node {}", position++);
    try {
      place = text_at(node, "target") + " (" + place + ")";
      const Json& metadata = object_at(node, "metadata");
      const Json* stack = find_member(metadata, "nn_module_stack");
      scope_ = stack == nullptr ? kRootScope : scopes_.find(as_text(*stack));
      if (const std::string path = graph_.scope_path(scope_); !path.empty()) place += " in " + path;
      read_node(node);
    } catch (const Error& error) {
      if (depth_ > 0) throw;  // the node around it is named, too: once is enough
      throw Error(error.kind(), place + ": " + error.what());
    }
  }
  body_ = outer;
  needed_ = std::move(needed);
}

void NodeReader::read_node(const Json& node) {
  const std::string& target = text_at(node, "target");
  if (skip(target, node)) return;
  const std::vector<Output> outputs = outputs_of(node);
  if (fold(outputs)) return;
  if (target.starts_with(kHigherOrder)) {
    read_higher_order(std::string_view(target).substr(kHigherOrder.size()), node, outputs);
  } else if (target.starts_with(kOperators)) {
    const std::string op = target.substr(kOperators.size());
    if (!pass_through(op, node, outputs)) add_operator(op, node, outputs);
  } else {
    add_host_arithmetic(target, node, outputs);
  }
}

std::vector<NodeReader::Output> NodeReader::outputs_of(const Json& node) const {
  std::vector<Output> outputs;
  for (const Json& output : array_at(node, "outputs")) {
    const auto [tag, content] = union_of(output);
    if (tag == "as_none") {
      outputs.push_back({"", tag});
    } else if (tag == "as_tensors") {
      if (node.at("outputs").size() != 1) throw Error(ErrorKind::kUnsupported, "gives a list among other results");
      for (const Json& tensor : *content) outputs.push_back({text_at(tensor, "name"), "as_tensor"});
    } else if (is_symbolic(tag)) {
      const auto [inner, name] = union_of(*content);
      // A number that the export knew: nothing can be called by its name.
      outputs.push_back({inner == "as_name" ? as_text(*name) : "", inner == "as_name" ? tag : "as_none"});
    } else if (tag == "as_tensor") {
      outputs.push_back({text_at(*content, "name"), tag});
    } else {
      throw Error(ErrorKind::kUnsupported, "gives a result of kind '" + std::string(tag) + "'");
    }
  }
  return outputs;
}

/// Checks are left out; one that is known to fail refuses the sizes.
bool NodeReader::skip(std::string_view target, const Json& node) {
  if (!contains(kChecks, target)) return false;
  if (target != "torch.ops.aten._assert_scalar.default") return true;
  const Json* condition = find_input(node, "self");
  if (condition == nullptr) return true;
  const auto [tag, content] = union_of(*condition);
  const Json* name = is_symbolic(tag) ? find_member(*content, "as_name") : nullptr;
  if (name == nullptr) return true;
  const auto known = names_->find(as_text(*name));
  const auto* holds = known == names_->end() ? nullptr : std::get_if<bool>(&known->second);
  if (holds == nullptr || *holds) return true;
  const Json* message = find_input(node, "assert_msg");
  throw Error(ErrorKind::kUsage,
              "the sizes do not meet what the model was exported for: " +
                  (message == nullptr ? std::string("a check fails") : as_text(member(*message, "as_string"))));
}

const Json* NodeReader::symbolic_value(const Output& output) const {
  const char* table = output.tag == "as_sym_int"     ? "sym_int_values"
                      : output.tag == "as_sym_float" ? "sym_float_values"
                                                     : "sym_bool_values";
  const Json* values = find_member(*body_, table);
  return values == nullptr ? nullptr : find_member(*values, output.name.c_str());
}

/// True when the node computes a number that is known already, or that nobody needs.
bool NodeReader::fold(const std::vector<Output>& outputs) {
  if (outputs.size() != 1 || !is_symbolic(outputs[0].tag)) return false;
  const Output& output = outputs[0];
  const Json* symbolic = symbolic_value(output);
  const std::optional<double> value = symbolic == nullptr ? std::nullopt : symbols_.value(*symbolic);
  if (!value) return !needed_.contains(output.name);
  Argument& known = (*names_)[output.name];
  if (output.tag == "as_sym_int") {
    known = symbols_.size(*symbolic);
  } else if (output.tag == "as_sym_bool") {
    known = *value != 0;
  } else {
    known = *value;
  }
  return true;
}

bool NodeReader::pass_through(std::string_view op, const Json& node, const std::vector<Output>& outputs) {
  const Json& inputs = array_at(node, "inputs");
  bool identity = contains(kIdentities, op);
  if (contains(kDropouts, op)) {
    const Json* train = find_input(node, "train");
    const Json* flag = train == nullptr ? nullptr : find_member(*train, "as_bool");
    identity = flag != nullptr && !as_flag(*flag);
  }
  if (!identity || outputs.size() != 1 || inputs.empty()) return false;
  Argument same = read_argument(member(inputs[0], "arg"), nullptr, *names_);
  (*names_)[outputs[0].name] = std::move(same);
  return true;
}

void NodeReader::add_host_arithmetic(const std::string& target, const Json& node, const std::vector<Output>& outputs) {
  for (const auto& [python, result, op] : kHostArithmetic) {
    if (python != target || outputs.size() != 1 || outputs[0].tag != result) continue;
    const std::vector<SchemaArg>& schema = OpTable::get().at(op).schema.args;
    const Json& inputs = array_at(node, "inputs");
    if (inputs.size() != schema.size()) break;
    Node added;
    added.op = op;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      added.args.push_back(read_argument(member(inputs[i], "arg"), &schema[i], *names_));
      if (!accepts(schema[i], added.args.back()))
        throw Error(ErrorKind::kUnsupported, "takes other numbers than are handled");
      const auto* use = std::get_if<Use>(&added.args.back());
      const bool is_float = use != nullptr && graph_.values[use->value].type.kind == Type::Kind::kFloat;
      if (is_float && schema[i].kind == ArgKind::kInt)
        throw Error(ErrorKind::kUnsupported, "compares fractions that only the run knows");
    }
    return add_node(std::move(added), {type_of(outputs[0])}, outputs);
  }
  throw Error(ErrorKind::kUnsupported, "computes a number that only the run knows in a way that is not handled");
}

/// By the operator's schema; nothing when the file's operator has arguments that the schema does not.
std::optional<std::vector<Argument>> NodeReader::table_arguments(const Op& op, const Json& inputs) const {
  std::vector<Argument> args;
  std::size_t found = 0;
  for (const SchemaArg& schema : op.schema.args) {
    const auto at = std::find_if(inputs.begin(), inputs.end(),
                                 [&](const Json& input) { return text_at(input, "name") == schema.name; });
    if (at == inputs.end()) {
      if (!schema.has_default && !schema.optional) return std::nullopt;
      args.push_back(schema.default_value);
      continue;
    }
    ++found;
    args.push_back(read_argument(member(*at, "arg"), &schema, *names_));
    if (!accepts(schema, args.back())) return std::nullopt;
  }
  if (found != inputs.size()) return std::nullopt;
  return args;
}

void NodeReader::add_operator(const std::string& op, const Json& node, const std::vector<Output>& outputs) {
  const Json& inputs = array_at(node, "inputs");
  std::vector<Type> types;
  for (const Output& output : outputs) types.push_back(type_of(output));
  Node added;
  added.op = op;
  if (const Op* known = OpTable::get().find(op)) {
    if (std::optional<std::vector<Argument>> args = table_arguments(*known, inputs)) {
      added.args = std::move(*args);
      if (takes_complex(*known) || !has_complex(graph_, added)) return add_node(std::move(added), types, outputs);
      added.args.clear();
    }
  }
  for (const Json& input : inputs) {
    added.arg_names.push_back(text_at(input, "name"));
    added.args.push_back(read_argument(member(input, "arg"), nullptr, *names_));
  }
  add_node(std::move(added), types, outputs);
}

namespace {

/// The sizes that the file states are those that the operator's rule gives. Not so of statistics beside a result, which
/// devices give in different forms.
void check_sizes(const Node& node, std::size_t result, const Type& file, const Type& rule) {
  if (file.kind != Type::Kind::kTensor || rule.kind != Type::Kind::kTensor) return;
  const Group group = OpTable::get().at(node.op).entry.group;
  if (result > 0 && (group == Group::kNormalization || group == Group::kAttention)) return;
  const auto fits = [](std::int64_t a, std::int64_t b) { return a == b || a == kDynamic || b == kDynamic; };
  if (std::equal(file.shape.begin(), file.shape.end(), rule.shape.begin(), rule.shape.end(), fits)) return;
  throw Error(ErrorKind::kBadInput, node.op + ": its result " + std::to_string(result) + " is stated as " +
                                        to_string(file.shape) + ", its operands give " + to_string(rule.shape));
}

}  // namespace

void NodeReader::add_node(Node node, const std::vector<Type>& types, const std::vector<Output>& outputs) {
  node.scope = scope_;
  std::vector<Type> rules;
  if (node.arg_names.empty()) {
    try {
      rules = infer_types(graph_, node, OpTable::get().at(node.op));
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::kBadInput) throw;  // operands that do not fit each other
    }  // else the rule is narrower than the operator: the file's types will do
  }
  const auto id = static_cast<NodeId>(graph_.nodes.size());
  const bool is_view = !node.arg_names.empty() && guess_group(node.op) == Group::kMemoryLayout;
  const std::size_t results = std::max(rules.size(), types.size());
  for (std::size_t i = 0; i < results; ++i) {
    Type type = i < types.size() ? types[i] : rules[i];
    if (is_view) type.alias = true;
    if (i < types.size() && i < rules.size() && outputs[i].tag == "as_tensor") {
      check_sizes(node, i, types[i], rules[i]);
    }
    if (i < types.size() && i < rules.size()) type = outputs[i].tag == "as_none" ? rules[i] : merged(type, rules[i]);
    node.outputs.push_back(static_cast<ValueId>(graph_.values.size()));
    graph_.values.push_back({std::move(type), id});
    if (i < outputs.size() && !outputs[i].name.empty()) (*names_)[outputs[i].name] = Use{node.outputs.back()};
  }
  graph_.blocks[kBodyBlock].nodes.push_back(id);
  graph_.nodes.push_back(std::move(node));
}

Type NodeReader::type_of(const Output& output) const {
  Type type;
  if (output.tag == "as_none") return type;
  if (output.tag != "as_tensor") {
    const bool integer = output.tag == "as_sym_int";
    const bool real = output.tag == "as_sym_float";
    type.kind = integer ? Type::Kind::kInt : real ? Type::Kind::kFloat : Type::Kind::kBool;
    type.dtype = integer ? DType::kInt64 : real ? DType::kFloat64 : DType::kBool;
    return type;
  }
  const Json* meta = find_member(object_at(*body_, "tensor_values"), output.name.c_str());
  if (meta == nullptr) throw Error(ErrorKind::kBadInput, "nothing says what its result '" + output.name + "' is");
  type.dtype = dtype_of(member(*meta, "dtype"));
  type.shape = symbols_.shape(array_at(*meta, "sizes"));
  Shape strides = symbols_.strides(array_at(*meta, "strides"));
  if (strides.size() != type.shape.size()) throw Error(ErrorKind::kBadInput, "its strides do not fit its sizes");
  if (strides != contiguous_strides(type.shape)) type.strides = std::move(strides);
  if (is_contiguous(type)) type.strides.clear();
  return type;
}

std::optional<ValueId> NodeReader::output_value(const Argument& argument) {
  const auto add_constant = [&](HostTensor tensor) {
    graph_.values.push_back({Type{.dtype = tensor.dtype, .shape = {}, .strides = {}}, kNoId});
    graph_.constants.push_back({static_cast<ValueId>(graph_.values.size() - 1), std::move(tensor)});
    return graph_.constants.back().value;
  };
  if (const auto* number = std::get_if<std::int64_t>(&argument)) {
    return add_constant(HostTensor::from<std::int64_t>(DType::kInt64, {}, {*number}));
  }
  if (const auto* number = std::get_if<double>(&argument)) {
    return add_constant(HostTensor::from<double>(DType::kFloat64, {}, {*number}));
  }
  if (const auto* flag = std::get_if<bool>(&argument)) {
    return add_constant(HostTensor::from<std::uint8_t>(DType::kBool, {}, {*flag ? std::uint8_t{1} : std::uint8_t{0}}));
  }
  const auto* use = std::get_if<Use>(&argument);
  if (use == nullptr) return std::nullopt;
  const Type type = graph_.values[use->value].type;
  if (type.kind == Type::Kind::kTensor) return use->value;
  Node node;
  node.op = "aten.scalar_tensor.default";
  node.args = {*use, type.dtype, {}, {}, {}};
  scope_ = kRootScope;
  add_node(std::move(node), {Type{.dtype = type.dtype, .shape = {}, .strides = {}}}, {Output{"", "as_tensor"}});
  return graph_.nodes.back().outputs[0];
}

}  // namespace nongemm::pt2
