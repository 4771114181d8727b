// The pass that tells nodes apart on a host: time inside their calls.
#pragma once

#include <cstddef>

#include "profile/sampling.h"
#include "record/node_pass.h"

namespace nongemm {

/// Traced runs in turns with plain ones.
/// @param node_count how many nodes, or steps of a program, the session's traces count
NodePass measure_on_host(Session& session, std::size_t node_count, const PassSettings& settings);

}  // namespace nongemm
