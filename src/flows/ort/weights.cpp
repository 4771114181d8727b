#include "flows/ort/weights.h"

#include <string_view>
#include <utility>

#include "base/error.h"
#include "flows/ort/library.h"
#include "flows/ort/values.h"
#include "onnx/file.h"
#include "weights/made_weights.h"
#include "weights/synthetic.h"
#include "weights/weight_spec.h"

namespace nongemm::ort_flow {
namespace {

/// A weight as it was given, or drawn, or made of such.
HostTensor weight_of(const Graph& graph, std::size_t place, const std::vector<HostTensor>& given,
                     const RunOptions& options) {
  return weights::made_weight(graph, place, [&](std::size_t stored) {
    if (given[stored].data) return given[stored];
    const weights::WeightSpec spec = weights::weight_specs(graph.stored())[stored];
    return weights::synthesize_all({spec}, options.seed, options.threads).front().second;
  });
}

template <typename Visit>
void for_each_weight(const onnx::ModelDef& model, Visit&& visit) {
  for (const onnx::Initializer& initializer : model.graph.initializers) {
    if (initializer.is_weight()) visit(initializer);
  }
}

}  // namespace

void Weights::Release::operator()(OrtPrepackedWeightsContainer* packed) const {
  Ort::GetApi().ReleasePrepackedWeightsContainer(packed);
}

Weights::Weights(bool shared) {
  if (!shared) return;
  OrtPrepackedWeightsContainer* packed = nullptr;
  Ort::ThrowOnError(Ort::GetApi().CreatePrepackedWeightsContainer(&packed));
  packed_.reset(packed);
}

void Weights::add(const std::string& name, HostTensor tensor) {
  Placed placed{std::move(tensor)};
  placed.value = to_value(placed.tensor);
  placed_.emplace(name, std::move(placed));
}

void Weights::place(const Graph& graph, const onnx::ModelDef& model, const std::vector<HostTensor>& given,
                    const RunOptions& options) {
  for_each_weight(model, [&](const onnx::Initializer& initializer) {
    add(initializer.name,
        onnx::tensor_of(initializer, [&](std::size_t place) { return weight_of(graph, place, given, options); }));
  });
}

void Weights::find(const Graph& graph, const onnx::ModelDef& model) {
  for_each_weight(model, [&](const onnx::Initializer& initializer) {
    const std::string& weight = graph.weights[initializer.weight].name;
    const auto known = placed_.find(initializer.name);
    if (known != placed_.end() && known->second.tensor.shape == initializer.shape &&
        known->second.tensor.dtype == initializer.dtype) {
      return;
    }
    // One graph may want a matrix as it is, and the other transposed.
    const auto other = known == placed_.end() && initializer.transposed ? placed_.find(weight) : placed_.end();
    if (other == placed_.end()) {
      throw Error(ErrorKind::kBadInput, "the model's first graph has no weight " + weight,
                  "give all entries the weights of one model");
    }
    add(initializer.name, onnx::tensor_of(initializer, [&](std::size_t) { return other->second.tensor; }));
  });
}

void Weights::hand_over(const onnx::ModelDef& model, Ort::SessionOptions& options) {
  std::vector<const char*> names;
  std::vector<const OrtValue*> values;
  for_each_weight(model, [&](const onnx::Initializer& initializer) {
    const Placed& placed = placed_.at(initializer.name);
    names.push_back(initializer.name.c_str());
    values.push_back(placed.value);
    // What is named so is read where it is, and alone is looked up among what others have packed. Kernels of vectors
    // (LayerNorm in fp16) pack, too, but cannot share that, and fail when they are asked to.
    if (packed_ != nullptr && initializer.shape.size() > 1) {
      options.AddInitializer(initializer.name.c_str(), placed.value);
    }
  });
  // The optimiser reads values from these.
  Ort::ThrowOnError(Ort::GetApi().AddExternalInitializers(options, names.data(), values.data(), names.size()));
}

Ort::Session Weights::open(const std::string& bytes, const Ort::SessionOptions& options) {
  Ort::Env& env = Library::get().env();
  if (packed_ != nullptr) {
    try {
      return {env, bytes.data(), bytes.size(), options, packed_.get()};
    } catch (const Ort::Exception& error) {
      // A kernel that packs matrices for itself alone: then each graph has its own.
      constexpr std::string_view kCannotShare = "cache computed pre-packed weights";
      if (std::string_view(error.what()).find(kCannotShare) == std::string_view::npos) throw;
    }
  }
  return {env, bytes.data(), bytes.size(), options};
}

}  // namespace nongemm::ort_flow
