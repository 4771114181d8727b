// torchvision's operators for the dispatcher, where torchvision itself is not loaded.
#pragma once

#include <string>

namespace nongemm::torch_flow {

/// Defines torchvision::nms and torchvision::roi_align with this project's CPU kernels, unless an earlier library
/// (torchvision's own) has defined them. Safe to call again.
void register_roi_operators();

/// Loads torchvision's own operator library. It must have been made for this LibTorch; a build that needs Python's
/// symbols is looked after by loading libpython first. Throws Error(kUnsupported) with the loader's message.
void load_torchvision(const std::string& path);

}  // namespace nongemm::torch_flow
