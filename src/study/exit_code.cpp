#include "study/exit_code.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/interrupt.h"
#include "base/message.h"
#include "base/text.h"

namespace nongemm {
namespace {

ExitCode code_of(StatusKind kind) {
  switch (kind) {
    case StatusKind::kOk:
      return kSuccess;
    case StatusKind::kUsage:
      return kWrongUsage;
    case StatusKind::kBadInput:
      return kWrongInput;
    case StatusKind::kUnsupported:
      return kNotSupported;
    case StatusKind::kIncomplete:
    case StatusKind::kOutOfMemory:
    case StatusKind::kIo:
    case StatusKind::kFailed:
      return kFailure;
  }
  return kFailure;
}

}  // namespace

ExitCode exit_code_of(const Document& document) {
  if (interrupted()) return kInterrupted;
  std::optional<ExitCode> wrong;
  bool any_ok = false;
  for (const Point& point : document.points) {
    any_ok = any_ok || point.status.ok();
    const ExitCode code = code_of(point.status.kind);
    if (code == kSuccess || code == kNotSupported) continue;
    wrong = wrong.value_or(code) == code ? code : kFailure;
  }
  if (wrong) return any_ok ? kFailure : *wrong;
  if (any_ok) return kSuccess;
  return document.points.empty() ? kFailure : kNotSupported;
}

ExitCode exit_code_of(const std::exception& error) {
  return interrupted() ? kInterrupted : code_of(status_of(error).kind);
}

ExitCode conclude(const Document& document) {
  const ExitCode code = exit_code_of(document);
  if (code == kSuccess) return code;
  for (const Point& point : document.points) {
    if (point.status.ok()) continue;
    const std::string name = point.command.empty() ? "nongemm" : point.command;
    say(without_controls(fmt::format("{}: {}: {}\n", name, name_of(point.status.kind), point.status.reason)));
  }
  return code;
}

}  // namespace nongemm
