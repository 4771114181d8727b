// LibTorch's exceptions as the program's own: none of its types passes the flow's border.
#pragma once

#include <string>
#include <utility>

namespace nongemm::torch_flow {

/// Throws the exception that is being handled again, as an Error that says `what` failed. Call it in a catch block
/// only.
[[noreturn]] void rethrow_as_error(const std::string& what);

/// Calls `work`; exceptions become Errors that say `what` failed.
template <typename Work>
auto with_errors(const char* what, Work&& work) {
  try {
    return std::forward<Work>(work)();
  } catch (...) {
    rethrow_as_error(what);
  }
}

}  // namespace nongemm::torch_flow
