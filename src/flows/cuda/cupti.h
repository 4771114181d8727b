// libcupti, loaded when tracing starts. Nothing is linked: a machine without it can do all but trace.
#pragma once

#include <cupti.h>

namespace nongemm::cuda {

/// The functions of libcupti that are used.
struct Cupti {
  decltype(&::cuptiActivityRegisterCallbacks) register_callbacks = nullptr;
  decltype(&::cuptiActivityEnable) enable = nullptr;
  decltype(&::cuptiActivityDisable) disable = nullptr;
  decltype(&::cuptiActivityFlushAll) flush_all = nullptr;
  decltype(&::cuptiActivityGetNextRecord) next_record = nullptr;
  decltype(&::cuptiActivityGetNumDroppedRecords) dropped_records = nullptr;
  decltype(&::cuptiActivityPushExternalCorrelationId) push_external = nullptr;
  decltype(&::cuptiActivityPopExternalCorrelationId) pop_external = nullptr;
  decltype(&::cuptiGetTimestamp) timestamp = nullptr;
  decltype(&::cuptiActivitySetAttribute) set_attribute = nullptr;
  decltype(&::cuptiFinalize) finalize = nullptr;
  decltype(&::cuptiGetResultString) result_string = nullptr;
};

/// Loads libcupti at first use. Throws Error(kUnsupported) when it cannot.
const Cupti& cupti();

/// Throws Error(kUnsupported) with the reason and what to do about it unless `result` is success.
void check(CUptiResult result, const char* what);

}  // namespace nongemm::cuda
