// A program of torch.export as plain data: the schema's JSON, and which tensors it wants.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/tensor.h"

namespace nongemm::pt2 {

/// A parameter, buffer or constant.
struct StateTensor {
  std::string name;  // in the state dict, or of the constant
  DType dtype = DType::kUndefined;
  Shape shape;
  bool parameter = false;
  /// Of a constant, its value; weights are asked for while writing.
  HostTensor data;
};

/// One of the user's.
struct ProgramInput {
  std::string name;
  /// Given by its place, without a name; all such stand before the others.
  bool positional = false;
};

struct Program {
  std::shared_ptr<const nlohmann::json> json;  // ExportedProgram of torch/_export/serde/schema.py
  std::vector<StateTensor> weights;            // in the order of the graph's
  std::vector<StateTensor> constants;
  std::vector<ProgramInput> inputs;  // in the order of the graph's
};

}  // namespace nongemm::pt2
