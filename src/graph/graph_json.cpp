#include "graph/graph_json.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.h"

namespace nongemm {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kVersion = 1;

// --- small pieces ---

Json shape_to_json(const Shape& shape) {
  Json list = Json::array();
  for (const std::int64_t dim : shape) list.push_back(dim == kDynamic ? Json(nullptr) : Json(dim));
  return list;
}

std::string_view name_of(Type::Kind kind) {
  switch (kind) {
    case Type::Kind::kInt:
      return "int";
    case Type::Kind::kFloat:
      return "float";
    case Type::Kind::kBool:
      return "bool";
    case Type::Kind::kTensorList:
      return "tensors";
    default:
      return "tensor";
  }
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
Json argument_to_json(const Argument& argument) {
  struct Visitor {
    Json operator()(std::monostate) const { return nullptr; }
    Json operator()(const Use& use) const { return {{"value", use.value}}; }
    Json operator()(const std::vector<Use>& uses) const {
      Json list = Json::array();
      for (const Use& use : uses) list.push_back(use.value == kNoId ? Json(nullptr) : Json(use.value));
      return {{"values", list}};
    }
    Json operator()(std::int64_t number) const { return number; }
    Json operator()(const std::vector<Int>& ints) const {
      Json list = Json::array();
      for (const Int& value : ints) list.push_back(value.known() ? Json(value.value) : Json{{"value", value.ref}});
      return {{"ints", list}};
    }
    Json operator()(double number) const {
      // JSON has no infinity; models use it as a mask's fill.
      if (!std::isfinite(number)) return {{"float", std::isnan(number) ? "nan" : number > 0 ? "inf" : "-inf"}};
      return {{"float", number}};
    }
    Json operator()(bool flag) const { return flag; }
    Json operator()(const std::string& text) const { return text; }
    Json operator()(DType dtype) const { return {{"dtype", nongemm::name_of(dtype)}}; }
    Json operator()(const std::vector<double>& numbers) const { return {{"floats", numbers}}; }
    Json operator()(const std::vector<bool>& flags) const { return {{"bools", flags}}; }
  };
  return std::visit(Visitor{}, argument);
}

std::string_view name_of(InitSpec::Kind kind) {
  switch (kind) {
    case InitSpec::Kind::kConstant:
      return "constant";
    case InitSpec::Kind::kUniform:
      return "uniform";
    default:
      return "normal";
  }
}

// --- reading: every access is checked ---

class Reader {
 public:
  Reader(const nlohmann::json& root, std::string origin) : root_(root), origin_(std::move(origin)) {}

  Graph read() {
    if (!root_.is_object() || text(root_, "schema") != "nongemm-graph") fail("it is no nongemm graph");
    if (integer(root_, "version") != kVersion) fail("its version is not " + std::to_string(kVersion));
    graph_.name = text(root_, "name");
    for (const auto& [key, value] : object(root_, "attributes").items()) {
      if (!value.is_string()) fail("attribute '" + key + "' is no string");
      graph_.attributes[key] = value.get<std::string>();
    }
    for (const nlohmann::json& value : array(root_, "values")) graph_.values.push_back({read_type(value), kNoId});
    read_scopes();
    read_nodes();
    read_blocks();
    read_interface();
    return std::move(graph_);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const { throw Error(ErrorKind::kBadInput, origin_ + ": " + what); }

  const nlohmann::json& member(const nlohmann::json& object, const char* key) const {
    if (!object.is_object()) fail(std::string("expected an object with '") + key + "'");
    const auto at = object.find(key);
    if (at == object.end()) fail(std::string("'") + key + "' is missing");
    return *at;
  }
  const nlohmann::json& array(const nlohmann::json& object, const char* key) const {
    const nlohmann::json& value = member(object, key);
    if (!value.is_array()) fail(std::string("'") + key + "' is no list");
    return value;
  }
  const nlohmann::json& object(const nlohmann::json& parent, const char* key) const {
    const nlohmann::json& value = member(parent, key);
    if (!value.is_object()) fail(std::string("'") + key + "' is no object");
    return value;
  }
  std::string text(const nlohmann::json& object, const char* key) const {
    const nlohmann::json& value = member(object, key);
    if (!value.is_string()) fail(std::string("'") + key + "' is no string");
    return value.get<std::string>();
  }
  std::int64_t integer(const nlohmann::json& object, const char* key) const {
    const nlohmann::json& value = member(object, key);
    if (!value.is_number_integer()) fail(std::string("'") + key + "' is no integer");
    return value.get<std::int64_t>();
  }
  double number(const nlohmann::json& value) const {
    if (value.is_number()) return value.get<double>();
    if (value == "inf") return INFINITY;
    if (value == "-inf") return -INFINITY;
    if (value == "nan") return NAN;
    fail("expected a number, got " + value.dump());
  }
  std::uint32_t index(const nlohmann::json& value, std::size_t limit, const char* of) const {
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() >= limit) {
      fail(std::string(of) + " " + value.dump() + " does not exist");
    }
    return value.get<std::uint32_t>();
  }
  ValueId value_id(const nlohmann::json& value) const { return index(value, graph_.values.size(), "value"); }
  DType dtype(const std::string& name) const {
    if (name == "undefined") return DType::kUndefined;
    const std::optional<DType> dtype = parse_dtype(name);
    if (!dtype) fail("unknown dtype '" + name + "'");
    return *dtype;
  }

  Shape shape(const nlohmann::json& list) const {
    Shape result;
    if (!list.is_array()) fail("a shape is no list");
    for (const nlohmann::json& dim : list) {
      if (!dim.is_null() && !dim.is_number_integer()) fail("a dimension is neither a number nor null");
      const std::int64_t size = dim.is_null() ? kDynamic : dim.get<std::int64_t>();
      if (!dim.is_null() && size < 0) fail("a dimension is negative");
      result.push_back(size);
    }
    return result;
  }

  Type read_type(const nlohmann::json& value) const {
    Type type;
    const std::string kind = text(value, "kind");
    type.kind = kind == "int"       ? Type::Kind::kInt
                : kind == "float"   ? Type::Kind::kFloat
                : kind == "bool"    ? Type::Kind::kBool
                : kind == "tensors" ? Type::Kind::kTensorList
                                    : Type::Kind::kTensor;
    if (name_of(type.kind) != kind) fail("unknown kind of value '" + kind + "'");
    type.dtype = dtype(text(value, "dtype"));
    type.shape = shape(array(value, "shape"));
    if (value.contains("strides")) type.strides = shape(array(value, "strides"));
    if (!type.strides.empty() && type.strides.size() != type.shape.size()) fail("strides do not fit a shape");
    type.alias = value.contains("alias");
    return type;
  }

  Argument read_argument(const nlohmann::json& value) const {
    if (value.is_null()) return std::monostate{};
    if (value.is_boolean()) return value.get<bool>();
    if (value.is_number_integer()) return value.get<std::int64_t>();
    if (value.is_string()) return value.get<std::string>();
    if (!value.is_object() || value.size() != 1) fail("an argument is not understood: " + value.dump());
    const std::string key = value.begin().key();
    const nlohmann::json& held = value.begin().value();
    if (key == "value") return Use{value_id(held)};
    if (key == "float") return number(held);
    if (key == "dtype" && held.is_string()) return dtype(held.get<std::string>());
    if (!held.is_array()) fail("argument '" + key + "' is not understood");
    if (key == "values") {
      std::vector<Use> uses;
      for (const nlohmann::json& use : held) uses.push_back(Use{use.is_null() ? kNoId : value_id(use)});
      return uses;
    }
    if (key == "ints") {
      std::vector<Int> ints;
      for (const nlohmann::json& element : held) {
        if (element.is_number_integer()) {
          ints.emplace_back(element.get<std::int64_t>());
        } else {
          ints.push_back(Int::of(value_id(member(element, "value"))));
        }
      }
      return ints;
    }
    if (key == "floats") {
      std::vector<double> numbers;
      for (const nlohmann::json& element : held) numbers.push_back(number(element));
      return numbers;
    }
    if (key == "bools") {
      std::vector<bool> flags;
      for (const nlohmann::json& element : held) flags.push_back(element == true);
      return flags;
    }
    fail("argument kind '" + key + "' is unknown");
  }

  void read_scopes() {
    graph_.scopes.clear();
    for (const nlohmann::json& scope : array(root_, "scopes")) {
      // A scope's parent stands before it, so that paths end.
      const std::size_t limit = graph_.scopes.empty() ? 1 : graph_.scopes.size();
      graph_.scopes.push_back(
          {index(member(scope, "parent"), limit, "scope"), text(scope, "name"), text(scope, "type")});
    }
    if (graph_.scopes.empty()) fail("it has no scopes");
  }

  void read_nodes() {
    const nlohmann::json& nodes = array(root_, "nodes");
    const std::size_t block_count = array(root_, "blocks").size();
    for (const nlohmann::json& object : nodes) {
      Node node;
      node.op = text(object, "op");
      for (const nlohmann::json& argument : array(object, "args")) node.args.push_back(read_argument(argument));
      for (const nlohmann::json& output : array(object, "outputs")) {
        node.outputs.push_back(value_id(output));
        Value& value = graph_.values[node.outputs.back()];
        if (value.producer != kNoId) fail("value " + output.dump() + " is defined twice");
        value.producer = static_cast<NodeId>(graph_.nodes.size());
      }
      node.scope = index(member(object, "scope"), graph_.scopes.size(), "scope");
      if (object.contains("blocks")) {
        for (const nlohmann::json& block : array(object, "blocks")) {
          node.blocks.push_back(index(block, block_count, "block"));
        }
      }
      if (object.contains("arg_names")) read_arg_names(object, node);
      graph_.nodes.push_back(std::move(node));
    }
  }

  void read_arg_names(const nlohmann::json& object, Node& node) const {
    for (const nlohmann::json& name : array(object, "arg_names")) {
      if (!name.is_string()) fail("an argument's name is no text");
      node.arg_names.push_back(name.get<std::string>());
    }
    if (node.arg_names.size() != node.args.size()) fail("a node has not as many names as arguments");
  }

  void read_blocks() {
    graph_.blocks.clear();
    for (const nlohmann::json& object : array(root_, "blocks")) {
      Block block;
      for (const nlohmann::json& value : array(object, "parameters")) block.parameters.push_back(value_id(value));
      for (const nlohmann::json& node : array(object, "nodes")) {
        block.nodes.push_back(index(node, graph_.nodes.size(), "node"));
      }
      for (const nlohmann::json& value : array(object, "results")) block.results.push_back(value_id(value));
      graph_.blocks.push_back(std::move(block));
    }
    if (graph_.blocks.empty()) fail("it has no blocks");
  }

  void read_interface() {
    for (const nlohmann::json& object : array(root_, "inputs")) {
      const std::int64_t content = integer(object, "content");
      if (content < 0 || content > static_cast<std::int64_t>(InputKind::Content::kOther)) fail("unknown input content");
      graph_.inputs.push_back({value_id(member(object, "value")),
                               text(object, "name"),
                               {static_cast<InputKind::Content>(content), integer(object, "limit")}});
    }
    for (const nlohmann::json& object : array(root_, "weights")) {
      Weight weight;
      weight.value = value_id(member(object, "value"));
      weight.name = text(object, "name");
      const std::string kind = text(object, "init");
      weight.init.kind = kind == "constant"  ? InitSpec::Kind::kConstant
                         : kind == "uniform" ? InitSpec::Kind::kUniform
                                             : InitSpec::Kind::kNormal;
      weight.init.a = number(member(object, "a"));
      weight.init.b = number(member(object, "b"));
      for (const nlohmann::json& alias : array(object, "aliases")) {
        if (!alias.is_string()) fail("an alias is no string");
        weight.aliases.push_back(alias.get<std::string>());
      }
      weight.buffer = member(object, "buffer") == true;
      graph_.weights.push_back(std::move(weight));
    }
    for (const nlohmann::json& object : array(root_, "constants")) read_constant(object);
    for (const nlohmann::json& object : array(root_, "outputs")) {
      graph_.outputs.push_back({value_id(member(object, "value")), text(object, "name")});
    }
  }

  void read_constant(const nlohmann::json& object) {
    const ValueId id = value_id(member(object, "value"));
    const Type& type = graph_.values[id].type;
    const std::string hex = text(object, "bytes");
    double size = static_cast<double>(size_of(type.dtype));
    for (const std::int64_t dim : type.shape) size *= static_cast<double>(dim);
    if (size < 0 || size * 2 != static_cast<double>(hex.size())) fail("a constant's bytes do not fit its shape");
    auto [tensor, bytes] = HostTensor::allocate(type.dtype, type.shape);
    const auto digit = [&](char c) -> unsigned {
      if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
      if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
      fail("a constant's bytes are not hexadecimal");
    };
    for (std::size_t i = 0; i < hex.size() / 2; ++i) {
      bytes[i] = static_cast<std::byte>(digit(hex[2 * i]) << 4U | digit(hex[2 * i + 1]));
    }
    graph_.constants.push_back({id, tensor});
  }

  const nlohmann::json& root_;
  std::string origin_;
  Graph graph_;
};

}  // namespace

std::string to_json(const Graph& graph) {
  Json root = {{"schema", "nongemm-graph"}, {"version", kVersion}, {"name", graph.name}};
  root["attributes"] = Json::object();
  for (const auto& [key, value] : graph.attributes) root["attributes"][key] = value;
  root["values"] = Json::array();
  for (const Value& value : graph.values) {
    Json object = {{"kind", name_of(value.type.kind)},
                   {"dtype", nongemm::name_of(value.type.dtype)},
                   {"shape", shape_to_json(value.type.shape)}};
    if (!value.type.strides.empty()) object["strides"] = shape_to_json(value.type.strides);
    if (value.type.alias) object["alias"] = true;
    root["values"].push_back(std::move(object));
  }
  root["scopes"] = Json::array();
  for (const Scope& scope : graph.scopes) {
    root["scopes"].push_back({{"parent", scope.parent}, {"name", scope.name}, {"type", scope.type}});
  }
  root["nodes"] = Json::array();
  for (const Node& node : graph.nodes) {
    Json args = Json::array();
    for (const Argument& argument : node.args) args.push_back(argument_to_json(argument));
    Json object = {{"op", node.op}, {"args", args}, {"outputs", node.outputs}, {"scope", node.scope}};
    if (!node.blocks.empty()) object["blocks"] = node.blocks;
    if (!node.arg_names.empty()) object["arg_names"] = node.arg_names;
    root["nodes"].push_back(std::move(object));
  }
  root["blocks"] = Json::array();
  for (const Block& block : graph.blocks) {
    root["blocks"].push_back({{"parameters", block.parameters}, {"nodes", block.nodes}, {"results", block.results}});
  }
  root["inputs"] = Json::array();
  for (const Input& input : graph.inputs) {
    root["inputs"].push_back({{"value", input.value},
                              {"name", input.name},
                              {"content", static_cast<int>(input.kind.content)},
                              {"limit", input.kind.limit}});
  }
  root["weights"] = Json::array();
  for (const Weight& weight : graph.weights) {
    root["weights"].push_back({{"value", weight.value},
                               {"name", weight.name},
                               {"init", name_of(weight.init.kind)},
                               {"a", weight.init.a},
                               {"b", weight.init.b},
                               {"aliases", weight.aliases},
                               {"buffer", weight.buffer}});
  }
  root["constants"] = Json::array();
  for (const Constant& constant : graph.constants) {
    root["constants"].push_back({{"value", constant.value}, {"bytes", hex_of(constant.tensor)}});
  }
  root["outputs"] = Json::array();
  for (const Output& output : graph.outputs) {
    root["outputs"].push_back({{"value", output.value}, {"name", output.name}});
  }
  return root.dump(1);
}

Graph graph_from_json(std::string_view text, const std::string& origin) {
  const nlohmann::json root = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (root.is_discarded()) throw Error(ErrorKind::kBadInput, origin + " is not valid JSON");
  return Reader(root, origin).read();
}

}  // namespace nongemm
