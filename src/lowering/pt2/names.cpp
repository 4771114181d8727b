#include "lowering/pt2/names.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "ops/foreign.h"

namespace nongemm::pt2 {
namespace {

constexpr std::array<std::string_view, 35> kKeywords = {
    "False", "None",     "True",  "and",    "as",   "assert", "async",  "await",    "break",
    "class", "continue", "def",   "del",    "elif", "else",   "except", "finally",  "for",
    "from",  "global",   "if",    "import", "in",   "is",     "lambda", "nonlocal", "not",
    "or",    "pass",     "raise", "return", "try",  "while",  "with",   "yield"};

}  // namespace

std::string identifier(std::string_view name, std::set<std::string>& taken) {
  std::string plain(name);
  for (char& letter : plain) {
    if (std::isalnum(static_cast<unsigned char>(letter)) == 0) letter = '_';
  }
  if (plain.empty() || std::isdigit(static_cast<unsigned char>(plain[0])) != 0) plain.insert(0, "args_");
  if (std::find(kKeywords.begin(), kKeywords.end(), plain) != kKeywords.end()) plain += '_';
  std::string free = plain;
  for (int i = 1; !taken.insert(free).second; ++i) free = fmt::format("{}_{}", plain, i);
  return free;
}

std::string node_name(const Graph& graph, NodeId node) {
  std::string op(base_name(graph.nodes[node].op));
  for (char& letter : op) {
    if (std::isalnum(static_cast<unsigned char>(letter)) == 0) letter = '_';
  }
  return fmt::format("n{}_{}", node, op);
}

std::optional<NodeId> node_in_name(std::string_view name) {
  if (!name.starts_with('n')) return std::nullopt;
  NodeId id = 0;
  const char* end = name.data() + name.size();
  const auto [at, error] = std::from_chars(name.data() + 1, end, id);
  if (error != std::errc() || at == end || *at != '_') return std::nullopt;
  return id;
}

std::vector<std::string> value_names(const Graph& graph) {
  std::vector<std::string> names(graph.values.size());
  std::set<std::string> taken;
  for (NodeId id = 0; id < graph.nodes.size(); ++id) {
    const Node& node = graph.nodes[id];
    const std::string name = node_name(graph, id);
    taken.insert(name);
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      names[node.outputs[i]] = node.outputs.size() == 1 ? name : fmt::format("{}_{}", name, i);
      taken.insert(names[node.outputs[i]]);
    }
  }
  for (const Input& input : graph.inputs) names[input.value] = identifier(input.name, taken);
  for (const Weight& weight : graph.weights) {
    names[weight.value] = identifier((weight.buffer ? "b_" : "p_") + weight.name, taken);
  }
  for (std::size_t i = 0; i < graph.constants.size(); ++i) {
    names[graph.constants[i].value] = identifier(fmt::format("c_constant_{}", i), taken);
  }
  return names;
}

}  // namespace nongemm::pt2
