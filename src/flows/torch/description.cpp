#include "flows/descriptions.h"

namespace nongemm {

const FlowDescription& torch_description() {
  static constexpr FlowDescription kDescription{
      .name = "torch",
      .title = "PyTorch (LibTorch)",
      .way_out = "run ./nongemm once to set it up, or name a torch install in NONGEMM_TORCH",
  };
  return kDescription;
}

}  // namespace nongemm
