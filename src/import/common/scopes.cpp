#include "import/common/scopes.h"

#include <vector>

namespace nongemm::pt2 {
namespace {

/// A hook of torch.export leaves this where a node belongs to no module.
constexpr std::string_view kNoModule = "_empty_nn_module_stack_from_metadata_hook";

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

/// "h.0" of "L['self'].h.0" (strict export) and of "h.0@1" (the second call of one module).
std::string plain_path(std::string_view path) {
  constexpr std::string_view kSelf = "L['self']";
  if (path.starts_with(kSelf)) path.remove_prefix(kSelf.size());
  if (path.starts_with('.')) path.remove_prefix(1);
  return std::string(path.substr(0, path.find('@')));
}

std::string class_name(std::string_view qualified) { return std::string(qualified.substr(qualified.rfind('.') + 1)); }

}  // namespace

ScopeId Scopes::find(std::string_view stack) {
  if (const auto at = by_stack_.find(stack); at != by_stack_.end()) return at->second;
  ScopeId scope = kRootScope;
  for (const std::string_view entry : split(stack, ';')) {
    const std::vector<std::string_view> parts = split(entry, ',');
    if (parts.size() < 3 || parts[0] == kNoModule) continue;
    scope = enter(scope, plain_path(parts[1]), class_name(parts[2]));
  }
  by_stack_.emplace(stack, scope);
  return scope;
}

ScopeId Scopes::enter(ScopeId parent, const std::string& path, const std::string& type) {
  const auto [at, is_new] = known_.emplace(std::pair(parent, path), static_cast<ScopeId>(graph_.scopes.size()));
  if (!is_new) return at->second;
  // A module's name is its path without its parent's; one that is called from elsewhere keeps its whole path.
  const std::string outer = graph_.scope_path(parent);
  const bool inside = !outer.empty() && path.starts_with(outer + ".");
  graph_.scopes.push_back({parent, inside ? path.substr(outer.size() + 1) : path, type});
  return at->second;
}

}  // namespace nongemm::pt2
