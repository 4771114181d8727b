// Capture and replay of an inference as a CUDA graph: the seam to libnongemm_torch_cuda.so (flows/torch_cuda), the one
// part of the torch flow that needs CUDA's headers and LibTorch's CUDA symbols.
#pragma once

#include <c10/core/Device.h>

#include <cstddef>
#include <functional>
#include <memory>

namespace nongemm::torch_flow {

/// What was captured; its memory lives as long as it does.
class CapturedGraph {
 public:
  virtual ~CapturedGraph() = default;
  /// Starts the replay on the current stream and does not wait for it.
  virtual void replay() = 0;
};

class GraphCapture {
 public:
  virtual ~GraphCapture() = default;
  /// Runs `body` twice on a stream of its own: to warm up, and captured.
  /// After an exception of `body` nothing stays captured, and the exception goes on.
  virtual std::unique_ptr<CapturedGraph> capture(c10::Device device, const std::function<void()>& body) = 0;
  /// For use in `body`: kernels, copies and fills captured so far; 0 while it warms up.
  virtual std::size_t captured_activities() = 0;
};

}  // namespace nongemm::torch_flow

/// What the module exports: a function of this type named `nongemm_create_graph_capture`.
using NongemmCreateGraphCapture = nongemm::torch_flow::GraphCapture* (*)();
