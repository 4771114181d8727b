// What `nongemm --version` says.
#pragma once

#include <string>

namespace nongemm::cli {

/// The program, and each runtime and device with its version, or why it was not found.
std::string version_text();

/// Processor and GPUs, with the limits that are kept of them.
std::string devices_text();

}  // namespace nongemm::cli
