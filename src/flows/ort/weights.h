// Weights where the runtime reads them. The graphs of one model (a prompt's pass and a step) read the same ones: each
// is in memory once, and what the host's kernels pack of a matrix is, too.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/tensor.h"
#include "flows/flow.h"
#include "flows/ort/onnxruntime.h"
#include "onnx/onnx_model.h"

namespace nongemm::ort_flow {

class Weights {
 public:
  /// @param shared by several sessions of the runtime, which costs them a look at what others have packed
  explicit Weights(bool shared);

  /// The weights of a model's first graph, as its initializers have them: as given, or drawn, or made of such.
  void place(const Graph& graph, const onnx::ModelDef& model, const std::vector<HostTensor>& given,
             const RunOptions& options);
  /// Those of a further graph, which are there. Throws Error(kBadInput) naming one that is not.
  void find(const Graph& graph, const onnx::ModelDef& model);

  /// Gives a session the weights of its model. They have to live as long as it does.
  void hand_over(const onnx::ModelDef& model, Ort::SessionOptions& options);
  /// A session over such weights. @param bytes of the model
  Ort::Session open(const std::string& bytes, const Ort::SessionOptions& options);

 private:
  struct Release {
    void operator()(OrtPrepackedWeightsContainer* packed) const;
  };
  struct Placed {
    HostTensor tensor;
    Ort::Value value{nullptr};  // shares its bytes
  };
  void add(const std::string& name, HostTensor tensor);

  std::map<std::string, Placed> placed_;  // by initializer
  std::unique_ptr<OrtPrepackedWeightsContainer, Release> packed_;
};

}  // namespace nongemm::ort_flow
