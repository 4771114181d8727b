// A compiled package as a session.
#pragma once

#include <filesystem>
#include <memory>

#include "flows/flow.h"
#include "pt2/package.h"

namespace c10 {
struct Device;
}

namespace nongemm::inductor_flow {

/// @param path of the package, which is copied from: it may go afterwards
/// @param package what it says
/// @param graph whose inputs and outputs it has, in their order; outlives the session
std::unique_ptr<Session> make_session(const Graph& graph, const std::filesystem::path& path,
                                      const pt2::CompiledPackage& package, const RunOptions& options,
                                      const c10::Device& device);

}  // namespace nongemm::inductor_flow
