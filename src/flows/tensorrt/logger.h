// What TensorRT says. Errors are kept, since its calls only return false or nothing.
#pragma once

#include <mutex>
#include <string>

#include "flows/tensorrt/api.h"

namespace nongemm::tensorrt {

/// With NONGEMM_TENSORRT_LOG set, everything from information up also goes to standard error; "verbose" means all.
class Logger : public nvinfer1::ILogger {
 public:
  Logger();
  void log(Severity severity, char const* message) noexcept override;

  /// The errors since the last call, the first ones of many; empty without any.
  std::string take_errors();

 private:
  std::mutex mutex_;  // TensorRT logs from threads of its own
  std::string errors_;
  Severity shown_;
};

/// The process's logger: the libraries keep a pointer to it until the process ends.
Logger& logger();

}  // namespace nongemm::tensorrt
