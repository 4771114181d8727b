// ONNX Runtime's exceptions as ours. Nothing of it passes the flow's border.
#pragma once

#include <string>
#include <utility>

namespace nongemm::ort_flow {

/// Inside a catch block: throws what was caught as an Error that says what was being done.
[[noreturn]] void rethrow_as_error(const std::string& what);

/// The runtime's message without the places in its own source that it names: they are of no use here.
std::string without_source_places(std::string message);

/// Whether the runtime's message says that the model itself is wrong, whatever runs it.
bool is_invalid_model(const std::string& message);

template <typename Work>
decltype(auto) with_errors(const std::string& what, Work&& work) {
  try {
    return std::forward<Work>(work)();
  } catch (...) {
    rethrow_as_error(what);
  }
}

}  // namespace nongemm::ort_flow
