#include "record/status.h"

#include <array>
#include <new>
#include <utility>

#include "base/error.h"

namespace nongemm {
namespace {

constexpr std::array kNames = {
    std::pair{StatusKind::kOk, std::string_view("ok")},
    std::pair{StatusKind::kIncomplete, std::string_view("incomplete")},
    std::pair{StatusKind::kUsage, std::string_view("usage")},
    std::pair{StatusKind::kBadInput, std::string_view("bad-input")},
    std::pair{StatusKind::kUnsupported, std::string_view("unsupported")},
    std::pair{StatusKind::kOutOfMemory, std::string_view("out-of-memory")},
    std::pair{StatusKind::kIo, std::string_view("io")},
    std::pair{StatusKind::kFailed, std::string_view("failed")},
};

StatusKind kind_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kUsage:
      return StatusKind::kUsage;
    case ErrorKind::kBadInput:
      return StatusKind::kBadInput;
    case ErrorKind::kUnsupported:
      return StatusKind::kUnsupported;
    case ErrorKind::kOutOfMemory:
      return StatusKind::kOutOfMemory;
    case ErrorKind::kIo:
      return StatusKind::kIo;
    case ErrorKind::kFailed:
      return StatusKind::kFailed;
  }
  return StatusKind::kFailed;
}

}  // namespace

std::string_view name_of(StatusKind kind) {
  for (const auto& [known, name] : kNames) {
    if (known == kind) return name;
  }
  return "failed";
}

std::optional<StatusKind> parse_status(std::string_view name) {
  for (const auto& [kind, known] : kNames) {
    if (known == name) return kind;
  }
  return std::nullopt;
}

Status status_of(const std::exception& error) {
  if (const auto* ours = dynamic_cast<const Error*>(&error)) return {kind_of(ours->kind()), error.what()};
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) return {StatusKind::kOutOfMemory, "no host memory left"};
  return {StatusKind::kFailed, error.what()};
}

}  // namespace nongemm
