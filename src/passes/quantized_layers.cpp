#include "passes/quantized_layers.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/error.h"
#include "passes/rewrite.h"

namespace nongemm::passes {
namespace {

const Weight& weight_of(const Graph& graph, ValueId value) {
  return *std::find_if(graph.weights.begin(), graph.weights.end(),
                       [&](const Weight& weight) { return weight.value == value; });
}

/// "h.0.attn.c_attn" of "h.0.attn.c_attn.weight": files of other tools may say nothing else of modules.
std::string owner_of(const std::string& weight_name) {
  const std::size_t dot = weight_name.rfind('.');
  return dot == std::string::npos ? weight_name : weight_name.substr(0, dot);
}

/// `part` is all of `path`, or whole components at its beginning or its end.
bool names_module(const std::string& path, const std::string& part) {
  return path == part || path.starts_with(part + ".") || path.ends_with("." + part);
}

/// Of the layer: where it ran, and whose its weight is.
std::vector<std::string> paths_of(const Graph& graph, const LinearLayer& layer) {
  std::vector<std::string> paths = {owner_of(weight_of(graph, layer.weight).name)};
  if (std::string scope = graph.scope_path(graph.nodes[layer.node].scope); !scope.empty()) paths.push_back(scope);
  return paths;
}

bool skipped_by_name(const Graph& graph, const LinearLayer& layer, const std::vector<std::string>& names) {
  for (const std::string& path : paths_of(graph, layer)) {
    if (std::any_of(names.begin(), names.end(), [&](const std::string& name) { return names_module(path, name); })) {
      return true;
    }
  }
  return false;
}

/// Used by anything but linear layers: an embedding that is the head's weight, too.
std::set<ValueId> used_elsewhere(const Graph& graph, const std::vector<LinearLayer>& layers) {
  std::set<NodeId> linear;
  for (const LinearLayer& layer : layers) linear.insert(layer.node);
  std::set<ValueId> used;
  for (NodeId id = 0; id < graph.nodes.size(); ++id) {
    const Node& node = graph.nodes[id];
    if (linear.contains(id)) continue;
    if (!node.outputs.empty() && graph.values[node.outputs[0]].type.alias) continue;  // the weight's transpose
    for (const Argument& argument : node.args) for_each_use(argument, [&](ValueId value) { used.insert(value); });
  }
  return used;
}

std::vector<LinearLayer> without_tied(const Graph& graph, const std::vector<LinearLayer>& layers) {
  const std::set<ValueId> shared = used_elsewhere(graph, layers);
  std::vector<LinearLayer> kept;
  for (const LinearLayer& layer : layers) {
    const bool tied = shared.contains(layer.weight) || !weight_of(graph, layer.weight).aliases.empty();
    if (!tied) kept.push_back(layer);
  }
  return kept;
}

/// transformers' choice (get_keys_to_not_convert): what belongs to the module of the last parameter stays.
std::vector<LinearLayer> without_head(const Graph& graph, const std::vector<LinearLayer>& layers) {
  std::string last;
  for (const Weight& weight : graph.weights) {
    if (!weight.buffer) last = owner_of(weight.name);
  }
  std::vector<LinearLayer> kept;
  for (const LinearLayer& layer : layers) {
    if (owner_of(weight_of(graph, layer.weight).name) != last) kept.push_back(layer);
  }
  return kept;
}

bool is_known(const Graph& graph, const std::vector<LinearLayer>& layers, const std::string& name) {
  return std::any_of(layers.begin(), layers.end(),
                     [&](const LinearLayer& layer) { return skipped_by_name(graph, layer, {name}); });
}

void check_names(const Graph& graph, const std::vector<LinearLayer>& layers, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (is_known(graph, layers, name)) continue;
    throw Error(ErrorKind::kUsage, "'" + name + "' is no linear layer of " + graph.name + ", nor a module around one",
                "for example " + paths_of(graph, layers.front()).back());
  }
}

/// The type in which the graph runs where nothing else says it.
DType dtype_of(const Graph& graph) {
  const auto stated = graph.attributes.find("dtype");
  const std::optional<DType> dtype = stated != graph.attributes.end() ? parse_dtype(stated->second) : std::nullopt;
  return dtype.value_or(DType::kFloat32);
}

}  // namespace

WeightMaker::WeightMaker(const Graph& graph, DType dtype) : graph_(graph), preparation_(graph.name, dtype) {}

std::vector<Tensor> WeightMaker::make(Builder& builder, const LinearLayer& layer, const std::vector<Part>& stored,
                                      const std::vector<Part>& parts,
                                      const std::function<std::vector<Tensor>(const std::vector<Tensor>&)>& made) {
  const auto [place, is_new] = made_.try_emplace(layer.weight);
  if (is_new) {
    const Weight& weight = weight_of(graph_, layer.weight);
    const auto name_of = [&](const Part& part) {
      return part.name.empty() ? weight.name : owner_of(weight.name) + "." + part.name;
    };
    std::vector<Tensor> sources;
    for (const Part& part : stored) {
      const InitSpec init = is_floating(part.dtype) ? weight.init : InitSpec::constant(0);
      sources.push_back(preparation_.buffer(name_of(part), part.dtype, part.shape, init));
    }
    const std::vector<Tensor> results = made(sources);
    const auto at_root = builder.place(kBodyBlock, kRootScope);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const std::string name = name_of(parts[i]);
      place->second.push_back(builder.buffer(name, parts[i].dtype, parts[i].shape, InitSpec::constant(0)).id());
      builder.graph().weights.back().buffer = i > 0 || weight.buffer;
      bool as_stored = false;
      for (std::size_t j = 0; j < stored.size(); ++j) {
        as_stored = as_stored || (sources[j].id() == results[i].id() && stored[j].name == parts[i].name);
      }
      if (!as_stored) preparation_.output(name, results[i]);
    }
  }
  std::vector<Tensor> weights;
  for (const ValueId value : place->second) weights.emplace_back(&builder, value);
  return weights;
}

std::vector<Tensor> WeightMaker::make_from_weight(Builder& builder, const LinearLayer& layer,
                                                  const std::vector<Part>& parts,
                                                  const std::function<std::vector<Tensor>(const Tensor&)>& made) {
  const Type& type = graph_.values[layer.weight].type;
  return make(builder, layer, {{"", type.dtype, type.shape}}, parts, [&](const std::vector<Tensor>& stored) {
    if (!layer.transposed) return made(stored[0]);
    return made(preparation_.call("aten.contiguous.default", {preparation_.call("aten.t.default", {stored[0]})}));
  });
}

std::pair<std::int64_t, std::int64_t> WeightMaker::sizes_of(const LinearLayer& layer) const {
  const Shape& shape = graph_.values[layer.weight].type.shape;
  return layer.transposed ? std::pair(shape[1], shape[0]) : std::pair(shape[0], shape[1]);
}

std::vector<Tensor> WeightMaker::int8_rows(Builder& builder, const LinearLayer& layer) {
  const auto [out, in] = sizes_of(layer);
  return make_from_weight(
      builder, layer, {{"", DType::kInt8, {out, in}}, {"SCB", DType::kFloat32, {out}}},
      [&](const Tensor& weight) { return preparation_.call_all("nongemm.int8_row_quantize.default", {weight}); });
}

std::vector<Tensor> WeightMaker::fp8_rows(Builder& builder, const LinearLayer& layer) {
  const auto [out, in] = sizes_of(layer);
  return make_from_weight(
      builder, layer, {{"", DType::kFloat8E4M3, {out, in}}, {"weight_scale", DType::kFloat32, {out}}},
      [&](const Tensor& weight) { return preparation_.call_all("nongemm.fp8_row_quantize.default", {weight}); });
}

std::vector<Tensor> WeightMaker::grouped(Builder& builder, const LinearLayer& layer, std::int64_t bits,
                                         std::int64_t group) {
  const auto [out, in] = sizes_of(layer);
  const Part values = bits == 8 ? Part{"", DType::kInt8, {out, in}} : Part{"", DType::kUInt8, {out, (in + 1) / 2}};
  const Part scales{"weight_scale", graph_.values[layer.weight].type.dtype, {out, (in + group - 1) / group}};
  return make_from_weight(builder, layer, {values, scales}, [&](const Tensor& weight) {
    return preparation_.call_all("nongemm.group_quantize.default", {weight, bits, group});
  });
}

std::shared_ptr<const Graph> WeightMaker::finish(const Graph& quantized) {
  Graph graph = preparation_.finish();
  if (graph.nodes.empty()) return nullptr;
  const std::vector<Weight> sources = std::exchange(graph.weights, {});
  // In the order of the original, so that nothing that lists weights changes its order.
  for (const Weight& weight : graph_.weights) {
    const auto by_name = [&](const Weight& other) { return other.name == weight.name; };
    const auto source = std::find_if(sources.begin(), sources.end(), by_name);
    const bool made = std::any_of(graph.outputs.begin(), graph.outputs.end(),
                                  [&](const Output& output) { return output.name == weight.name; });
    const bool used = std::any_of(quantized.weights.begin(), quantized.weights.end(), by_name);
    if (source == sources.end() && (made || !used)) continue;
    Weight kept = weight;
    if (source != sources.end()) {
      kept.value = source->value;
    } else {
      kept.value = static_cast<ValueId>(graph.values.size());
      graph.values.push_back({graph_.values[weight.value].type, kNoId});
    }
    graph.weights.push_back(std::move(kept));
  }
  for (const Weight& source : sources) {
    const auto by_name = [&](const Weight& other) { return other.name == source.name; };
    if (std::none_of(graph_.weights.begin(), graph_.weights.end(), by_name)) graph.weights.push_back(source);
  }
  graph.checkpoint_rules = quantized.checkpoint_rules;
  return std::make_shared<const Graph>(std::move(graph));
}

SharedRows::SharedRows(const Graph& graph) {
  for (const Node& node : graph.nodes) {
    const Op* op = OpTable::get().find(node.op);
    if (op != nullptr && !op->schema.writes()) continue;
    for (const Argument& argument : node.args) for_each_use(argument, [&](ValueId value) { written_.insert(value); });
  }
}

std::vector<Tensor> SharedRows::of(const Builder& builder, ValueId input,
                                   const std::function<std::vector<Tensor>()>& make) {
  if (written_.contains(input)) return make();
  auto [place, is_new] = rows_.try_emplace({builder.block(), input});
  if (is_new) place->second = make();
  return place->second;
}

const std::string& weight_name(const Graph& graph, const LinearLayer& layer) {
  return weight_of(graph, layer.weight).name;
}

std::vector<LinearLayer> layers_to_quantize(const Graph& graph, const QuantizeOptions& options) {
  const std::vector<LinearLayer> all = find_linear_layers(graph);
  if (all.empty()) {
    throw Error(ErrorKind::kBadInput, graph.name + " has no linear layer to quantize",
                "quantization is for products with a weight: linear, addmm and matmul");
  }
  std::vector<LinearLayer> layers = without_tied(graph, all);
  if (options.skip.empty()) {
    layers = without_head(graph, layers);
  } else if (options.skip != std::vector<std::string>{"none"}) {
    check_names(graph, all, options.skip);
    std::erase_if(layers, [&](const LinearLayer& layer) { return skipped_by_name(graph, layer, options.skip); });
  }
  if (layers.empty()) {
    throw Error(ErrorKind::kBadInput, "all linear layers of " + graph.name + " are left out of quantization",
                "name those to leave out yourself: --quantize-skip");
  }
  return layers;
}

std::vector<std::string> known_modules(const Graph& graph, const std::vector<std::string>& names) {
  const std::vector<LinearLayer> layers = find_linear_layers(graph);
  std::vector<std::string> known;
  for (const std::string& name : names) {
    if (is_known(graph, layers, name)) known.push_back(name);
  }
  return known;
}

Graph replace_layers(const Graph& graph, const QuantizeOptions& options, std::string_view module,
                     const std::function<Tensor(Builder&, const LinearLayer&, WeightMaker&)>& build) {
  const std::vector<LinearLayer> layers = layers_to_quantize(graph, options);
  const DType dtype = dtype_of(graph);
  WeightMaker weights(graph, dtype);
  std::map<NodeId, Replacement> replacements;
  Graph copy = graph;
  for (const LinearLayer& layer : layers) {
    Scope& scope = copy.scopes[graph.nodes[layer.node].scope];
    if (!module.empty() && (scope.type == "Linear" || scope.type == "Conv1D")) scope.type = module;
    replacements[layer.node] = [&, layer](Builder& builder) { return build(builder, layer, weights); };
  }
  Graph result = replace_nodes(std::move(copy), dtype, replacements);
  result.preparation = weights.finish(result);
  return result;
}

}  // namespace nongemm::passes
