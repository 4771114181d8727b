#include "flows/ort/model.h"

#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "base/host_memory.h"
#include "base/temporary_folder.h"
#include "flows/ort/errors.h"
#include "flows/ort/library.h"
#include "flows/ort/load_apart.h"
#include "graph/state.h"
#include "lowering/lower.h"
#include "onnx/names.h"
#include "onnx/wire.h"
#include "programs/ort/dataflow.h"
#include "programs/ort/mapping.h"
#include "programs/ort/user_model.h"

namespace nongemm::ort_flow {
namespace {

constexpr const char* kOptimised = "optimised.onnx";

/// Has the runtime write its optimised graph into `folder`. Only the graph is wanted: tensors go to a file of their
/// own, which is no file but a link to nowhere, so that a model of any size costs no disk.
void ask_for_optimised_graph(const std::filesystem::path& folder, Ort::SessionOptions& options) {
  std::filesystem::create_symlink("/dev/null", folder / "tensors");
  options.SetOptimizedModelFilePath((folder / kOptimised).c_str());
  options.AddConfigEntry("session.optimized_model_external_initializers_file_name", "tensors");
  options.AddConfigEntry("session.optimized_model_external_initializers_min_size_in_bytes", "64");
}

/// A session on the host packs its matrices anew, and one that also writes its graph keeps every form of them: 3.2
/// times the weights (gpt2-large in fp32, 1.30), three times as long. So the graph is written by a session of its own,
/// which packs nothing and is gone before the real one loads: 2.4 times.
void leave_matrices_as_they_are(Ort::SessionOptions& options) {
  options.AddConfigEntry("session.disable_prepacking", "1");
}

Dataflow read_optimised_graph(const std::filesystem::path& folder) {
  constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 30;
  const std::filesystem::path path = folder / kOptimised;
  return read_dataflow(read_file(path, kMostBytes), path.filename().string());
}

/// "h.0.ln_1 (aten.layer_norm.default)" of the graph nodes that the runtime's message names.
std::string nodes_named_in(const std::string& message, const Graph& graph) {
  constexpr std::size_t kMost = 3;
  std::string text;
  std::size_t count = 0;
  for (const NodeId id : onnx::graph_nodes_in(message)) {
    if (id >= graph.nodes.size() || ++count > kMost) continue;
    const Node& node = graph.nodes[id];
    const std::string scope = graph.scope_path(node.scope);
    text += (text.empty() ? "" : ", ") + (scope.empty() ? node.op : scope + " (" + node.op + ")");
  }
  return text;
}

/// Graph nodes of which the model has none: nothing needs them, or they are views that the next node sees through.
std::vector<NodeId> without_nodes(const Graph& graph, const Dataflow& model) {
  std::vector<bool> known(graph.nodes.size(), false);
  for (const DataflowNode& node : model.nodes) {
    for (const NodeId id : node.graph_nodes) known[id] = true;
  }
  std::vector<NodeId> rest;
  for (NodeId id = 0; id < graph.nodes.size(); ++id) {
    if (!known[id]) rest.push_back(id);
  }
  return rest;
}

template <typename Visit>
void for_each_weight(const onnx::ModelDef& model, Visit&& visit) {
  for (const onnx::Initializer& initializer : model.graph.initializers) {
    if (initializer.is_weight()) visit(initializer, static_cast<double>(initializer.byte_size()));
  }
}

/// Weights that are not there yet.
/// @param made weights are made of those that are given
double bytes_to_make(const onnx::ModelDef& model, const std::vector<HostTensor>& given, bool made) {
  double bytes = 0;
  for_each_weight(model, [&](const onnx::Initializer& initializer, double own) {
    if (initializer.transposed || made || !given[initializer.weight].data) bytes += own;
  });
  return bytes;
}

/// What loading and a first run take on a host beyond the weights that are there. Measured with 1.30 (gpt2-large,
/// vit-l), in all: 2.4 to 2.6 times the weights in fp32, since matrices are copied and packed anew; 4.8 times in half
/// types, which the provider converts before, and 6.6 times at level none, where it converts them in the run, all
/// before the first is used. A further graph finds fp32 matrices packed (gpt2: 0.9 times the weights while it loads).
double bytes_to_load(const onnx::ModelDef& model, const Settings& settings, bool is_first) {
  constexpr double kSingle = 1.6;
  constexpr double kFurtherSingle = 0.9;
  constexpr double kHalf = 3.8;
  constexpr double kHalfInTheRun = 5.6;
  double bytes = 0;
  for_each_weight(model, [&](const onnx::Initializer& initializer, double own) {
    if (initializer.shape.size() < 2) return;
    const bool half = initializer.dtype == DType::kFloat16 || initializer.dtype == DType::kBFloat16;
    if (!half) {
      bytes += (is_first ? kSingle : kFurtherSingle) * own;
    } else {
      bytes += (settings.level == ORT_DISABLE_ALL ? kHalfInTheRun : kHalf) * own;
    }
  });
  return bytes;
}

void require_memory_to_load(const Graph& graph, double bytes, const Settings& settings) {
  if (settings.on_cuda()) return;
  require_memory("loading " + graph.name + " in ONNX Runtime", bytes, "free memory, or use the torch flow");
}

/// Far more than it takes, with optimisation.
double seconds_to_load(std::uint64_t weight_bytes) {
  constexpr double kLeast = 60;
  constexpr double kBytesPerSecond = 50e6;
  return kLeast + static_cast<double>(weight_bytes) / kBytesPerSecond;
}

/// In the opset that the runtime's optimiser knows best; in the newest for models with an operator that came later.
onnx::LoweredModel lower_for_runtime(const Graph& graph) {
  try {
    return onnx::lower_to_onnx(graph);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kUnsupported) throw;
  }
  return onnx::lower_to_onnx(graph, {.opset = OnnxOptions::kNewestOpset});
}

}  // namespace

Model::Model(const Graph& graph, const std::vector<HostTensor>& weights, const RunOptions& options,
             const Settings& settings) {
  if (graph.source != nullptr) {
    take_file(graph, settings);
    return;
  }
  const auto outputs = lower(graph);
  require_memory_to_load(graph,
                         bytes_to_make(lowered_, weights, graph.preparation != nullptr) +
                             bytes_to_load(lowered_, settings, /*is_first=*/true),
                         settings);
  weights_ = std::make_shared<Weights>(/*shared=*/!states_of(graph).empty());
  weights_->place(graph, lowered_, weights, options);
  open_lowered(graph, settings, outputs);
}

Model::Model(const Graph& graph, const Model& first, const Settings& settings) : weights_(first.weights_) {
  const auto outputs = lower(graph);
  require_memory_to_load(graph, bytes_to_load(lowered_, settings, /*is_first=*/false), settings);
  weights_->find(graph, lowered_);
  open_lowered(graph, settings, outputs);
}

void Model::open(const Graph& graph, const Settings& settings, const Dataflow& model,
                 const std::vector<std::pair<std::string, ValueId>>& outputs,
                 const std::function<void(Ort::SessionOptions&)>& load) {
  const TemporaryFolder folder;
  try {
    with_errors("loading the model", [&] {
      Ort::SessionOptions options = session_options(settings);
      ask_for_optimised_graph(folder.path(), options);
      if (!settings.on_cuda()) {
        leave_matrices_as_they_are(options);
        load(options);
        session_ = Ort::Session(nullptr);
        options = session_options(settings);
      }
      load(options);
    });
  } catch (const Error& error) {
    const std::string nodes = graph.source == nullptr ? nodes_named_in(error.what(), graph) : "";
    throw Error(error.kind(), std::string(error.what()) + (nodes.empty() ? "" : "; this is " + nodes));
  }
  const Dataflow optimised = read_optimised_graph(folder.path());
  program_ = map_program(model, optimised);
  const std::vector<NodeId> left_out = without_nodes(graph, model);
  program_.folded.insert(program_.folded.end(), left_out.begin(), left_out.end());
  result_types_.emplace(graph, names_of_unknown(graph, outputs), optimised);
}

void Model::take_file(const Graph& graph, const Settings& settings) {
  for (const Input& input : graph.inputs) inputs_.push_back(input.name);
  std::vector<std::pair<std::string, ValueId>> named;
  for (const Output& output : graph.outputs) {
    outputs_.push_back(output.name);
    named.emplace_back(output.name, output.value);
  }
  for (const Weight& weight : graph.weights) {
    const Type& type = graph.values[weight.value].type;
    weight_bytes_ += static_cast<std::uint64_t>(element_count(type.shape)) * size_of(type.dtype);
  }
  const UserModel model = read_user_model(*graph.source);
  const auto load = [&](Ort::SessionOptions& options) {
    if (model.named.empty()) {
      session_ = Ort::Session(Library::get().env(), graph.source->path.c_str(), options);
      return;
    }
    const std::filesystem::path folder = std::filesystem::absolute(graph.source->path).parent_path();
    options.AddConfigEntry("session.model_external_initializers_file_folder_path", folder.c_str());
    session_ = Ort::Session(Library::get().env(), model.named.data(), model.named.size(), options);
  };
  const std::string path = graph.source->path.string();
  try {
    load_apart(path, seconds_to_load(weight_bytes_), [&] {
      Settings on_host = settings;
      on_host.cuda_device = -1;
      with_errors("loading " + path, [&] {
        Ort::SessionOptions options = session_options(on_host);
        load(options);
      });
    });
    open(graph, settings, model.dataflow, named, load);
  } catch (const Error& error) {
    throw Error(is_invalid_model(error.what()) ? ErrorKind::kBadInput : error.kind(), error.what());
  }
}

std::vector<std::pair<std::string, ValueId>> Model::lower(const Graph& graph) {
  onnx::LoweredModel lowered = lower_for_runtime(graph);
  for (const onnx::Port& port : lowered.inputs) inputs_.push_back(port.name);
  std::vector<std::pair<std::string, ValueId>> outputs;
  for (const onnx::Port& port : lowered.outputs) {
    outputs_.push_back(port.name);
    outputs.emplace_back(port.name, port.value);
  }
  lowered_ = std::move(lowered.model);
  return outputs;
}

void Model::open_lowered(const Graph& graph, const Settings& settings,
                         const std::vector<std::pair<std::string, ValueId>>& outputs) {
  weight_bytes_ = onnx::weight_bytes(lowered_);
  open(graph, settings, dataflow_of(lowered_), outputs, [&](Ort::SessionOptions& options) {
    weights_->hand_over(lowered_, options);
    session_ = weights_->open(onnx::serialize(lowered_), options);
  });
}

}  // namespace nongemm::ort_flow
