// Finding and loading flow modules (lib/nongemm/libnongemm_flow_NAME.so beside the program).
#pragma once

#include <memory>
#include <span>
#include <string>

#include "flows/flow.h"
#include "spec/flow_description.h"

namespace nongemm {

/// The flows that exist, built in this installation or not.
std::span<const FlowDescription* const> known_flows();

/// Loads the module at first use; later calls give the same flow. Throws Error(kUsage) for an unknown name, and
/// Error(kUnsupported) with the loader's message and the way out when the module or its runtime cannot be loaded.
Flow& load_flow(const std::string& name);

}  // namespace nongemm

/// What a module exports: a function of this type named `nongemm_create_flow`.
using NongemmCreateFlow = nongemm::Flow* (*)();
