// Higher-order operators: sub-graphs that an exported program calls.
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.h"
#include "base/json.h"
#include "import/pt2/arguments.h"
#include "import/pt2/nodes.h"

namespace nongemm::pt2 {
namespace {

/// They run their sub-graph once, with the operands behind it.
constexpr std::array<std::string_view, 8> kWrappers = {
    "wrap_with_set_grad_enabled", "wrap_with_autocast",         "strict_mode", "hints_wrapper", "invoke_subgraph",
    "tag_activation_checkpoint",  "wrap_activation_checkpoint", "wrap",
};

constexpr int kMaxDepth = 20;

bool is_operand(std::string_view tag) {
  return tag == "as_tensor" || tag == "as_int" || tag == "as_float" || tag == "as_bool" || tag == "as_none" ||
         tag.starts_with("as_sym_");
}

/// The sub-graph of a wrapper and the operands behind it. Names of sub-graphs and hints are no operands.
std::pair<const Json*, std::vector<Json>> graph_and_operands(const Json& inputs) {
  const Json* graph = nullptr;
  std::vector<Json> operands;
  for (const Json& input : inputs) {
    const Json& argument = member(input, "arg");
    const auto [tag, content] = union_of(argument);
    if (tag == "as_graph" && graph == nullptr) {
      graph = &object_at(*content, "graph");
    } else if (graph != nullptr && tag == "as_tensors") {
      for (const Json& tensor : *content) operands.push_back({{"as_tensor", tensor}});
    } else if (graph != nullptr && is_operand(tag) && text_at(input, "name").empty()) {
      operands.push_back(argument);
    }
  }
  return {graph, std::move(operands)};
}

/// Autocast changes the types that operators run in, which only PyTorch's own dispatch knows.
void check_autocast(const Json& inputs) {
  constexpr std::size_t kEnabled = 2;  // (device_type, dtype, enabled, cache_enabled, graph, ...)
  const Json* enabled = inputs.size() > kEnabled ? find_member(member(inputs[kEnabled], "arg"), "as_bool") : nullptr;
  if (enabled != nullptr && !as_flag(*enabled)) return;
  throw Error(ErrorKind::kUnsupported, "runs a part of the model under autocast",
              "export the model in the wanted dtype, or without autocast");
}

}  // namespace

void NodeReader::read_higher_order(std::string_view name, const Json& node, const std::vector<Output>& outputs) {
  const Json& inputs = array_at(node, "inputs");
  if (std::find(kWrappers.begin(), kWrappers.end(), name) == kWrappers.end()) {
    throw Error(ErrorKind::kUnsupported, "the higher-order operator '" + std::string(name) + "' is not handled",
                "export the model without control flow of torch (cond, while_loop, map)");
  }
  if (name == "wrap_with_autocast") check_autocast(inputs);
  const auto [graph, operands] = graph_and_operands(inputs);
  if (graph == nullptr) throw Error(ErrorKind::kBadInput, "has no sub-graph");
  std::vector<const Json*> places;
  places.reserve(operands.size());
  for (const Json& operand : operands) places.push_back(&operand);
  read_in_place(*graph, places, outputs);
}

void NodeReader::read_in_place(const Json& graph, const std::vector<const Json*>& operands,
                               const std::vector<Output>& outputs) {
  if (++depth_ > kMaxDepth) throw Error(ErrorKind::kUnsupported, "sub-graphs are nested too deeply");
  const Json& parameters = array_at(graph, "inputs");
  if (parameters.size() != operands.size()) {
    throw Error(ErrorKind::kBadInput, "gives its sub-graph " + std::to_string(operands.size()) +
                                          " operands, it takes " + std::to_string(parameters.size()));
  }
  Names inner;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const auto [tag, content] = union_of(parameters[i]);
    const Json* name = nullptr;
    if (tag == "as_tensor") name = &member(*content, "name");
    if (tag.starts_with("as_sym_")) name = find_member(*content, "as_name");
    if (name != nullptr) inner[as_text(*name)] = read_argument(*operands[i], nullptr, *names_);
  }
  Names* outer = std::exchange(names_, &inner);
  const ScopeId scope = scope_;
  read(graph);
  scope_ = scope;
  names_ = outer;
  --depth_;

  std::size_t result = 0;
  const auto give = [&](const Json& argument) {
    if (result >= outputs.size()) throw Error(ErrorKind::kBadInput, "its sub-graph gives more results than it has");
    const std::string& name = outputs[result++].name;
    if (!name.empty()) (*names_)[name] = read_argument(argument, nullptr, inner);
  };
  for (const Json& output : array_at(graph, "outputs")) {
    const auto [tag, content] = union_of(output);
    if (tag != "as_tensors") {
      give(output);
      continue;
    }
    for (const Json& tensor : *content) give({{"as_tensor", tensor}});
  }
  if (result != outputs.size()) throw Error(ErrorKind::kBadInput, "its sub-graph gives fewer results than it has");
}

}  // namespace nongemm::pt2
