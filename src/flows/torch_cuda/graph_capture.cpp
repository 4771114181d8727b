// CUDA graphs through LibTorch: its allocator keeps a captured graph's memory in a pool of its own.
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <cuda_runtime_api.h>

#include <optional>
#include <vector>

#include "flows/torch/cuda/graph.h"

namespace nongemm::torch_flow {
namespace {

class Captured : public CapturedGraph {
 public:
  at::cuda::CUDAGraph& graph() { return graph_; }
  void replay() override { graph_.replay(); }

 private:
  at::cuda::CUDAGraph graph_;
};

/// What the device does for a node of the graph: empty and event nodes leave no record.
bool leaves_a_record(cudaGraphNode_t node) {
  cudaGraphNodeType type{};
  C10_CUDA_CHECK(cudaGraphNodeGetType(node, &type));
  return type == cudaGraphNodeTypeKernel || type == cudaGraphNodeTypeMemcpy || type == cudaGraphNodeTypeMemset;
}

class TorchGraphCapture : public GraphCapture {
 public:
  std::unique_ptr<CapturedGraph> capture(c10::Device device, const std::function<void()>& body) override {
    const c10::cuda::CUDAStream stream = c10::cuda::getStreamFromPool(/*isHighPriority=*/false, device.index());
    C10_CUDA_CHECK(cudaDeviceSynchronize());
    const c10::cuda::CUDAStreamGuard guard(stream);
    body();
    C10_CUDA_CHECK(cudaDeviceSynchronize());

    auto captured = std::make_unique<Captured>();
    const at::cuda::MempoolId_t pool = at::cuda::graph_pool_handle();
    captured->graph().capture_begin(pool, cudaStreamCaptureModeThreadLocal);
    known_.clear();
    activities_ = 0;
    stream_ = stream.stream();
    try {
      body();
      stream_.reset();
      captured->graph().capture_end();
    } catch (...) {
      stream_.reset();
      abandon(*captured, device, pool);
      throw;
    }
    C10_CUDA_CHECK(cudaDeviceSynchronize());
    return captured;
  }

  std::size_t captured_activities() override {
    if (!stream_) return 0;
    cudaStreamCaptureStatus status{};
    cudaGraph_t graph = nullptr;
    C10_CUDA_CHECK(cudaStreamGetCaptureInfo(*stream_, &status, nullptr, &graph, nullptr, nullptr, nullptr));
    if (status != cudaStreamCaptureStatusActive || graph == nullptr) return activities_;
    std::size_t count = 0;
    C10_CUDA_CHECK(cudaGraphGetNodes(graph, nullptr, &count));
    if (count == known_.size()) return activities_;
    // Nodes are listed in the order in which they were added.
    const std::size_t seen = known_.size();
    known_.resize(count);
    C10_CUDA_CHECK(cudaGraphGetNodes(graph, known_.data(), &count));
    for (std::size_t i = seen; i < count; ++i) {
      if (leaves_a_record(known_[i])) ++activities_;
    }
    return activities_;
  }

 private:
  /// Ends what capture_begin() began, as far as it goes: the allocator must not go on serving the pool, and the next
  /// call must not meet this one's error.
  static void abandon(Captured& captured, c10::Device device, at::cuda::MempoolId_t pool) noexcept {
    try {
      captured.graph().capture_end();
    } catch (...) {
      try {
        c10::cuda::CUDACachingAllocator::endAllocateToPool(device.index(), pool);
      } catch (...) {  // it had been ended
      }
    }
    (void)cudaGetLastError();
  }

  std::optional<cudaStream_t> stream_;
  std::vector<cudaGraphNode_t> known_;
  std::size_t activities_ = 0;
};

}  // namespace
}  // namespace nongemm::torch_flow

extern "C" __attribute__((visibility("default"))) nongemm::torch_flow::GraphCapture* nongemm_create_graph_capture() {
  static auto* capture = new nongemm::torch_flow::TorchGraphCapture;
  return capture;
}
