#include "lowering/pt2/program.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.h"
#include "base/json.h"
#include "lowering/pt2/arguments.h"
#include "lowering/pt2/names.h"
#include "ops/foreign.h"
#include "pt2/file.h"
#include "pt2/format.h"
#include "pt2/types.h"

namespace nongemm::pt2 {
namespace {

/// torch.utils._pytree's TreeSpec, as text in a list with its version.
constexpr int kTreeVersion = 1;

Json leaf() { return {{"type", nullptr}, {"context", nullptr}, {"children_spec", Json::array()}}; }

Json leaves(std::size_t count) {
  Json list = Json::array();
  for (std::size_t i = 0; i < count; ++i) list.push_back(leaf());
  return list;
}

Json tuple_of(Json children) {
  return {{"type", "builtins.tuple"}, {"context", "null"}, {"children_spec", std::move(children)}};
}

Json dict_of(const std::vector<std::string>& keys) {
  return {{"type", "builtins.dict"}, {"context", dump_json(Json(keys))}, {"children_spec", leaves(keys.size())}};
}

std::string tree(const Json& spec) { return dump_json(Json::array({kTreeVersion, spec})); }

const HostArithmetic* host_arithmetic(const std::string& op) {
  const auto at = std::find_if(kHostArithmetic.begin(), kHostArithmetic.end(),
                               [&](const HostArithmetic& row) { return row.op == op; });
  return at == kHostArithmetic.end() ? nullptr : &*at;
}

bool is_torchs(const std::string& op) {
  return !op.starts_with("nongemm.") && !op.starts_with("onnx.") && !op.starts_with("aotinductor.");
}

/// What separates the parts of a module stack stands in no part of it.
std::string plain(std::string text) {
  for (char& letter : text) {
    if (std::string_view(",;[]()").find(letter) != std::string_view::npos) letter = '_';
  }
  return text;
}

class ProgramWriter {
 public:
  explicit ProgramWriter(const Graph& graph)
      : graph_(graph), names_(value_names(graph)), arguments_(graph_, names_), left_out_(pt2::left_out(graph)) {}

  Program write() {
    add_inputs();
    for (const NodeId id : graph_.blocks[kBodyBlock].nodes) {
      if (!left_out_[id]) add_node(id);
    }
    Json outputs = Json::array();
    Json output_specs = Json::array();
    std::vector<std::string> output_names;
    for (const Output& output : graph_.outputs) {
      outputs.push_back(arguments_.value(output.value));
      output_specs.push_back({{"user_output", {{"arg", arguments_.value(output.value)}}}});
      output_names.push_back(output.name);
    }
    const Json body = {{"inputs", std::move(inputs_)},
                       {"outputs", std::move(outputs)},
                       {"nodes", std::move(nodes_)},
                       {"tensor_values", std::move(tensor_values_)},
                       {"sym_int_values", std::move(sym_int_values_)},
                       {"sym_float_values", std::move(sym_float_values_)},
                       {"sym_bool_values", std::move(sym_bool_values_)},
                       {"custom_obj_values", Json::object()},
                       {"is_single_tensor_return", false}};
    std::vector<std::string> all;
    std::vector<std::string> keywords;
    for (const ProgramInput& input : program_.inputs) {
      all.push_back(input.name);
      if (!input.positional) keywords.push_back(input.name);
    }
    const Json positional = tuple_of(leaves(all.size() - keywords.size()));
    const Json call = {{"inputs", Json::array()},
                       {"outputs", Json::array()},
                       {"in_spec", tree(tuple_of(Json::array({positional, dict_of(keywords)})))},
                       {"out_spec", tree(dict_of(output_names))},
                       {"forward_arg_names", all}};
    const Json module = {
        {"graph", body},
        {"signature", {{"input_specs", std::move(input_specs_)}, {"output_specs", std::move(output_specs)}}},
        {"module_call_graph", Json::array({{{"fqn", ""}, {"signature", call}}})},
        {"metadata", Json::object()},
        {"treespec_namedtuple_fields", Json::object()}};
    program_.json =
        std::make_shared<const Json>(Json{{"graph_module", module},
                                          {"opset_version", {{"aten", 10}}},
                                          {"range_constraints", std::move(ranges_)},
                                          {"schema_version", {{"major", kSchemaMajor}, {"minor", kSchemaMinor}}},
                                          {"verifiers", Json::array({"TRAINING"})},  // operators in place are allowed
                                          {"torch_version", "2.11.0"},
                                          {"guards_code", Json::array()}});
    return std::move(program_);
  }

 private:
  /// State first, then what the user gives, as torch.export has them.
  void add_inputs() {
    for (const Weight& weight : graph_.weights) {
      const char* kind = weight.buffer ? "buffer" : "parameter";
      Json spec = {{"arg", {{"name", names_[weight.value]}}}, {fmt::format("{}_name", kind), weight.name}};
      if (weight.buffer) spec["persistent"] = true;
      add_input(weight.value, kind, std::move(spec));
      program_.weights.push_back(state(weight.value, weight.name));
      program_.weights.back().parameter = !weight.buffer;
    }
    for (const Constant& constant : graph_.constants) {
      const std::string& name = names_[constant.value];
      add_input(constant.value, "tensor_constant", {{"arg", {{"name", name}}}, {"tensor_constant_name", name}});
      program_.constants.push_back(state(constant.value, name));
      program_.constants.back().data = constant.tensor;
    }
    for (const Input& input : graph_.inputs) {
      program_.inputs.push_back({names_[input.value], is_positional(input)});
      add_input(input.value, "user_input", {{"arg", arguments_.value(input.value)}});
    }
  }

  /// One that the original has no name for but a place, as "0". Where a named one stands before it, it needs a name
  /// too.
  bool is_positional(const Input& input) const {
    const bool number = !input.name.empty() && std::isdigit(static_cast<unsigned char>(input.name[0])) != 0;
    return number && (program_.inputs.empty() || program_.inputs.back().positional);
  }

  void add_input(ValueId value, const char* kind, Json spec) {
    inputs_.push_back(arguments_.value(value));
    input_specs_.push_back({{kind, std::move(spec)}});
    describe(value);
  }

  StateTensor state(ValueId value, std::string name) const {
    const Type& type = graph_.values[value].type;
    return {std::move(name), type.dtype, type.shape, false, {}};
  }

  void add_node(NodeId id) {
    const Node& node = graph_.nodes[id];
    const HostArithmetic* python = host_arithmetic(node.op);
    const Op* op = table_entry(node);
    Json inputs = arguments_.inputs(node, op);
    if (python != nullptr) {
      for (Json& input : inputs) input["name"] = "";  // these have no schema
    }
    nodes_.push_back({{"target", python != nullptr ? std::string(python->python) : std::string(kOperators) + node.op},
                      {"inputs", std::move(inputs)},
                      {"outputs", outputs_of(node, op)},
                      {"metadata", {{"nn_module_stack", module_stack(node.scope)}}},
                      {"is_hop_single_tensor_return", nullptr},
                      {"name", node_name(graph_, id)}});
  }

  Json outputs_of(const Node& node, const Op* op) {
    for (const ValueId value : node.outputs) describe(value);
    Json outputs = Json::array();
    if (op != nullptr && op->schema.results.size() == 1 && op->schema.results[0].list) {
      Json list = Json::array();
      for (const ValueId value : node.outputs) list.push_back({{"name", names_[value]}});
      outputs.push_back({{"as_tensors", std::move(list)}});
      return outputs;
    }
    for (const ValueId value : node.outputs) outputs.push_back(arguments_.value(value));
    return outputs;
  }

  Json new_symbol() {
    const std::string name = fmt::format("u{}", symbols_++);
    ranges_[name] = {{"min_val", 0}, {"max_val", nullptr}};
    return {{"as_expr", {{"expr_str", fmt::format("Symbol('{}', integer=True)", name)}, {"hint", nullptr}}}};
  }

  void describe(ValueId value) {
    const Type& type = graph_.values[value].type;
    const std::string& name = names_[value];
    if (type.kind == Type::Kind::kInt) {
      sym_int_values_[name] = new_symbol();
    } else if (type.kind != Type::Kind::kTensor) {
      throw Error(ErrorKind::kUnsupported, "has a number that is no integer and only the run knows");
    } else {
      tensor_values_[name] = meta_of(type);
    }
  }

  Json meta_of(const Type& type) {
    if (std::find(type.shape.begin(), type.shape.end(), kDynamic) == type.shape.end()) {
      return tensor_meta(type.dtype, type.shape, type.strides, 0);
    }
    Shape least = type.shape;
    std::replace(least.begin(), least.end(), kDynamic, std::int64_t{1});
    Json meta = tensor_meta(type.dtype, least, {}, 0);
    for (std::size_t i = type.shape.size(); i-- > 0;) {
      if (type.shape[i] == kDynamic) meta["sizes"][i] = new_symbol();
    }
    return meta;
  }

  /// "L__self__,,gpt2;L__self___h,h,ModuleList;...", outermost first.
  std::string module_stack(ScopeId scope) {
    const auto at = stacks_.find(scope);
    if (at != stacks_.end()) return at->second;
    std::string stack;
    if (scope == kRootScope) {
      stack = "L__self__,," + plain(graph_.name);
    } else {
      const Scope& here = graph_.scopes[scope];
      const std::string path = plain(graph_.scope_path(scope));
      stack = fmt::format("{};L__self___{},{},{}", module_stack(here.parent), path, path, plain(here.type));
    }
    return stacks_.emplace(scope, std::move(stack)).first->second;
  }

  const Graph& graph_;
  std::vector<std::string> names_;
  ArgumentWriter arguments_;
  std::vector<bool> left_out_;
  Program program_;
  Json inputs_ = Json::array();
  Json input_specs_ = Json::array();
  Json nodes_ = Json::array();
  Json tensor_values_ = Json::object();
  Json sym_int_values_ = Json::object();
  Json sym_float_values_ = Json::object();
  Json sym_bool_values_ = Json::object();
  Json ranges_ = Json::object();
  std::map<ScopeId, std::string> stacks_;
  int symbols_ = 0;
};

std::string counted(const std::string& what, std::size_t count) {
  return fmt::format("{} ({} node{})", what, count, count == 1 ? "" : "s");
}

}  // namespace

std::vector<bool> left_out(const Graph& graph) {
  std::vector<bool> used(graph.values.size(), false);
  for (const Node& node : graph.nodes) {
    for (const Argument& argument : node.args) for_each_use(argument, [&](ValueId value) { used[value] = true; });
  }
  for (const Output& output : graph.outputs) used[output.value] = true;
  std::vector<bool> left_out(graph.nodes.size(), false);
  for (NodeId id = 0; id < graph.nodes.size(); ++id) {
    const Node& node = graph.nodes[id];
    left_out[id] = node.outputs.size() == 1 && !used[node.outputs[0]] &&
                   (node.op == "aten.is_nonzero.default" || node.op == "aten.item.default");
  }
  return left_out;
}

std::vector<std::string> obstacles(const Graph& graph) {
  std::map<std::string, std::size_t> found;
  const std::vector<bool> without = left_out(graph);
  for (NodeId id = 0; id < graph.nodes.size(); ++id) {
    const Node& node = graph.nodes[id];
    if (without[id]) continue;
    if (!is_torchs(node.op) && host_arithmetic(node.op) == nullptr) ++found[node.op];
  }
  for (const Value& value : graph.values) {
    const Type& type = value.type;
    if (type.kind == Type::Kind::kTensor && info(type.dtype).pt2 <= 0)
      ++found[fmt::format("tensors of {}", name_of(type.dtype))];
  }
  std::vector<std::string> lines;
  for (const auto& [what, count] : found) lines.push_back(counted(what, count));
  return lines;
}

Program lower_to_pt2(const Graph& graph) {
  if (const std::vector<std::string> found = obstacles(graph); !found.empty()) {
    throw Error(ErrorKind::kUnsupported,
                fmt::format("{} is no program of torch.export: it has {}", graph.name, fmt::join(found, ", ")),
                "an .onnx file can hold control flow; without --quantize all operators are PyTorch's");
  }
  return within(graph.name, [&] { return ProgramWriter(graph).write(); });
}

}  // namespace nongemm::pt2
