// TensorRT announces every layer that it launches as an NVTX range. Whoever is named in NVTX_INJECTION64_PATH when the
// library first announces something hears of them: this module names itself.
#pragma once

#include <cstdint>

namespace nongemm::tensorrt {

/// Called from inside the runtime, which knows no exceptions.
class RangeListener {
 public:
  virtual ~RangeListener() = default;
  virtual void push(const char* name) noexcept = 0;
  virtual void pop() noexcept = 0;
};

/// What NVTX gives to the tool that it loads: tables by number.
using GetExportTable = const void* (*)(std::uint32_t);

/// What a tool's InitializeInjectionNvtx2 does, which NVTX calls once in every library that uses it. The flow's module
/// exports that name: symbols of static libraries do not leave a module.
/// @return 1, or 0 where the tables are not those that are known
int begin_listening(GetExportTable get_export_table);

/// Before TensorRT is loaded. Does nothing when another tool listens already.
void offer_to_listen();

/// Ranges of the calling thread go to `listener` while this lives; one at a time.
class Listening {
 public:
  explicit Listening(RangeListener& listener);
  ~Listening();
  Listening(const Listening&) = delete;
  Listening& operator=(const Listening&) = delete;
};

}  // namespace nongemm::tensorrt
