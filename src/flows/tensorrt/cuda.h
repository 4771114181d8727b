// The CUDA runtime as far as the flow needs it: memory, a stream, errors.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <utility>

namespace nongemm::tensorrt {

/// Throws Error(kOutOfMemory or kFailed) naming what was done unless `result` is success.
void check(cudaError_t result, const char* what);

/// Device memory.
class Buffer {
 public:
  explicit Buffer(std::size_t bytes);
  ~Buffer();
  Buffer(Buffer&& other) noexcept
      : memory_(std::exchange(other.memory_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  Buffer& operator=(Buffer&&) = delete;

  void* get() const { return memory_; }
  std::size_t bytes() const { return bytes_; }

 private:
  void* memory_ = nullptr;
  std::size_t bytes_ = 0;
};

class Stream {
 public:
  Stream();
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  cudaStream_t get() const { return stream_; }
  void wait() const;

 private:
  cudaStream_t stream_ = nullptr;
};

/// What was launched on a stream between construction and instantiate(), for replay.
class Capture {
 public:
  explicit Capture(const Stream& stream);
  ~Capture();
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  void instantiate();
  void launch() const;

 private:
  const Stream& stream_;
  bool capturing_ = false;
  cudaGraph_t graph_ = nullptr;
  cudaGraphExec_t executable_ = nullptr;
};

}  // namespace nongemm::tensorrt
