// TensorRT announces every layer that it launches as an NVTX range. Whoever is named in NVTX_INJECTION64_PATH when the
// library first announces something hears of them: this module names itself.
#pragma once

namespace nongemm::tensorrt {

/// Called from inside the runtime, which knows no exceptions.
class RangeListener {
 public:
  virtual ~RangeListener() = default;
  virtual void push(const char* name) noexcept = 0;
  virtual void pop() noexcept = 0;
};

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
