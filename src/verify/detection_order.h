// Detections with exactly equal scores may come in any order; comparing needs one.
#pragma once

#include <string>
#include <vector>

#include "base/tensor.h"

namespace nongemm {

/// Reorders the rows of `outputs` named "N.boxes", "N.labels", "N.scores", "N.masks" among equal scores so that each
/// stands where `references` hold the same label and the nearest box. Other outputs are left as they are.
NamedTensors in_reference_order(NamedTensors outputs, const NamedTensors& references);

}  // namespace nongemm
