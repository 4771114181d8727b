#include "base/json_depth.h"

#include "base/error.h"

namespace nongemm {

void check_json_depth(std::string_view text, const std::string& what) {
  constexpr int kMostDepth = 400;
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kMostDepth) {
        throw Error(ErrorKind::kBadInput, what + ": nested more than " + std::to_string(kMostDepth) + " deep");
      }
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
}

}  // namespace nongemm
