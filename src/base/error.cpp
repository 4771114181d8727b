#include "base/error.h"

#include <utility>

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

namespace {

/// Messages go to terminals, and names in them come from files: no control characters but new lines and tabs.
std::string printable(std::string text) {
  for (char& c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < ' ' && c != '\n' && c != '\t') || byte == 0x7F) c = '?';
  }
  return text;
}

}  // namespace

Error::Error(ErrorKind kind, const std::string& what_is_wrong, std::string way_out)
    : std::runtime_error(printable(way_out.empty() ? what_is_wrong : what_is_wrong + "\n  " + way_out)),
      kind_(kind),
      way_out_(std::move(way_out)) {}

}  // namespace nongemm
