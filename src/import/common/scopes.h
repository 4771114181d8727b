// From a node's nn_module_stack to scopes of the graph.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "graph/graph.h"

namespace nongemm::pt2 {

class Scopes {
 public:
  explicit Scopes(Graph& graph) : graph_(graph) {}

  /// @param stack "key,path,class;key,path,class;...", outermost first; what is malformed counts as outside any module
  ScopeId find(std::string_view stack);

 private:
  ScopeId enter(ScopeId parent, const std::string& path, const std::string& type);

  Graph& graph_;
  std::map<std::pair<ScopeId, std::string>, ScopeId> known_;  // by parent and whole path
  std::map<std::string, ScopeId, std::less<>> by_stack_;
};

}  // namespace nongemm::pt2
