#include "study/exit_code.h"

#include <algorithm>

#include "base/interrupt.h"

namespace nongemm {

ExitCode exit_code_of(const Document& document) {
  if (interrupted()) return kInterrupted;
  const auto is = [](StatusKind kind) { return [kind](const Point& point) { return point.status.kind == kind; }; };
  const bool fine = std::all_of(document.points.begin(), document.points.end(), [&](const Point& point) {
    return point.status.ok() || is(StatusKind::kUnsupported)(point);
  });
  return fine && std::any_of(document.points.begin(), document.points.end(), is(StatusKind::kOk)) ? kSuccess : kFailure;
}

ExitCode exit_code_of(const std::exception& error) {
  if (interrupted()) return kInterrupted;
  const StatusKind kind = status_of(error).kind;
  return kind == StatusKind::kUsage || kind == StatusKind::kBadInput ? kWrongInput : kFailure;
}

}  // namespace nongemm
