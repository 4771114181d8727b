// A check on JSON text before a parser sees it.
#pragma once

#include <string>
#include <string_view>

namespace nongemm {

/// Throws Error(kBadInput) for JSON nested more than 400 deep: no honest file is, and walking, copying or printing such
/// a tree takes more stack than there is.
/// @param what the file, for the message
void check_json_depth(std::string_view text, const std::string& what);

}  // namespace nongemm
