#include "import/common/output_names.h"

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "pt2/tree_names.h"

namespace nongemm::pt2 {

std::vector<std::string> output_names(const Json& graph_module) {
  const Json* calls = find_member(graph_module, "module_call_graph");
  if (calls == nullptr || !calls->is_array() || calls->empty()) return {};
  const Json* signature = find_member((*calls)[0], "signature");
  const Json* text = signature == nullptr ? nullptr : find_member(*signature, "out_spec");
  if (text == nullptr || !text->is_string()) return {};
  return tree_names(text->get_ref<const std::string&>());
}

}  // namespace nongemm::pt2
