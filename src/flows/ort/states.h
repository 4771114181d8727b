// Values that outlive a run (graph/state.h), in the runtime's memory: what one run leaves is bound as what the next
// finds, without a copy. They are shared by the entries of a model.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "flows/ort/onnxruntime.h"
#include "graph/state.h"
#include "onnx/onnx_model.h"

namespace nongemm::ort_flow {

/// The states themselves, by name.
struct StateStore {
  std::optional<Ort::Allocator> allocator;  // of zeros, which need it as long as they are there
  std::map<std::string, Ort::Value> values;
};

/// One entry's side of them.
class States {
 public:
  /// @param graph all that it writes are outputs (lowering/written_states.h); has to stay
  /// @param model what the runtime is given of it, and how its inputs and outputs are called there
  States(const Graph& graph, const onnx::ModelDef& model, const std::vector<std::string>& inputs,
         const std::vector<std::string>& outputs, std::shared_ptr<StateStore> store);

  const std::shared_ptr<StateStore>& store() const { return store_; }
  bool empty() const { return states_.empty(); }
  bool has_input(std::uint32_t input) const;
  /// Whether output `index` of the last run is in the store.
  bool has_kept(std::size_t index) const;
  const Ort::Value& kept(std::size_t index) const;

  /// Before a run: what it finds, and room for what it leaves. Throws Error(kUsage) for a state that nothing has made.
  /// @param memory where the runtime puts what it leaves
  void bind(Ort::IoBinding& binding, const Ort::MemoryInfo& memory);
  /// What the last run has left is what the next run of any entry finds; it is let go here.
  void keep(Ort::IoBinding& binding, const Ort::MemoryInfo& memory);
  /// Zeros for the state that is input `input`.
  void clear(std::uint32_t input, const Ort::Session& session, const Ort::MemoryInfo& memory);

 private:
  struct Bound {
    State state;
    std::string input, output;  // in the model; empty without
    /// What it leaves lies where it finds it: nothing else reads that, and only new elements are written.
    bool in_place = false;
  };

  const Graph& graph_;
  std::vector<Bound> states_;
  std::shared_ptr<StateStore> store_;
  bool kept_ = false;
};

}  // namespace nongemm::ort_flow
