// A built engine on a device: its inputs and outputs, its layers, and contexts that run it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/tensor.h"
#include "flows/tensorrt/cuda.h"
#include "flows/tensorrt/library.h"

namespace nongemm::tensorrt {

/// An input or output with its device memory.
struct Port {
  std::string name;
  DType dtype = DType::kUndefined;  // the engine's
  Shape shape;
  Buffer buffer;
};

class Engine {
 public:
  /// nullptr when `serialized` is not for this device or version.
  static std::unique_ptr<Engine> open(const Library& library, std::string_view serialized);

  std::vector<Port>& ports() { return ports_; }
  /// @throws Error (kUnsupported) when the engine has no such input or output
  Port& port(const std::string& name);

  /// What the inspector says of the layers, as JSON (traces/tensorrt/layers.h).
  std::string layer_information() const;

  /// A context whose addresses are those of the ports.
  std::unique_ptr<nvinfer1::IExecutionContext> context();

  /// Device memory in bytes: the engine with its weights, and what one inference needs besides.
  std::uint64_t weight_bytes() const { return weight_bytes_; }
  std::uint64_t inference_bytes() const;

 private:
  Engine() = default;
  void add_ports();

  std::uint64_t weight_bytes_ = 0;
  // In this order: the engine goes before the runtime.
  std::unique_ptr<nvinfer1::IRuntime> runtime_;
  std::unique_ptr<nvinfer1::ICudaEngine> engine_;
  std::vector<Port> ports_;
};

}  // namespace nongemm::tensorrt
