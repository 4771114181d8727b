// A hash that stays the same from build to build: keys of points, checksums of lines.
#pragma once

#include <cstdint>
#include <string_view>

namespace nongemm {

/// FNV-1a, 64 bits.
inline std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char letter : text) {
    hash ^= static_cast<unsigned char>(letter);
    hash *= 0x100000001b3;
  }
  return hash;
}

}  // namespace nongemm
