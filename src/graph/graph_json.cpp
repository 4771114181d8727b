#include "graph/graph_json.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "graph/graph_json_names.h"

namespace nongemm {
namespace {

OrderedJson shape_to_json(const Shape& shape) {
  OrderedJson list = OrderedJson::array();
  for (const std::int64_t dim : shape) list.push_back(dim == kDynamic ? OrderedJson(nullptr) : OrderedJson(dim));
  return list;
}

std::string hex_of(const HostTensor& tensor) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  const auto* bytes = reinterpret_cast<const unsigned char*>(tensor.data.get());
  for (std::size_t i = 0; i < tensor.byte_size(); ++i) {
    text += kDigits[bytes[i] >> 4U];
    text += kDigits[bytes[i] & 15U];
  }
  return text;
}

// Arguments are written so that their kind can be told from the JSON alone: a use is {"value": 3}, a dtype {"dtype":
// "int64"}; numbers, strings, booleans and null are themselves; lists are lists, and an empty one says of what.
OrderedJson argument_to_json(const Argument& argument) {
  struct Visitor {
    OrderedJson operator()(std::monostate) const { return nullptr; }
    OrderedJson operator()(const Use& use) const { return {{"value", use.value}}; }
    OrderedJson operator()(const std::vector<Use>& uses) const {
      OrderedJson list = OrderedJson::array();
      for (const Use& use : uses) list.push_back(use.value == kNoId ? OrderedJson(nullptr) : OrderedJson(use.value));
      return {{"values", list}};
    }
    OrderedJson operator()(std::int64_t number) const { return number; }
    OrderedJson operator()(const std::vector<Int>& ints) const {
      OrderedJson list = OrderedJson::array();
      for (const Int& value : ints)
        list.push_back(value.known() ? OrderedJson(value.value) : OrderedJson{{"value", value.ref}});
      return {{"ints", list}};
    }
    OrderedJson operator()(double number) const {
      // JSON has no infinity; models use it as a mask's fill.
      if (!std::isfinite(number)) return {{"float", std::isnan(number) ? "nan" : number > 0 ? "inf" : "-inf"}};
      return {{"float", number}};
    }
    OrderedJson operator()(bool flag) const { return flag; }
    OrderedJson operator()(const std::string& text) const { return text; }
    OrderedJson operator()(DType dtype) const { return {{"dtype", name_of(dtype)}}; }
    OrderedJson operator()(const std::vector<double>& numbers) const { return {{"floats", numbers}}; }
    OrderedJson operator()(const std::vector<bool>& flags) const { return {{"bools", flags}}; }
  };
  return std::visit(Visitor{}, argument);
}

OrderedJson json_of(const Weight& weight) {
  const InitSpec& init = weight.init;
  OrderedJson object = {{"value", weight.value},
                        {"name", weight.name},
                        {"init", name_in(kInitNames, init.kind)},
                        {"a", init.a},
                        {"b", init.b},
                        {"aliases", weight.aliases},
                        {"buffer", weight.buffer}};
  if (init.peaks != 0) object.update({{"peaks", init.peaks}, {"every", init.every}, {"peak", init.peak}});
  return object;
}

OrderedJson json_of(const Graph& graph) {
  OrderedJson root = {{"schema", "nongemm-graph"}, {"version", kGraphJsonVersion}, {"name", graph.name}};
  root["attributes"] = OrderedJson::object();
  for (const auto& [key, value] : graph.attributes) root["attributes"][key] = value;
  root["values"] = OrderedJson::array();
  for (const Value& value : graph.values) {
    OrderedJson object = {{"kind", name_in(kKindNames, value.type.kind)},
                          {"dtype", name_of(value.type.dtype)},
                          {"shape", shape_to_json(value.type.shape)}};
    if (!value.type.strides.empty()) object["strides"] = shape_to_json(value.type.strides);
    if (value.type.alias) object["alias"] = true;
    root["values"].push_back(std::move(object));
  }
  root["scopes"] = OrderedJson::array();
  for (const Scope& scope : graph.scopes) {
    root["scopes"].push_back({{"parent", scope.parent}, {"name", scope.name}, {"type", scope.type}});
  }
  root["nodes"] = OrderedJson::array();
  for (const Node& node : graph.nodes) {
    OrderedJson args = OrderedJson::array();
    for (const Argument& argument : node.args) args.push_back(argument_to_json(argument));
    OrderedJson object = {{"op", node.op}, {"args", args}, {"outputs", node.outputs}, {"scope", node.scope}};
    if (!node.blocks.empty()) object["blocks"] = node.blocks;
    if (!node.arg_names.empty()) object["arg_names"] = node.arg_names;
    root["nodes"].push_back(std::move(object));
  }
  root["blocks"] = OrderedJson::array();
  for (const Block& block : graph.blocks) {
    root["blocks"].push_back({{"parameters", block.parameters}, {"nodes", block.nodes}, {"results", block.results}});
  }
  root["inputs"] = OrderedJson::array();
  for (const Input& input : graph.inputs) {
    root["inputs"].push_back({{"value", input.value},
                              {"name", input.name},
                              {"content", static_cast<int>(input.kind.content)},
                              {"limit", input.kind.limit}});
  }
  root["weights"] = OrderedJson::array();
  for (const Weight& weight : graph.weights) {
    root["weights"].push_back(json_of(weight));
  }
  root["constants"] = OrderedJson::array();
  for (const Constant& constant : graph.constants) {
    OrderedJson object = {{"value", constant.value}, {"bytes", hex_of(constant.tensor)}};
    if (constant.on_host) object["on_host"] = true;
    root["constants"].push_back(std::move(object));
  }
  root["outputs"] = OrderedJson::array();
  for (const Output& output : graph.outputs) {
    root["outputs"].push_back({{"value", output.value}, {"name", output.name}});
  }
  if (graph.preparation != nullptr) root["preparation"] = json_of(*graph.preparation);
  return root;
}

}  // namespace

std::string to_json(const Graph& graph, int indent) {
  // Names in files of others may be any bytes.
  return dump_json(json_of(graph), indent);
}

}  // namespace nongemm
