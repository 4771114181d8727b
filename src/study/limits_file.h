// Files of limits in the user's cache: whoever may write one decides what runs are held against.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "base/json.h"

namespace nongemm {

/// Calls `parse` with the content of a kept file. A file that cannot be used, or that `parse` refuses with an Error, is
/// a warning: what is in it is then measured. @return whether `parse` came to its end
bool read_kept_limits(const std::filesystem::path& path, const std::function<void(const std::string& content)>& parse);

/// Nothing, where the cache cannot be written: they are measured again next time.
void keep_limits(const std::filesystem::path& path, const Json& json);

/// Whether the file was not written in the last hour: what is in it may come from a busy moment.
bool is_old_limits_file(const std::filesystem::path& path);

/// Throws Error(kBadInput) for what this program did not write.
[[noreturn]] void refuse_limits(const std::string& what);
/// A figure that no device has is nobody's measurement. Throws Error(kBadInput).
double plausible_limit(const Json& value, const std::string& name);
/// Throws Error(kBadInput) where it is missing.
std::string text_of_limits(const Json& json, const char* key);

/// A file's name of these words.
std::string limits_file_name(std::string words);

}  // namespace nongemm
