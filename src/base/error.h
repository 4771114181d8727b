// The one exception type of the program. Its text names the thing that is wrong and the way out.
#pragma once

#include <stdexcept>
#include <string>

namespace nongemm {

/// What went wrong, as far as the caller may want to act on it. A result row takes its status from this.
enum class ErrorKind {
  kUsage,        // the command line asks for something that does not exist
  kBadInput,     // a file, checkpoint, config or image is damaged or does not fit
  kUnsupported,  // this flow, device or operator cannot do it
  kOutOfMemory,  // host or device memory does not suffice
  kIo,           // a file could not be read or written
  kFailed,       // a runtime reported an error of its own
};

/// "unsupported", "out-of-memory", ...: the status a result row carries.
const char* name_of(ErrorKind kind);

class Error : public std::runtime_error {
 public:
  /// @param what_is_wrong names the thing: "config.json: key 'n_head' is missing"
  /// @param way_out says what to do next, may be empty
  Error(ErrorKind kind, const std::string& what_is_wrong, std::string way_out = "");

  ErrorKind kind() const { return kind_; }
  const std::string& way_out() const { return way_out_; }

 private:
  ErrorKind kind_;
  std::string way_out_;
};

}  // namespace nongemm
