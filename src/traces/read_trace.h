// A profiler's file, whatever wrote it: the format is found by content.
#pragma once

#include <filesystem>
#include <string>

#include "record/tool_trace.h"
#include "traces/common/event_reader.h"

namespace nongemm::traces {

/// @throws Error (kIo) when it cannot be read, (kBadInput) saying what the file is when it is no trace
ToolTrace read_trace(const std::filesystem::path& path);

/// Of text that lies elsewhere.
/// @param origin the file's name, for messages
ToolTrace read_event_trace(EventReader::ReadMore more, const std::string& origin);

}  // namespace nongemm::traces
