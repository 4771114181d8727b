// A file that is not ours, loaded in a process of its own first: what makes the runtime fault, or never come back, ends
// that process and not the program.
#pragma once

#include <filesystem>
#include <functional>

namespace nongemm::ort_flow {

/// Calls `load` in a child of this process and forgets what it made. On the host alone: a device cannot be shared.
/// @param most_seconds after which it is ended
/// @throws Error as `load` does; (kFailed) with the signal's name, or when it took too long
void load_apart(const std::filesystem::path& file, double most_seconds, const std::function<void()>& load);

}  // namespace nongemm::ort_flow
