// What the schemes share: which layers are quantized, and the weights that are made for them.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "graph/graph.h"
#include "ops/builder.h"
#include "passes/linear_layers.h"
#include "spec/quantize_options.h"

namespace nongemm::passes {

/// One tensor that goes with a layer's weight: the last part of its name, "" for the weight's own name.
struct Part {
  std::string name;
  DType dtype = DType::kUndefined;
  Shape shape;
};

/// Makes weights of a graph from those that a checkpoint has, once for each weight however many layers use it. In what
/// it makes a weight's rows are always a layer's outputs: [out, in].
class WeightMaker {
 public:
  WeightMaker(const Graph& graph, DType dtype);

  /// int8 [out, in] and one scale [out] for each row, fp32: values times scale / 127. Named as bitsandbytes does.
  std::vector<Tensor> int8_rows(Builder& builder, const LinearLayer& layer);
  /// e4m3 [out, in] and one scale [out] for each row, fp32.
  std::vector<Tensor> fp8_rows(Builder& builder, const LinearLayer& layer);
  /// Integers of 8 bits [out, in] or of 4, two to a byte [out, in / 2], and scales [out, groups] of the weight's type.
  std::vector<Tensor> grouped(Builder& builder, const LinearLayer& layer, std::int64_t bits, std::int64_t group);

  /// Of what a checkpoint has in the place of the layer's weight.
  /// @param made the parts, of what is stored; one that is stored under its name may be given as it is
  std::vector<Tensor> make(Builder& builder, const LinearLayer& layer, const std::vector<Part>& stored,
                           const std::vector<Part>& parts,
                           const std::function<std::vector<Tensor>(const std::vector<Tensor>& stored)>& made);
  Builder& preparation() { return preparation_; }
  /// [out, in] of the layer's weight.
  std::pair<std::int64_t, std::int64_t> sizes_of(const LinearLayer& layer) const;

  /// What makes them, for Graph::preparation; nullptr where they are stored as they are used. Call it when the layers
  /// are done.
  /// @param quantized the graph that has the made weights, which no longer has those that nobody uses
  std::shared_ptr<const Graph> finish(const Graph& quantized);

 private:
  std::vector<Tensor> make_from_weight(Builder& builder, const LinearLayer& layer, const std::vector<Part>& parts,
                                       const std::function<std::vector<Tensor>(const Tensor& weight)>& made);

  const Graph& graph_;
  Builder preparation_;
  std::map<ValueId, std::vector<ValueId>> made_;
};

/// As checkpoints name the layer's weight.
const std::string& weight_name(const Graph& graph, const LinearLayer& layer);

/// Where a scheme gets a layer's weight from.
using WeightSource = std::function<std::vector<Tensor>(Builder&, const LinearLayer&, WeightMaker&)>;

/// Rows of inputs that layers quantize once for all of them (the projections of an attention).
class SharedRows {
 public:
  explicit SharedRows(const Graph& graph);
  /// What `make` gave for this input in this block, unless something writes to it: it may change between two layers.
  std::vector<Tensor> of(const Builder& builder, ValueId input, const std::function<std::vector<Tensor>()>& make);

 private:
  std::set<ValueId> written_;
  std::map<std::pair<BlockId, ValueId>, std::vector<Tensor>> rows_;
};

/// Those of the names that are a linear layer's module, the end of its path, or a module around one.
std::vector<std::string> known_modules(const Graph& graph, const std::vector<std::string>& names);

/// The layers that the options leave to be quantized. @throws as replace_layers()
std::vector<LinearLayer> layers_to_quantize(const Graph& graph, const QuantizeOptions& options);

/// The graph with `build` in place of each layer that is to be quantized; it gives the layer's result.
/// @param module what modules of type Linear or Conv1D are called then; empty: as before
/// Throws Error(kUsage, kBadInput), see quantize().
Graph replace_layers(const Graph& graph, const QuantizeOptions& options, std::string_view module,
                     const std::function<Tensor(Builder&, const LinearLayer&, WeightMaker&)>& build);

}  // namespace nongemm::passes
