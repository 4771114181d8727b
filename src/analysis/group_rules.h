// A user's own groups and who belongs to them: the file of `--groups`.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"
#include "ops/group.h"

namespace nongemm {

/// Rules in the order of the file; the first that fits a node decides.
///
///   [groups.fused]                 # a new group; its title in tables is its name unless said otherwise
///   title = "Fused kernels"
///   gemm = false                   # true: counts with GEMM
///
///   [[assign]]
///   operator = "mylib.*"           # patterns; `*` stands for any characters
///   group = "fused"
///
///   [[assign]]
///   module = "*RMSNorm"            # the class of a module around the node ...
///   path = "model.layers.*"        # ... and its path: all that a rule states has to fit
///   group = "normalization"
///   variant = "RMSNorm"            # optional: what the report calls it within the group
class GroupRules {
 public:
  struct Decision {
    Group group = Group::kOther;
    std::string_view variant;  // empty: the operator's own
  };

  /// @throws Error (kIo, kBadInput) naming the file and the line
  static GroupRules read_file(const std::filesystem::path& path);
  static GroupRules parse(std::string_view toml, const std::string& origin);

  std::optional<Decision> decide(const Graph& graph, const Node& node) const;
  /// The rules that fit no node, as a user would find them: "assign 2 (operator 'mylib.*')".
  std::vector<std::string> without_effect(const Graph& graph) const;

 private:
  friend class GroupRulesReader;

  struct Rule {
    std::string op;  // patterns; empty fits all
    std::string module;
    std::string path;
    Group group = Group::kOther;
    std::string variant;

    bool fits(const Graph& graph, const Node& node) const;
  };

  std::vector<Rule> rules_;
};

}  // namespace nongemm
