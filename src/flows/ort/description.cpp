#include <array>

#include "flows/descriptions.h"

namespace nongemm {
namespace {

constexpr std::array<std::string_view, 4> kLevels = {"none", "basic", "extended", "all"};

constexpr std::array<std::string_view, 2> kInt8 = {"fast", "exact"};

constexpr std::array kSettings = {
    FlowSetting{.name = "level",
                .value = "LEVEL",
                .choices = kLevels,
                .default_text = "all",
                .doc = "how far ONNX Runtime optimises the graph"},
    FlowSetting{.name = "int8",
                .value = "WAY",
                .choices = kInt8,
                .default_text = "fast",
                .doc = "int8 products on x86: fast adds pairs in 16 bits where the processor has no VNNI, and "
                       "saturates"},
};

}  // namespace

const FlowDescription& ort_description() {
  static constexpr FlowDescription kDescription{
      .name = "ort",
      .title = "ONNX Runtime",
      .way_out = "run ./nongemm once to set it up, or name an install or wheel of onnxruntime in NONGEMM_ORT",
      .settings = kSettings,
  };
  return kDescription;
}

}  // namespace nongemm
