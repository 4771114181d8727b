// The page as it stands in the files of this folder, which the build puts into the program (embed.cmake).
#pragma once

#include <span>
#include <string_view>

namespace nongemm {

/// What comes before the data, and what comes after it.
struct PagePiece {
  std::string_view text;
  bool data_follows = false;
};
std::span<const PagePiece> page_pieces();

}  // namespace nongemm
