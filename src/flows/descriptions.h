// What each flow says of itself: one file in the flow's folder, one line here and in known_flows().
#pragma once

#include "spec/flow_description.h"

namespace nongemm {

const FlowDescription& torch_description();
const FlowDescription& ort_description();
const FlowDescription& tensorrt_description();
const FlowDescription& inductor_description();

}  // namespace nongemm
