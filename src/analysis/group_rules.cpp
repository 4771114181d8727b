#include "analysis/group_rules.h"

#include <fmt/format.h>

// Parse errors come as exceptions, all others as Error.
#include <toml++/toml.h>

#include <algorithm>
#include <cctype>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

namespace nongemm {
namespace {

constexpr std::uint64_t kMaxBytes = std::uint64_t{1} << 20;

bool is_identifier(std::string_view id) {
  return !id.empty() && std::all_of(id.begin(), id.end(), [](char c) {
    return std::islower(static_cast<unsigned char>(c)) != 0 || std::isdigit(static_cast<unsigned char>(c)) != 0 ||
           c == '-' || c == '_';
  });
}

}  // namespace

class GroupRulesReader {
 public:
  GroupRulesReader(const toml::table& root, const std::string& origin) : root_(root), origin_(origin) {}

  GroupRules read() {
    check_keys(root_, {"groups", "assign"});
    if (const toml::node* groups = root_.get("groups")) read_groups(*groups);
    if (const toml::node* rules = root_.get("assign")) read_rules(*rules);
    return std::move(result_);
  }

 private:
  [[noreturn]] void fail(const toml::node& at, const std::string& what, std::string way_out = "") const {
    throw Error(ErrorKind::kBadInput, fmt::format("{}:{}: {}", origin_, at.source().begin.line, what),
                std::move(way_out));
  }

  void check_keys(const toml::table& table, const std::vector<std::string>& known) const {
    for (const auto& [name, value] : table) {
      const std::string_view key = name;  // toml++ 2, which Ubuntu 22.04 has, gives strings
      if (std::find(known.begin(), known.end(), key) != known.end()) continue;
      fail(value, fmt::format("'{}' is not understood", key), did_you_mean(key, known));
    }
  }

  std::string text(const toml::table& table, std::string_view key) const {
    const toml::node* value = table.get(key);
    if (value == nullptr) return "";
    if (!value->is_string()) fail(*value, fmt::format("'{}' is no text", key));
    return value->as_string()->get();
  }

  void read_groups(const toml::node& groups) {
    const toml::table* table = groups.as_table();
    if (table == nullptr) fail(groups, "'groups' is no table", "write [groups.NAME]");
    for (const auto& [name, value] : *table) {
      const std::string_view id = name;
      const toml::table* group = value.as_table();
      if (group == nullptr) fail(value, fmt::format("group '{}' is no table", id), "write [groups.NAME]");
      check_keys(*group, {"title", "gemm"});
      if (!is_identifier(id)) {
        fail(value, fmt::format("'{}' cannot be a group's name", id), "use small letters, digits, - and _");
      }
      if (is_built_in(id)) fail(value, fmt::format("there is a group '{}' already", id));
      const toml::node* gemm = group->get("gemm");
      if (gemm != nullptr && !gemm->is_boolean()) fail(*gemm, "'gemm' is neither true nor false");
      const std::string title = text(*group, "title");
      add_group(std::string(id), title.empty() ? std::string(id) : title, gemm != nullptr && gemm->as_boolean()->get());
    }
  }

  void read_rules(const toml::node& rules) {
    const toml::array* list = rules.as_array();
    if (list == nullptr) fail(rules, "'assign' is no list of tables", "write [[assign]]");
    for (const toml::node& rule : *list) {
      const toml::table* table = rule.as_table();
      if (table == nullptr) fail(rule, "'assign' is no list of tables", "write [[assign]]");
      read_rule(*table);
    }
  }

  void read_rule(const toml::table& table) {
    check_keys(table, {"operator", "module", "path", "group", "variant"});
    GroupRules::Rule rule{text(table, "operator"), text(table, "module"), text(table, "path"), Group::kOther,
                          text(table, "variant")};
    if (rule.op.empty() && rule.module.empty() && rule.path.empty()) {
      fail(table, "a rule names no operator, module or path");
    }
    const std::string id = text(table, "group");
    if (id.empty()) fail(table, "a rule names no group");
    const std::optional<Group> group = parse_group(id);
    if (!group) fail(*table.get("group"), fmt::format("unknown group '{}'", id), did_you_mean(id, group_ids()));
    rule.group = *group;
    result_.rules_.push_back(std::move(rule));
  }

  const toml::table& root_;
  const std::string& origin_;
  GroupRules result_;
};

GroupRules GroupRules::read_file(const std::filesystem::path& path) {
  return parse(nongemm::read_file(path, kMaxBytes), path.string());
}

GroupRules GroupRules::parse(std::string_view toml, const std::string& origin) {
  try {
    const toml::table root = toml::parse(toml, origin);
    return GroupRulesReader(root, origin).read();
  } catch (const toml::parse_error& error) {
    throw Error(ErrorKind::kBadInput, fmt::format("{}:{}: {}", origin, error.source().begin.line, error.description()));
  }
}

/// A rule for modules fits a node in any depth below the module.
bool GroupRules::Rule::fits(const Graph& graph, const Node& node) const {
  if (!op.empty() && !matches_glob(op, node.op)) return false;
  if (module.empty() && path.empty()) return true;
  for (ScopeId scope = node.scope; scope != kRootScope; scope = graph.scopes[scope].parent) {
    const bool class_fits = module.empty() || matches_glob(module, graph.scopes[scope].type);
    if (class_fits && (path.empty() || matches_glob(path, graph.scope_path(scope)))) return true;
  }
  return false;
}

std::vector<std::string> GroupRules::without_effect(const Graph& graph) const {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    const Rule& rule = rules_[i];
    if (std::any_of(graph.nodes.begin(), graph.nodes.end(), [&](const Node& node) { return rule.fits(graph, node); })) {
      continue;
    }
    std::string patterns;
    for (const auto& [what, pattern] : {std::pair{"operator", rule.op}, {"module", rule.module}, {"path", rule.path}}) {
      if (!pattern.empty()) patterns += fmt::format("{}{} '{}'", patterns.empty() ? "" : ", ", what, pattern);
    }
    texts.push_back(fmt::format("assign {} ({})", i + 1, patterns));
  }
  return texts;
}

std::optional<GroupRules::Decision> GroupRules::decide(const Graph& graph, const Node& node) const {
  for (const Rule& rule : rules_) {
    if (rule.fits(graph, node)) return Decision{rule.group, rule.variant};
  }
  return std::nullopt;
}

}  // namespace nongemm
