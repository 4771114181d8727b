#include <array>

#include "flows/descriptions.h"

namespace nongemm {
namespace {

constexpr std::array<std::string_view, 2> kModes = {"default", "max-autotune"};

constexpr std::array kSettings = {
    FlowSetting{.name = "mode",
                .value = "MODE",
                .choices = kModes,
                .default_text = "default",
                .doc = "as torch.compile has it; max-autotune tries templates of products for minutes"},
    FlowSetting{.name = "cache",
                .value = "FOLDER",
                .default_text = "the user's cache folder",
                .doc = "folder that keeps compiled packages, or off",
                .identity = false},
    FlowSetting{.name = "seconds",
                .value = "N",
                .default_text = "3600",
                .doc = "how long compiling may take",
                .identity = false},
};

}  // namespace

const FlowDescription& inductor_description() {
  static constexpr FlowDescription kDescription{
      .name = "inductor",
      .title = "PyTorch Inductor (AOTInductor)",
      .way_out = "run ./nongemm once to set it up, or name a torch install in NONGEMM_TORCH",
      .settings = kSettings,
  };
  return kDescription;
}

}  // namespace nongemm
