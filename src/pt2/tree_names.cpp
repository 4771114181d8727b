#include "pt2/tree_names.h"

#include <nlohmann/json.hpp>

#include "base/json.h"

namespace nongemm::pt2 {
namespace {

constexpr int kMaxDepth = 50;

/// Keys of a dictionary, or fields of a class, as torch.utils._pytree notes them: a JSON list of texts, as text.
/// Classes of torch.export.register_dataclass have two lists, the second of fields that were None and are no children.
std::vector<std::string> keys_of(const Json& spec, std::size_t children) {
  std::vector<std::string> keys;
  const Json* context = find_member(spec, "context");
  if (context != nullptr && context->is_string()) {
    Json list = parse_json_or_null(context->get_ref<const std::string&>());
    if (list.is_array() && list.size() == 2 && list[0].is_array() && list[1].is_array()) list = Json(list[0]);
    if (list.is_array() && list.size() == children) {
      for (const Json& key : list) {
        if (key.is_string()) keys.push_back(key.get<std::string>());
      }
    }
  }
  if (keys.size() == children) return keys;
  keys.clear();
  for (std::size_t i = 0; i < children; ++i) keys.push_back(std::to_string(i));
  return keys;
}

void collect(const Json& spec, const std::string& path, int depth, std::vector<std::string>& names) {
  const Json* children = find_member(spec, "children_spec");
  const bool is_leaf = find_member(spec, "type") == nullptr;
  if (is_leaf || children == nullptr || !children->is_array() || depth > kMaxDepth) {
    names.push_back(path.empty() ? "output" : path);
    return;
  }
  const std::vector<std::string> keys = keys_of(spec, children->size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    collect((*children)[i], path.empty() ? keys[i] : path + "." + keys[i], depth + 1, names);
  }
}

}  // namespace

std::vector<std::string> tree_names(std::string_view text) {
  // [version, spec]
  const Json spec = parse_json_or_null(text);
  if (!spec.is_array() || spec.size() != 2 || !spec[1].is_object()) return {};
  std::vector<std::string> names;
  collect(spec[1], "", 0, names);
  return names;
}

}  // namespace nongemm::pt2
