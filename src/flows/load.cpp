#include "flows/load.h"

#include <array>
#include <map>

#include "base/error.h"
#include "base/text.h"
#include "flows/descriptions.h"
#include "flows/module.h"
#include "flows/places.h"

namespace nongemm {

std::span<const FlowDescription* const> known_flows() {
  static const std::array kFlows = {&torch_description(), &ort_description(), &tensorrt_description(),
                                    &inductor_description()};
  return kFlows;
}

Flow& load_flow(const std::string& name) {
  static std::map<std::string, std::unique_ptr<Flow>> loaded;
  if (const auto known = loaded.find(name); known != loaded.end()) return *known->second;

  const FlowDescription* entry = nullptr;
  std::vector<std::string> names;
  for (const FlowDescription* candidate : known_flows()) {
    if (candidate->name == name) entry = candidate;
    names.emplace_back(candidate->name);
  }
  if (entry == nullptr) throw Error(ErrorKind::kUsage, "unknown flow '" + name + "'", did_you_mean(name, names));

  const auto create = reinterpret_cast<NongemmCreateFlow>(
      module_entry(module_folder() + "/libnongemm_flow_" + name + ".so", "nongemm_create_flow",
                   "flow '" + name + "' cannot be loaded", std::string(entry->way_out)));
  return *loaded.emplace(name, create()).first->second;
}

}  // namespace nongemm
