// Long texts within a page.
#pragma once

#include <string>
#include <string_view>

namespace nongemm {

/// Deflated (zlib's format, RFC 1950) and in base64. Throws Error(kFailed) without memory for it.
std::string packed(std::string_view text);

}  // namespace nongemm
