// The SQLite export of Nsight Systems (`nsys export --type sqlite`): kernels, copies and fills of devices, calls of
// CUDA, NVTX ranges as places in the program, or as operators where they are named so
// (torch.autograd.profiler.emit_nvtx).
#pragma once

#include <filesystem>
#include <string_view>

#include "record/tool_trace.h"

namespace nongemm::traces {

/// @param begin the first bytes of a file
bool is_sqlite(std::string_view begin);

/// @throws Error (kIo) when it cannot be read, (kBadInput) when it is damaged or has no tables of Nsight Systems
ToolTrace read_nsys(const std::filesystem::path& path);

}  // namespace nongemm::traces
