// How much memory the host still has, and refusing what cannot fit before it is allocated.
#pragma once

#include <string>

namespace nongemm {

/// "MemTotal", "MemAvailable", ... of /proc/meminfo in bytes; 0 when it is not there.
double memory_information(const std::string& key);

/// Bytes that may still be taken without swapping: what the host has free, or the container's limit leaves; infinite
/// where the system tells neither.
double available_memory();

/// @param purpose for the message: "converting the weights of model.safetensors to float32"
/// @param needed in bytes
/// @throws Error (kOutOfMemory) with both figures when `needed` bytes are not available
void require_memory(const std::string& purpose, double needed, const std::string& way_out);

}  // namespace nongemm
