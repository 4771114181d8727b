#include "base/error.h"

#include <utility>

#include "base/text.h"

namespace nongemm {

const char* name_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kUsage:
      return "usage";
    case ErrorKind::kBadInput:
      return "bad-input";
    case ErrorKind::kUnsupported:
      return "unsupported";
    case ErrorKind::kOutOfMemory:
      return "out-of-memory";
    case ErrorKind::kIo:
      return "io";
    case ErrorKind::kFailed:
      return "failed";
  }
  return "failed";
}

Error::Error(ErrorKind kind, const std::string& what_is_wrong, std::string way_out)
    : std::runtime_error(without_controls(way_out.empty() ? what_is_wrong : what_is_wrong + "\n  " + way_out)),
      kind_(kind),
      way_out_(std::move(way_out)) {}

}  // namespace nongemm
