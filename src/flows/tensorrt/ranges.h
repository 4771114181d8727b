// TensorRT announces every layer that it launches as an NVTX range. Whoever is named in NVTX_INJECTION64_PATH when the
// library first announces something hears of them: this module names itself.
#pragma once

namespace nongemm::tensorrt {

class RangeListener {
 public:
  virtual ~RangeListener() = default;
  virtual void push(const char* name) = 0;
  virtual void pop() = 0;
};

/// Before TensorRT is loaded. Does nothing when another tool listens already.
void offer_to_listen();

/// Ranges of the calling thread go to `listener` until it is replaced; nullptr for none.
void listen(RangeListener* listener);

}  // namespace nongemm::tensorrt
