#include <array>

#include "flows/descriptions.h"

namespace nongemm {
namespace {

constexpr std::array<std::string_view, 2> kPrecisions = {"fp16", "int8"};
constexpr std::array<std::string_view, 6> kLevels = {"0", "1", "2", "3", "4", "5"};

constexpr std::array kSettings = {
    FlowSetting{.name = "precision",
                .value = "TYPE",
                .choices = kPrecisions,
                .default_text = "the graph's types",
                .doc = "types that the engine may compute in besides the graph's"},
    FlowSetting{.name = "level",
                .value = "N",
                .choices = kLevels,
                .default_text = "TensorRT's own",
                .doc = "0 (fast to build) to 5 (fast to run)"},
    FlowSetting{.name = "cache",
                .value = "FOLDER",
                .default_text = "none",
                .doc = "folder that keeps engines",
                .identity = false},
    FlowSetting{.name = "export",
                .value = "FOLDER",
                .default_text = "nothing is written",
                .doc = "folder for the files that trtexec would write of the engine",
                .identity = false},
};

}  // namespace

const FlowDescription& tensorrt_description() {
  static constexpr FlowDescription kDescription{
      .name = "tensorrt",
      .title = "TensorRT",
      .way_out = "name a folder with TensorRT's headers in TENSORRT_ROOT and build again (docs/tensorrt.md)",
      .settings = kSettings,
      .wants_static_scales = true,
  };
  return kDescription;
}

}  // namespace nongemm
