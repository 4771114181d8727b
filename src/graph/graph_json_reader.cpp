#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/json.h"
#include "graph/graph_json.h"
#include "graph/graph_json_names.h"

namespace nongemm {
namespace {

/// A whole tree is not shown: it may be long.
std::string shown(const Json& value) { return value.is_primitive() ? dump_json(value) : value.type_name(); }

/// Every access is checked.
class Reader {
 public:
  Reader(const Json& root, std::string origin) : root_(root), origin_(std::move(origin)) {}

  Graph read() {
    if (!root_.is_object() || text(root_, "schema") != "nongemm-graph") fail("it is no nongemm graph");
    if (integer(root_, "version") != kGraphJsonVersion) fail("its version is not " + std::to_string(kGraphJsonVersion));
    graph_.name = text(root_, "name");
    for (const auto& [key, value] : object(root_, "attributes").items()) {
      if (!value.is_string()) fail("attribute '" + key + "' is no string");
      graph_.attributes[key] = value.get<std::string>();
    }
    for (const Json& value : array(root_, "values")) graph_.values.push_back({read_type(value), kNoId});
    read_scopes();
    read_nodes();
    read_blocks();
    read_interface();
    if (const auto preparation = root_.find("preparation"); preparation != root_.end()) {
      graph_.preparation = std::make_shared<const Graph>(Reader(*preparation, origin_).read());
    }
    return std::move(graph_);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const { throw Error(ErrorKind::kBadInput, origin_ + ": " + what); }

  const Json& member(const Json& object, const char* key) const {
    if (!object.is_object()) fail(std::string("expected an object with '") + key + "'");
    const auto at = object.find(key);
    if (at == object.end()) fail(std::string("'") + key + "' is missing");
    return *at;
  }
  const Json& array(const Json& object, const char* key) const {
    const Json& value = member(object, key);
    if (!value.is_array()) fail(std::string("'") + key + "' is no list");
    return value;
  }
  const Json& object(const Json& parent, const char* key) const {
    const Json& value = member(parent, key);
    if (!value.is_object()) fail(std::string("'") + key + "' is no object");
    return value;
  }
  std::string text(const Json& object, const char* key) const {
    const Json& value = member(object, key);
    if (!value.is_string()) fail(std::string("'") + key + "' is no string");
    return value.get<std::string>();
  }
  std::int64_t integer(const Json& object, const char* key) const {
    const Json& value = member(object, key);
    if (!value.is_number_integer()) fail(std::string("'") + key + "' is no integer");
    return value.get<std::int64_t>();
  }
  double number(const Json& value) const {
    if (value.is_number()) return value.get<double>();
    if (value == "inf") return INFINITY;
    if (value == "-inf") return -INFINITY;
    if (value == "nan") return NAN;
    fail("expected a number, got " + shown(value));
  }
  std::uint32_t index(const Json& value, std::size_t limit, const char* of) const {
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() >= limit) {
      fail(std::string(of) + " " + shown(value) + " does not exist");
    }
    return value.get<std::uint32_t>();
  }
  ValueId value_id(const Json& value) const { return index(value, graph_.values.size(), "value"); }
  DType dtype(const std::string& name) const {
    if (name == "undefined") return DType::kUndefined;
    const std::optional<DType> dtype = parse_dtype(name);
    if (!dtype) fail("unknown dtype '" + name + "'");
    return *dtype;
  }

  Shape shape(const Json& list) const {
    Shape result;
    if (!list.is_array()) fail("a shape is no list");
    for (const Json& dim : list) {
      if (!dim.is_null() && !dim.is_number_integer()) fail("a dimension is neither a number nor null");
      const std::int64_t size = dim.is_null() ? kDynamic : dim.get<std::int64_t>();
      if (!dim.is_null() && size < 0) fail("a dimension is negative");
      result.push_back(size);
    }
    return result;
  }

  Type read_type(const Json& value) const {
    Type type;
    const std::string kind = text(value, "kind");
    const auto known = kind_in(kKindNames, kind);
    if (!known) fail("unknown kind of value '" + kind + "'");
    type.kind = *known;
    type.dtype = dtype(text(value, "dtype"));
    type.shape = shape(array(value, "shape"));
    if (value.contains("strides")) type.strides = shape(array(value, "strides"));
    if (!type.strides.empty() && type.strides.size() != type.shape.size()) fail("strides do not fit a shape");
    type.alias = value.contains("alias");
    return type;
  }

  Argument read_argument(const Json& value) const {
    if (value.is_null()) return std::monostate{};
    if (value.is_boolean()) return value.get<bool>();
    if (value.is_number_integer()) return value.get<std::int64_t>();
    if (value.is_string()) return value.get<std::string>();
    if (!value.is_object() || value.size() != 1) fail("an argument is not understood: " + shown(value));
    const std::string key = value.begin().key();
    const Json& held = value.begin().value();
    if (key == "value") return Use{value_id(held)};
    if (key == "float") return number(held);
    if (key == "dtype" && held.is_string()) return dtype(held.get<std::string>());
    if (!held.is_array()) fail("argument '" + key + "' is not understood");
    if (key == "values") {
      std::vector<Use> uses;
      for (const Json& use : held) uses.push_back(Use{use.is_null() ? kNoId : value_id(use)});
      return uses;
    }
    if (key == "ints") {
      std::vector<Int> ints;
      for (const Json& element : held) {
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
      for (const Json& element : held) numbers.push_back(number(element));
      return numbers;
    }
    if (key == "bools") {
      std::vector<bool> flags;
      for (const Json& element : held) flags.push_back(element == true);
      return flags;
    }
    fail("argument kind '" + key + "' is unknown");
  }

  void read_scopes() {
    graph_.scopes.clear();
    for (const Json& scope : array(root_, "scopes")) {
      // A scope's parent stands before it, so that paths end.
      const std::size_t limit = graph_.scopes.empty() ? 1 : graph_.scopes.size();
      graph_.scopes.push_back(
          {index(member(scope, "parent"), limit, "scope"), text(scope, "name"), text(scope, "type")});
    }
    if (graph_.scopes.empty()) fail("it has no scopes");
  }

  void read_nodes() {
    const Json& nodes = array(root_, "nodes");
    const std::size_t block_count = array(root_, "blocks").size();
    for (const Json& object : nodes) {
      Node node;
      node.op = text(object, "op");
      for (const Json& argument : array(object, "args")) node.args.push_back(read_argument(argument));
      for (const Json& output : array(object, "outputs")) {
        node.outputs.push_back(value_id(output));
        Value& value = graph_.values[node.outputs.back()];
        if (value.producer != kNoId) fail("value " + shown(output) + " is defined twice");
        value.producer = static_cast<NodeId>(graph_.nodes.size());
      }
      node.scope = index(member(object, "scope"), graph_.scopes.size(), "scope");
      if (object.contains("blocks")) {
        for (const Json& block : array(object, "blocks")) {
          node.blocks.push_back(index(block, block_count, "block"));
        }
      }
      if (object.contains("arg_names")) read_arg_names(object, node);
      graph_.nodes.push_back(std::move(node));
    }
  }

  void read_arg_names(const Json& object, Node& node) const {
    for (const Json& name : array(object, "arg_names")) {
      if (!name.is_string()) fail("an argument's name is no text");
      node.arg_names.push_back(name.get<std::string>());
    }
    if (node.arg_names.size() != node.args.size()) fail("a node has not as many names as arguments");
  }

  void read_blocks() {
    graph_.blocks.clear();
    for (const Json& object : array(root_, "blocks")) {
      Block block;
      for (const Json& value : array(object, "parameters")) block.parameters.push_back(value_id(value));
      for (const Json& node : array(object, "nodes")) {
        block.nodes.push_back(index(node, graph_.nodes.size(), "node"));
      }
      for (const Json& value : array(object, "results")) block.results.push_back(value_id(value));
      graph_.blocks.push_back(std::move(block));
    }
    if (graph_.blocks.empty()) fail("it has no blocks");
  }

  void read_interface() {
    for (const Json& object : array(root_, "inputs")) {
      const std::int64_t content = integer(object, "content");
      if (content < 0 || content > static_cast<std::int64_t>(InputKind::Content::kOther)) fail("unknown input content");
      graph_.inputs.push_back({value_id(member(object, "value")),
                               text(object, "name"),
                               {static_cast<InputKind::Content>(content), integer(object, "limit")}});
    }
    for (const Json& object : array(root_, "weights")) {
      Weight weight;
      weight.value = value_id(member(object, "value"));
      weight.name = text(object, "name");
      const std::string kind = text(object, "init");
      const auto known = kind_in(kInitNames, kind);
      if (!known) fail("unknown init '" + kind + "'");
      weight.init.kind = *known;
      weight.init.a = number(member(object, "a"));
      weight.init.b = number(member(object, "b"));
      if (object.contains("peaks")) {
        weight.init.peaks = integer(object, "peaks");
        weight.init.every = integer(object, "every");
        weight.init.peak = number(member(object, "peak"));
        if (weight.init.peaks < 0 || weight.init.every < 1) fail("a weight's peaks are no such number");
      }
      for (const Json& alias : array(object, "aliases")) {
        if (!alias.is_string()) fail("an alias is no string");
        weight.aliases.push_back(alias.get<std::string>());
      }
      weight.buffer = member(object, "buffer") == true;
      graph_.weights.push_back(std::move(weight));
    }
    for (const Json& object : array(root_, "constants")) read_constant(object);
    for (const Json& object : array(root_, "outputs")) {
      graph_.outputs.push_back({value_id(member(object, "value")), text(object, "name")});
    }
  }

  void read_constant(const Json& object) {
    const ValueId id = value_id(member(object, "value"));
    const Type& type = graph_.values[id].type;
    const std::string hex = text(object, "bytes");
    double size = static_cast<double>(size_of(type.dtype));
    for (const std::int64_t dim : type.shape) {
      if (dim < 0) fail("a constant's shape is not known");
      size *= static_cast<double>(dim);
    }
    if (size * 2 != static_cast<double>(hex.size())) fail("a constant's bytes do not fit its shape");
    auto [tensor, bytes] = HostTensor::allocate(type.dtype, type.shape);
    const auto digit = [&](char c) -> unsigned {
      if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
      if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
      fail("a constant's bytes are not hexadecimal");
    };
    for (std::size_t i = 0; i < hex.size() / 2; ++i) {
      bytes[i] = static_cast<std::byte>(digit(hex[2 * i]) << 4U | digit(hex[2 * i + 1]));
    }
    graph_.constants.push_back({id, tensor, object.value("on_host", Json()) == true});
  }

  const Json& root_;
  std::string origin_;
  Graph graph_;
};

}  // namespace

Graph graph_from_json(std::string_view text, const std::string& origin) {
  return Reader(parse_json(text, origin), origin).read();
}

}  // namespace nongemm
