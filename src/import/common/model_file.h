// What a reader of models in files offers.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/tensor.h"
#include "graph/graph.h"
#include "spec/model_options.h"

namespace nongemm {

/// Throws Error (kUsage) for a name that is none of the model's inputs.
void check_binding_names(const std::vector<InputBinding>& bindings, const std::vector<std::string>& inputs);

/// What a graph is made for. Sizes that nobody says are those of the example that the file was exported with.
struct ImportOptions {
  std::vector<InputBinding> inputs;
  /// First dimension of all inputs in which it is free.
  std::optional<std::int64_t> batch;
};

/// An opened file.
class ModelFile {
 public:
  virtual ~ModelFile() = default;
  /// @throws Error naming the file and the node, input or option
  virtual Graph build(const ImportOptions& options) const = 0;
  /// The file's own, in the order of graph.weights.
  virtual std::vector<HostTensor> weights(const Graph& graph) const = 0;
};

}  // namespace nongemm
