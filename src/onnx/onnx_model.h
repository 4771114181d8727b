// An ONNX model as plain data, before it becomes bytes (wire.h, file.h). Weights stand in it by number: their bytes
// come from whoever has them, when they are needed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/tensor.h"

namespace nongemm::onnx {

struct GraphDef;

struct Attribute {
  std::string name;
  std::variant<std::int64_t, double, std::string, std::vector<std::int64_t>, std::vector<double>, HostTensor,
               std::shared_ptr<GraphDef>>
      value;
};

struct NodeDef {
  std::string type;  // "LayerNormalization"
  std::string name;
  std::vector<std::string> inputs;  // empty for an optional input that is left out
  std::vector<std::string> outputs;
  std::vector<Attribute> attributes;
};

/// Unknown dimensions are kDynamic.
struct ValueDef {
  std::string name;
  DType dtype = DType::kUndefined;
  Shape shape;
};

/// A tensor that is there before the run.
struct Initializer {
  static constexpr std::size_t kNoWeight = SIZE_MAX;

  std::string name;
  DType dtype = DType::kUndefined;
  Shape shape;
  /// Position in the graph's weights, or kNoWeight for a constant, which has `data`.
  std::size_t weight = kNoWeight;
  /// The two dimensions of the weight change places: `shape` is what it has afterwards.
  bool transposed = false;
  HostTensor data = {};

  bool is_weight() const { return weight != kNoWeight; }
  std::uint64_t byte_size() const { return byte_size_of(dtype, static_cast<std::size_t>(element_count(shape))); }
};

struct GraphDef {
  std::string name;
  std::vector<NodeDef> nodes;
  std::vector<ValueDef> inputs;
  std::vector<ValueDef> outputs;
  std::vector<Initializer> initializers;
};

struct ModelDef {
  int opset = 17;
  GraphDef graph;
};

}  // namespace nongemm::onnx
