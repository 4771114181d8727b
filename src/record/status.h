// What became of something that was asked for: an enumerator with a reason. Writers make text of it.
#pragma once

#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>

namespace nongemm {

enum class StatusKind : std::uint8_t {
  kOk,
  kIncomplete,  // interrupted, or of a part only: the figures are of what was measured
  // No figures, as ErrorKind has them:
  kUsage,
  kBadInput,
  kUnsupported,
  kOutOfMemory,
  kIo,
  kFailed,
};

struct Status {
  StatusKind kind = StatusKind::kOk;
  std::string reason;  // a note where the kind is kOk

  bool ok() const { return kind == StatusKind::kOk; }
};

/// "ok", "incomplete", "unsupported", "out-of-memory", ...
std::string_view name_of(StatusKind kind);
std::optional<StatusKind> parse_status(std::string_view name);

/// Of what kept a point from having figures.
Status status_of(const std::exception& error);

}  // namespace nongemm
