// From a model and options to a session that is ready to run: graph, weights, inputs.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "prepare/model.h"

namespace nongemm {

struct PreparedInputs {
  std::vector<HostTensor> tensors;  // in the order of Graph::inputs
  std::string source;               // "synthetic, seed 0"
};

/// One batch of the user's own data, read and preprocessed.
struct DataBatch {
  NamedTensors tensors;
  std::string source;
  PreprocessTimes preprocessing;           // of the whole batch, outside the latency
  bool named = false;                      // the user named the tensors: each has to be an input
  std::vector<data::Sample> samples = {};  // where the data has such
};

/// Images (ImageNet-style, COCO, any folder) or text, by what the model wants. Throws Error naming the path.
/// @param weights_folder where a tokenizer and preprocessor_config.json may lie, or a file there; may be empty
DataBatch read_data(const Model& model, const std::string& path, const std::string& weights_folder,
                    const ModelOptions& options);

/// The same data from its beginning, batch after batch.
std::unique_ptr<data::Source> open_data(const Model& model, const std::string& path, const std::string& weights_folder,
                                        const ModelOptions& options);
DataBatch next_batch(data::Source& source, std::int64_t batch);

/// In the graph's order and dtypes. Inputs that the data does not have, and all without data, are synthetic, and
/// `source` says so. Throws Error(kBadInput) for shapes, types, token ids and names that the model does not take.
PreparedInputs prepare_inputs(const Graph& graph, const DataBatch* data, std::uint64_t seed);

/// `tensor`, the data of input `name`, in the type that the model takes: pixels are prepared in fp32 and run in the
/// model's dtype; files hold token ids and masks in whatever type was at hand. Throws Error(kBadInput) for other types.
HostTensor in_dtype(const std::string& name, const HostTensor& tensor, DType dtype);

struct PreparedWeights {
  /// In the order of Graph::weights; without data where the flow is to draw them.
  std::vector<HostTensor> tensors;
  std::string source;
};

/// From a checkpoint (file or folder), or the model's own folder where none is named; synthetic where that holds none:
/// a config.json alone is enough to know where time goes. Throws Error naming the checkpoint and what does not fit.
PreparedWeights prepare_weights(const Model& model, const Graph& graph, const std::string& checkpoint = "",
                                std::uint64_t seed = 0);

/// Throws Error(kOutOfMemory) with the need and what is there, before anything is allocated.
void check_host_memory(const Graph& graph, const PreparedWeights& weights);

}  // namespace nongemm
