#include "onnx/name_nodes.h"

#include <fmt/format.h>

#include <algorithm>
#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>
#include <unordered_set>

#include "base/error.h"
#include "onnx/messages.h"

namespace nongemm::onnx {
namespace {

using protozero::pbf_reader;
using protozero::pbf_writer;
using Tag = protozero::pbf_tag_type;

// Field numbers of onnx.proto.
constexpr Tag kModelGraph = 7;
constexpr Tag kModelFunction = 25;
constexpr Tag kGraphNode = 1;
constexpr Tag kFunctionNode = 7;
constexpr Tag kNodeName = 3;
constexpr Tag kNodeAttribute = 5;
constexpr Tag kAttributeGraph = 6;
constexpr Tag kAttributeGraphs = 11;

/// Nodes in the order of their positions, which is that of the file. Functions may stand before the graph in it.
class Renamer {
 public:
  Renamer(const GiveName& give, std::size_t nodes_of_graph) : give_(give), function_position_(nodes_of_graph) {}

  std::string model(std::string_view bytes) {
    bool has_graph = false;
    return changed(bytes, [&](Tag tag, std::string_view part, pbf_writer& out) {
      if (tag == kModelGraph && !has_graph) {
        has_graph = true;
        out.add_message(tag, nodes(part, kGraphNode, graph_position_));
        return true;
      }
      if (tag != kModelFunction) return false;
      out.add_message(tag, nodes(part, kFunctionNode, function_position_));
      return true;
    });
  }

 private:
  /// Copies fields; `change(tag, bytes, out)` writes those that become another and returns whether it did.
  template <typename Change>
  static std::string changed(std::string_view bytes, Change&& change) {
    std::string result;
    pbf_writer out(result);
    pbf_reader message(bytes.data(), bytes.size());
    const char* begin = bytes.data();
    while (message.next()) {
      bool is_changed = false;
      const Tag tag = message.tag();  // forgotten by the reader once the field is read
      if (message.wire_type() == protozero::pbf_wire_type::length_delimited) {
        const protozero::data_view part = message.get_view();
        is_changed = change(tag, {part.data(), part.size()}, out);
      } else {
        message.skip();
      }
      const char* end = bytes.data() + bytes.size() - message.length();
      if (!is_changed) result.append(begin, end);
      begin = end;
    }
    return result;
  }

  std::string nodes(std::string_view bytes, Tag field, std::size_t& position) {
    return changed(bytes, [&](Tag tag, std::string_view part, pbf_writer& out) {
      if (tag != field) return false;
      out.add_message(tag, node(part, position));
      return true;
    });
  }

  std::string node(std::string_view bytes, std::size_t& position) {
    const std::string name = give_(position++, read_node_message(bytes));
    std::string result = changed(bytes, [&](Tag tag, std::string_view part, pbf_writer& out) {
      if (tag == kNodeAttribute) return out.add_message(tag, attribute(part, position)), true;
      return tag == kNodeName;  // left out here
    });
    pbf_writer(result).add_string(kNodeName, name);
    return result;
  }

  std::string attribute(std::string_view bytes, std::size_t& position) {
    return changed(bytes, [&](Tag tag, std::string_view part, pbf_writer& out) {
      if (tag != kAttributeGraph && tag != kAttributeGraphs) return false;
      out.add_message(tag, nodes(part, kGraphNode, position));
      return true;
    });
  }

  const GiveName& give_;
  std::size_t graph_position_ = 0;
  std::size_t function_position_;
};

/// Calls `visit(message)` for every node, in the order of positions.
template <typename Visit>
void for_each_node(const std::vector<std::string_view>& nodes, int depth, Visit&& visit) {
  if (depth > kMostNestedBodies) throw Error(ErrorKind::kBadInput, "subgraphs are nested too deeply");
  for (const std::string_view node : nodes) {
    const NodeMessage message = read_node_message(node);
    visit(message);
    for (const std::string_view body : bodies_of(message)) {
      for_each_node(read_graph_message(body).nodes, depth + 1, visit);
    }
  }
}

std::size_t count_nodes(const ModelMessage& model) {
  std::size_t count = 0;
  for_each_node(read_graph_message(model.graph).nodes, 0, [&](const NodeMessage&) { ++count; });
  return count;
}

/// Runtimes write names into profiles without escaping them.
bool is_harmless(char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; }

bool is_harmless_name(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) { return is_harmless(c); });
}

/// A file may hold any text as an operator, too.
std::string harmless(std::string type) {
  std::replace_if(
      type.begin(), type.end(), [](char c) { return !is_harmless(c); }, '_');
  return type;
}

}  // namespace

std::string with_node_names(std::string_view model, const GiveName& give) {
  return Renamer(give, count_nodes(read_model_message(model))).model(model);
}

std::string with_named_nodes(std::string_view model) {
  const ModelMessage message = read_model_message(model);
  std::unordered_set<std::string> known;
  bool all = true;
  const auto note = [&](const NodeMessage& node) {
    all = is_harmless_name(node.name) && known.insert(node.name).second && all;
  };
  for_each_node(read_graph_message(message.graph).nodes, 0, note);
  for (const std::string_view function : message.functions) {
    for_each_node(read_function_message(function).nodes, 0, note);
  }
  if (all) return "";
  std::unordered_set<std::string> taken;
  std::size_t count = 0;
  return with_node_names(model, [&](std::size_t, const NodeMessage& node) {
    if (is_harmless_name(node.name) && taken.insert(node.name).second) return node.name;
    const std::string type = harmless(node.type);
    std::string name;
    do {
      name = fmt::format("{}_{}", type, ++count);
    } while (known.contains(name) || !taken.insert(name).second);
    return name;
  });
}

}  // namespace nongemm::onnx
