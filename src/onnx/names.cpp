#include "onnx/names.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace nongemm::onnx {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alphanumeric(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// Whether the text, followed by '/', would read as a node's id.
bool ends_like_id(std::string_view text) {
  std::size_t at = text.size();
  while (at > 0 && is_digit(text[at - 1])) --at;
  if (at == text.size() || at == 0 || text[at - 1] != 'n') return false;
  return at == 1 || !is_alphanumeric(text[at - 2]);
}

std::string cleaned(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (!is_alphanumeric(c) && c != '.') c = '_';
  }
  return result;
}

/// "aten.add.Tensor" -> "aten.add"
std::string_view without_overload(std::string_view op) {
  const std::size_t last = op.rfind('.');
  return last == std::string_view::npos || op.find('.') == last ? op : op.substr(0, last);
}

}  // namespace

std::string node_name(const Graph& graph, NodeId node, int ordinal) {
  std::string scope = cleaned(graph.scope_path(graph.nodes.at(node).scope));
  if (ends_like_id(scope)) scope += '_';
  const std::string name = fmt::format("n{}/{}/{}", node, scope, cleaned(without_overload(graph.nodes[node].op)));
  return ordinal == 1 ? name : fmt::format("{}.{}", name, ordinal);
}

std::string value_name(const Graph& graph, ValueId value) {
  const NodeId producer = graph.values.at(value).producer;
  return producer == kNoId ? fmt::format("c{}", value) : fmt::format("n{}/v{}", producer, value);
}

std::string temporary_name(NodeId node, int number) { return fmt::format("n{}/t{}", node, number); }

ValueId value_named(std::string_view name) {
  const std::size_t at = name.find("/v");
  if (!name.starts_with('n') || at == std::string_view::npos) return kNoId;
  ValueId id = kNoId;
  const char* last = name.data() + name.size();
  const auto [end, error] = std::from_chars(name.data() + at + 2, last, id);
  return error == std::errc() && (end == last || *end == '_') ? id : kNoId;
}

std::vector<NodeId> graph_nodes_in(std::string_view text) {
  std::vector<NodeId> nodes;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != 'n' || (at > 0 && is_alphanumeric(text[at - 1]))) continue;
    NodeId id = 0;
    const char* first = text.data() + at + 1;
    const char* last = text.data() + text.size();
    const auto [end, error] = std::from_chars(first, last, id);
    if (error == std::errc() && end != last && *end == '/') nodes.push_back(id);
  }
  std::sort(nodes.begin(), nodes.end());
  nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
  return nodes;
}

}  // namespace nongemm::onnx
