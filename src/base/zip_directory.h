// The directory of a zip archive: the part of zip.h that reads untrusted bytes.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "base/zip.h"

namespace nongemm {

/// Checked entries, folders left out (PKWARE APPNOTE.TXT 6.3.9: sections 4.3.7, 4.3.12, 4.3.14 to 4.3.16, 4.5.3).
/// @param file_name for messages only
std::vector<ZipArchive::Entry> read_zip_directory(std::span<const std::byte> file, std::string_view file_name);

}  // namespace nongemm
