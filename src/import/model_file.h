// Models in files of other tools: programs that torch.export wrote (.pt2), ONNX models (.onnx).
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/tensor.h"
#include "graph/graph.h"

namespace nongemm {

/// What the user says of one input: `--input x=4x128`, `--input ids=1x16:int64`.
struct InputBinding {
  std::string name;
  /// The value itself, as a list of one, where the input is a number.
  Shape shape;
  std::optional<DType> dtype;
};

/// Reads `name=AxBxC[:dtype]`. @throws Error (kUsage)
InputBinding parse_input_binding(const std::string& text);

/// As the user writes it.
std::string to_string(const InputBinding& binding);

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

/// By the name's ending alone.
bool is_model_file(const std::filesystem::path& path);

/// @throws Error (kIo, kBadInput) naming the file
std::shared_ptr<const ModelFile> open_model_file(const std::filesystem::path& path);

}  // namespace nongemm
