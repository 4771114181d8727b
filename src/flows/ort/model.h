// A graph as a session of ONNX Runtime: lowered, its weights handed over in place, or the user's own file as it is;
// optimised by the runtime, and what the optimiser made of it read back.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "flows/flow.h"
#include "flows/ort/onnxruntime.h"
#include "flows/ort/settings.h"
#include "flows/ort/weights.h"
#include "onnx/onnx_model.h"
#include "programs/ort/dataflow.h"
#include "programs/ort/result_types.h"
#include "record/runtime_program.h"

namespace nongemm::ort_flow {

class Model {
 public:
  /// @throws Error(kUnsupported) with the runtime's message and the graph node it is about when it rejects the model
  Model(const Graph& graph, const std::vector<HostTensor>& weights, const RunOptions& options,
        const Settings& settings);
  /// A further graph of the same model, over the weights of the first.
  Model(const Graph& graph, const Model& first, const Settings& settings);

  Ort::Session& session() { return session_; }
  const std::vector<std::string>& inputs() const { return inputs_; }
  const std::vector<std::string>& outputs() const { return outputs_; }
  /// What the runtime was given; empty for a user's own file.
  const onnx::ModelDef& lowered() const { return lowered_; }
  /// Steps in the order of the optimised graph (mapping.h).
  const RuntimeProgram& program() const { return program_; }
  /// Of results whose shapes the graph does not have.
  const ResultTypes& result_types() const { return *result_types_; }
  std::uint64_t weight_bytes() const { return weight_bytes_; }

 private:
  /// Makes the session and reads back what the optimiser wrote. @param model what the runtime was given
  /// @param outputs of the graph by their names in the model
  void open(const Graph& graph, const Settings& settings, const Dataflow& model,
            const std::vector<std::pair<std::string, ValueId>>& outputs,
            const std::function<void(Ort::SessionOptions&)>& load);
  /// @return outputs of the graph by their names in the model
  std::vector<std::pair<std::string, ValueId>> lower(const Graph& graph);
  void open_lowered(const Graph& graph, const Settings& settings,
                    const std::vector<std::pair<std::string, ValueId>>& outputs);
  void take_file(const Graph& graph, const Settings& settings);

  onnx::ModelDef lowered_;
  std::shared_ptr<Weights> weights_;
  std::uint64_t weight_bytes_ = 0;
  std::vector<std::string> inputs_;
  std::vector<std::string> outputs_;
  RuntimeProgram program_;
  std::optional<ResultTypes> result_types_;
  Ort::Session session_{nullptr};
};

}  // namespace nongemm::ort_flow
