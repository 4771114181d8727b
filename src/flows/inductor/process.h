// A program run as a process of its own: its words kept in a file, its time limited.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace nongemm::inductor_flow {

/// Runs `arguments[0]`, found like a shell would, with everything it prints in `log`. It does not outlive this process;
/// an interrupt ends it.
/// @returns its exit code (128 and a signal's number when one ended it), nothing when the time was over
/// @throws Error (kUnsupported) when it cannot be started, (kFailed) after an interrupt
std::optional<int> run_process(const std::vector<std::string>& arguments, const std::filesystem::path& log,
                               double seconds);

}  // namespace nongemm::inductor_flow
