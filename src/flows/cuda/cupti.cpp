#include "flows/cuda/cupti.h"

#include <dlfcn.h>

#include <string>

#include "base/error.h"

namespace nongemm::cuda {
namespace {

template <typename Function>
void look_up(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  if (function == nullptr) throw Error(ErrorKind::kUnsupported, std::string("libcupti has no ") + name);
}

Cupti load() {
  // By soname: the copy that torch has loaded already, whatever folder it came from.
  void* library = dlopen("libcupti.so.13", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    throw Error(ErrorKind::kUnsupported, std::string("kernels cannot be traced: ") + dlerror(),
                "install the package nvidia-cuda-cupti 13, or put libcupti.so.13 on LD_LIBRARY_PATH");
  }
  Cupti functions;
  look_up(library, "cuptiActivityRegisterCallbacks", functions.register_callbacks);
  look_up(library, "cuptiActivityEnable", functions.enable);
  look_up(library, "cuptiActivityDisable", functions.disable);
  look_up(library, "cuptiActivityFlushAll", functions.flush_all);
  look_up(library, "cuptiActivityGetNextRecord", functions.next_record);
  look_up(library, "cuptiActivityGetNumDroppedRecords", functions.dropped_records);
  look_up(library, "cuptiActivityPushExternalCorrelationId", functions.push_external);
  look_up(library, "cuptiActivityPopExternalCorrelationId", functions.pop_external);
  look_up(library, "cuptiGetTimestamp", functions.timestamp);
  look_up(library, "cuptiActivitySetAttribute", functions.set_attribute);
  look_up(library, "cuptiFinalize", functions.finalize);
  look_up(library, "cuptiGetResultString", functions.result_string);
  return functions;
}

const char* way_out(CUptiResult result) {
  switch (result) {
    case CUPTI_ERROR_INSUFFICIENT_PRIVILEGES:
    case CUPTI_ERROR_VIRTUALIZED_DEVICE_INSUFFICIENT_PRIVILEGES:
      return "the driver allows profiling to administrators only: run as root, or load the nvidia module with "
             "NVreg_RestrictProfilingToAdminUsers=0";
    case CUPTI_ERROR_MULTIPLE_SUBSCRIBERS_NOT_SUPPORTED:
    case CUPTI_ERROR_HARDWARE_BUSY:
      return "another profiler is at work: one at a time";
    default:
      return "";
  }
}

}  // namespace

const Cupti& cupti() {
  static const Cupti functions = load();
  return functions;
}

void check(CUptiResult result, const char* what) {
  if (result == CUPTI_SUCCESS) return;
  const char* text = nullptr;
  cupti().result_string(result, &text);
  throw Error(ErrorKind::kUnsupported,
              std::string("kernels cannot be traced: ") + what + " says " +
                  (text != nullptr ? text : std::to_string(static_cast<int>(result)).c_str()),
              way_out(result));
}

}  // namespace nongemm::cuda
