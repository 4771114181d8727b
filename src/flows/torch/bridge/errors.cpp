#include "flows/torch/bridge/errors.h"

#include <c10/util/Exception.h>

#include <new>

#include "base/error.h"

namespace nongemm::torch_flow {

void rethrow_as_error(const std::string& what) {
  try {
    throw;
  } catch (const c10::OutOfMemoryError& error) {
    throw Error(ErrorKind::kOutOfMemory, what + ": " + error.what_without_backtrace());
  } catch (const c10::Error& error) {
    const std::string message = error.what_without_backtrace();
    const bool no_memory = message.find("can't allocate memory") != std::string::npos ||
                           message.find("out of memory") != std::string::npos;
    throw Error(no_memory ? ErrorKind::kOutOfMemory : ErrorKind::kFailed, what + ": " + message);
  } catch (const std::bad_alloc&) {
    throw Error(ErrorKind::kOutOfMemory, what + ": no host memory left");
  } catch (const Error& error) {
    throw Error(error.kind(), what + ": " + error.what());  // which holds the way out
  } catch (const std::exception& error) {
    throw Error(ErrorKind::kFailed, what + ": " + error.what());
  }
}

}  // namespace nongemm::torch_flow
