#include "flows/tensorrt/logger.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace nongemm::tensorrt {
namespace {

/// Later errors mostly say that something failed because of the first.
constexpr std::size_t kMostKept = 1000;

}  // namespace

Logger::Logger() : shown_(Severity::kINTERNAL_ERROR) {
  const char* level = std::getenv("NONGEMM_TENSORRT_LOG");
  if (level == nullptr) return;
  shown_ = std::strcmp(level, "verbose") == 0 ? Severity::kVERBOSE : Severity::kINFO;
}

void Logger::log(Severity severity, char const* message) noexcept {
  const std::lock_guard lock(mutex_);
  if (shown_ != Severity::kINTERNAL_ERROR && severity <= shown_) std::fprintf(stderr, "tensorrt: %s\n", message);
  if (severity > Severity::kERROR || errors_.size() > kMostKept) return;
  try {
    errors_ += (errors_.empty() ? "" : "; ") + std::string(message);
  } catch (...) {  // out of memory: the message is lost, the failure it explains is not
  }
}

std::string Logger::take_errors() {
  const std::lock_guard lock(mutex_);
  std::string errors = std::exchange(errors_, {});
  if (errors.size() > kMostKept) errors = errors.substr(0, kMostKept) + "...";
  return errors;
}

Logger& logger() {
  static auto* logger = new Logger;
  return *logger;
}

}  // namespace nongemm::tensorrt
