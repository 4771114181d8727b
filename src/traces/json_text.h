// JSON as tools really write it: TensorRT puts raw control characters into strings, trtexec prints `nan` for a share of
// nothing. Strict parsers refuse such files.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace nongemm::traces {

/// Control characters inside strings are kept, bare nan and inf become null.
/// @param origin the file's name, for messages
/// @throws Error (kBadInput) with the place of what is wrong; arrays and objects nested too deeply count as wrong
nlohmann::json parse_tool_json(std::string_view text, const std::string& origin);

/// A trace file as text.
/// @throws Error (kIo) when it cannot be read, (kBadInput) when it is too long
std::string read_trace_text(const std::filesystem::path& path);

}  // namespace nongemm::traces
