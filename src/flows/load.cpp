#include "flows/load.h"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "base/error.h"
#include "base/text.h"
#include "flows/module.h"

namespace nongemm {

std::span<const FlowEntry> known_flows() {
  static constexpr std::array<std::string_view, 1> kOrt = {"level"};
  static constexpr std::array<std::string_view, 4> kTensorRt = {"precision", "level", "cache", "export"};
  static constexpr std::array kFlows = {
      FlowEntry{"torch", "PyTorch (LibTorch)",
                "run ./nongemm once to set it up, or name a torch install in NONGEMM_TORCH"},
      FlowEntry{"ort", "ONNX Runtime",
                "run ./nongemm once to set it up, or name an install or wheel of onnxruntime in NONGEMM_ORT", kOrt},
      FlowEntry{"tensorrt", "TensorRT",
                "name a folder with TensorRT's headers in TENSORRT_ROOT and build again (docs/tensorrt.md)", kTensorRt},
  };
  return kFlows;
}

std::string module_folder() {
  if (const char* named = std::getenv("NONGEMM_MODULES")) return named;
  std::error_code error;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  return (program.parent_path().parent_path() / "lib" / "nongemm").string();
}

Flow& load_flow(const std::string& name) {
  static std::map<std::string, std::unique_ptr<Flow>> loaded;
  if (const auto known = loaded.find(name); known != loaded.end()) return *known->second;

  const FlowEntry* entry = nullptr;
  std::vector<std::string> names;
  for (const FlowEntry& candidate : known_flows()) {
    if (candidate.name == name) entry = &candidate;
    names.emplace_back(candidate.name);
  }
  if (entry == nullptr) throw Error(ErrorKind::kUsage, "unknown flow '" + name + "'", did_you_mean(name, names));

  const auto create = reinterpret_cast<NongemmCreateFlow>(
      module_entry(module_folder() + "/libnongemm_flow_" + name + ".so", "nongemm_create_flow",
                   "flow '" + name + "' cannot be loaded", std::string(entry->way_out)));
  return *loaded.emplace(name, create()).first->second;
}

}  // namespace nongemm
