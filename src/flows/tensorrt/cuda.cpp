#include "flows/tensorrt/cuda.h"

#include <string>

#include "base/error.h"

namespace nongemm::tensorrt {

void check(cudaError_t result, const char* what) {
  if (result == cudaSuccess) return;
  (void)cudaGetLastError();  // the next call must not meet this one's
  const ErrorKind kind = result == cudaErrorMemoryAllocation ? ErrorKind::kOutOfMemory : ErrorKind::kFailed;
  throw Error(kind, std::string("CUDA, ") + what + ": " + cudaGetErrorString(result));
}

Buffer::Buffer(std::size_t bytes) : bytes_(bytes) {
  // A tensor without elements has an address all the same.
  check(cudaMalloc(&memory_, bytes == 0 ? 1 : bytes), "allocating device memory");
}

Buffer::~Buffer() { (void)cudaFree(memory_); }

Stream::Stream() { check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "making a stream"); }

Stream::~Stream() { (void)cudaStreamDestroy(stream_); }

void Stream::wait() const { check(cudaStreamSynchronize(stream_), "waiting for an inference"); }

Capture::Capture(const Stream& stream) : stream_(stream) {
  check(cudaStreamBeginCapture(stream.get(), cudaStreamCaptureModeThreadLocal), "capturing an inference");
  capturing_ = true;
}

Capture::~Capture() {
  if (capturing_) (void)cudaStreamEndCapture(stream_.get(), &graph_);
  if (executable_ != nullptr) (void)cudaGraphExecDestroy(executable_);
  if (graph_ != nullptr) (void)cudaGraphDestroy(graph_);
}

void Capture::instantiate() {
  capturing_ = false;
  check(cudaStreamEndCapture(stream_.get(), &graph_), "capturing an inference");
  check(cudaGraphInstantiateWithFlags(&executable_, graph_, 0), "preparing a captured inference");
}

void Capture::launch() const { check(cudaGraphLaunch(executable_, stream_.get()), "replaying an inference"); }

}  // namespace nongemm::tensorrt
