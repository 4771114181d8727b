#include "verify/quantized_layers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include "base/elements.h"
#include "base/error.h"
#include "ops/builder.h"
#include "passes/linear_layers.h"
#include "passes/quantize.h"
#include "prepare/prepare.h"
#include "verify/compare_outputs.h"
#include "weights/safetensors.h"

namespace nongemm {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kTiesOneIn = 1000;

std::vector<HostTensor> run_graph(const Graph& graph, const std::vector<HostTensor>& weights,
                                  const std::vector<HostTensor>& inputs, Flow& flow, const RunOptions& run) {
  const std::unique_ptr<Session> session = flow.prepare(graph, weights, run);
  session->set_inputs(inputs);
  session->run();
  return session->outputs();
}

/// How many values differ, and by how much at most.
LayerCheck compare_steps(const std::string& layer, const std::string& what, const HostTensor& got,
                         const HostTensor& expected, bool ties) {
  LayerCheck check{.layer = layer, .what = what, .found = {}};
  if (got.shape != expected.shape) {
    check.found = "shape " + to_string(got.shape) + ", expected " + to_string(expected.shape);
    return check;
  }
  const std::vector<double> ours = elements_of(got);
  const std::vector<double> theirs = elements_of(expected);
  std::size_t different = 0;
  double largest = 0;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    if (ours[i] == theirs[i]) continue;
    ++different;
    const double difference = std::fabs(ours[i] - theirs[i]);
    largest = std::isnan(difference) ? INFINITY : std::max(largest, difference);
  }
  check.within = different == 0 || (ties && largest <= 1.0 && different * kTiesOneIn <= ours.size());
  check.found = different == 0 ? fmt::format("{} equal", ours.size())
                               : fmt::format("{} of {} differ, by {:.3g} at most", different, ours.size(), largest);
  return check;
}

/// A layer with what it got and gave.
struct LayerReference {
  std::string name;
  HostTensor input;   // [rows, in]
  HostTensor weight;  // [out, in], or [in, out] where it is transposed
  bool transposed = false;
  const HostTensor* bias = nullptr;
  HostTensor result;  // [rows, out]
};

/// One unit in the last place that a type keeps at a magnitude.
double unit_at(DType dtype, double magnitude) {
  const int kept = dtype == DType::kFloat16 ? 10 : dtype == DType::kBFloat16 ? 7 : 23;
  const int least = dtype == DType::kFloat16 ? -14 : -126;
  return std::ldexp(1.0, std::max(magnitude > 0 ? std::ilogb(magnitude) : least, least) - kept);
}

/// The layer as a graph of its own, quantized; and its int8 product alone, which the original rounds before it adds the
/// outlier columns: both are rounded, so either says how large a unit in the last place is.
LayerCheck check_result(const LayerReference& layer, Flow& flow, const RunOptions& run, QuantizeOptions options) {
  const DType dtype = layer.input.dtype;
  Builder b(layer.name, dtype);
  const Tensor input = b.input("input", dtype, layer.input.shape, {});
  const Tensor weight = b.parameter("layer.weight", layer.weight.shape, {});
  const Tensor bias = layer.bias == nullptr ? Tensor() : b.parameter("layer.bias", layer.bias->shape, {});
  const Tensor rows_first = layer.transposed ? b.call("aten.t.default", {weight}) : weight;
  b.output("result", b.call("aten.linear.default", {input, rows_first, bias}));
  const Graph graph = b.finish();
  std::vector<HostTensor> weights = {layer.weight};
  if (layer.bias != nullptr) weights.push_back(*layer.bias);
  options.skip = {"none"};
  const HostTensor got = run_graph(passes::quantize(graph, options), weights, {layer.input}, flow, run)[0];

  Builder p(layer.name, dtype);
  const Tensor part_input = p.input("input", dtype, layer.input.shape, {});
  Tensor part_weight = p.parameter("layer.weight", layer.weight.shape, {});
  const Tensor part_bias = layer.bias == nullptr ? Tensor() : p.parameter("layer.bias", layer.bias->shape, {});
  if (layer.transposed) part_weight = p.call("aten.contiguous.default", {p.call("aten.t.default", {part_weight})});
  const auto rows = p.call_all("nongemm.int8_quantize.default", {part_input, options.threshold});
  const auto columns = p.call_all("nongemm.int8_row_quantize.default", {part_weight});
  p.output("part", p.call("nongemm.int8_linear.default", {rows[0], columns[0], rows[1], columns[1], part_bias},
                          {{"dtype", DType::kFloat32}}));
  const HostTensor part = run_graph(p.finish(), weights, {layer.input}, flow, run)[0];

  LayerCheck check{.layer = layer.name, .what = "results", .found = {}};
  if (got.shape != layer.result.shape) {
    check.found = "shape " + to_string(got.shape) + ", expected " + to_string(layer.result.shape);
    return check;
  }
  double largest = 0;
  const auto count = static_cast<std::size_t>(element_count(got.shape));
  for (std::size_t i = 0; i < count; ++i) {
    const double expected = element(layer.result, i);
    const double unit = unit_at(dtype, std::max(std::fabs(expected), std::fabs(element(part, i))));
    const double units = std::fabs(element(got, i) - expected) / unit;
    largest = std::isnan(units) ? INFINITY : std::max(largest, units);
  }
  check.within = largest <= 1.0;
  check.found = fmt::format("{} values, off by {:.3g} units in the last place at most", count, largest);
  return check;
}

const HostTensor& tensor_of(const NamedTensors& tensors, const fs::path& path, const char* name) {
  if (const HostTensor* tensor = find_tensor(tensors, name)) return *tensor;
  throw Error(ErrorKind::kBadInput, fmt::format("{} lacks '{}'", path.string(), name),
              "a layer's reference has A, W, CA, SCA, CB, SCB, C_int32, outlier_columns and y");
}

QuantizeOptions with_threshold(QuantizeOptions options, const HostTensor* stated) {
  if (stated != nullptr && options.threshold == QuantizeOptions().threshold) options.threshold = element(*stated, 0);
  return options;
}

/// Columns as a list in which the number stands first.
HostTensor listed_columns(const HostTensor& list) {
  const std::vector<double> values = elements_of(list);
  const auto count = static_cast<std::ptrdiff_t>(values.front());
  return tensor_from(DType::kInt64, {count}, {values.begin() + 1, values.begin() + 1 + count});
}

std::vector<LayerCheck> verify_layer(const fs::path& path, Flow& flow, const RunOptions& run,
                                     const QuantizeOptions& given) {
  const NamedTensors tensors = weights::read_safetensors(path);
  const auto at = [&](const char* name) -> const HostTensor& { return tensor_of(tensors, path, name); };
  const QuantizeOptions options = with_threshold(given, find_tensor(tensors, "threshold"));
  Builder b("rows", at("A").dtype);
  const Tensor input = b.input("A", at("A").dtype, at("A").shape, {});
  const Tensor weight = b.input("W", at("W").dtype, at("W").shape, {});
  const Tensor values = b.input("CA", DType::kInt8, at("CA").shape, {});
  const Tensor columns = b.input("CB", DType::kInt8, at("CB").shape, {});
  const auto rows = b.call_all("nongemm.int8_quantize.default", {input, options.threshold});
  const auto weights = b.call_all("nongemm.int8_row_quantize.default", {weight});
  const Tensor sums = b.call("bitsandbytes.int8_linear_matmul.default", {values, columns});
  for (const Tensor& tensor : {rows[0], rows[1], rows[2], weights[0], weights[1], sums}) {
    b.output(std::to_string(tensor.id()), tensor);
  }
  const auto got = run_graph(b.finish(), {}, {at("A"), at("W"), at("CA"), at("CB")}, flow, run);
  const std::string name = path.stem().string();
  const LayerReference layer{name, at("A"), at("W"), false, find_tensor(tensors, "bias"), at("y")};
  return {
      compare_steps(name, "int8 values", got[0], at("CA"), /*ties=*/true),
      compare_steps(name, "row scales", got[1], at("SCA"), false),
      compare_steps(name, "outlier columns", listed_columns(got[2]), at("outlier_columns"), false),
      compare_steps(name, "int8 weights", got[3], at("CB"), true),
      compare_steps(name, "weight scales", got[4], at("SCB"), false),
      compare_steps(name, "int32 sums", got[5], at("C_int32"), false),
      check_result(layer, flow, run, options),
  };
}

std::vector<fs::path> layer_files(const fs::path& path) {
  std::error_code ignored;
  if (fs::is_regular_file(path, ignored)) {
    return path.extension() == ".safetensors" ? std::vector{path} : std::vector<fs::path>();
  }
  std::vector<fs::path> files;
  if (!fs::is_directory(path, ignored) || fs::exists(path / "config.json")) return files;
  for (const auto& entry : fs::directory_iterator(path)) {
    if (entry.path().extension() == ".safetensors") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

HostTensor as_matrix(HostTensor tensor) {
  const std::int64_t width = tensor.shape.empty() ? 1 : tensor.shape.back();
  tensor.shape = {width == 0 ? 0 : element_count(tensor.shape) / width, width};
  return tensor;
}

/// Names of modules in files may have the model's own name before them, as state dicts do ("transformer.h.0").
bool is_same_module(const std::string& a, const std::string& b) {
  return a == b || (!b.empty() && a.ends_with("." + b)) || (!a.empty() && b.ends_with("." + a));
}

}  // namespace

bool holds_quantized_layers(const fs::path& path) { return !layer_files(path).empty(); }

std::vector<LayerCheck> verify_quantized_layers(const fs::path& path, Flow& flow, const RunOptions& run,
                                                const QuantizeOptions& options) {
  std::vector<LayerCheck> checks;
  for (const fs::path& file : layer_files(path)) {
    for (LayerCheck& check : verify_layer(file, flow, run, options)) checks.push_back(std::move(check));
  }
  return checks;
}

std::vector<LayerCheck> verify_layers_of_model(const fs::path& folder, Flow& flow, const RunOptions& run,
                                               const QuantizeOptions& options) {
  std::vector<LayerCheck> checks;
  const fs::path file = folder / "layers.safetensors";
  if (!fs::exists(file)) return checks;
  const NamedTensors tensors = weights::read_safetensors(file);
  const Model model = find_model(folder.string());
  ModelOptions built_for;
  built_for.dtype = dtype_of_folder(model);
  const Graph graph = build_graph(model, built_for);
  const PreparedWeights bound = prepare_weights(model, graph, folder.string());
  const auto weight_of = [&](ValueId value) -> const HostTensor* {
    for (std::size_t i = 0; i < graph.weights.size(); ++i) {
      if (graph.weights[i].value == value) return &bound.tensors[i];
    }
    return nullptr;
  };
  std::set<std::string> seen;
  for (const passes::LinearLayer& layer : passes::find_linear_layers(graph)) {
    const std::string module = graph.scope_path(graph.nodes[layer.node].scope);
    for (const auto& [name, input] : tensors) {
      if (!name.ends_with(".input")) continue;
      const std::string named = name.substr(0, name.size() - std::string(".input").size());
      if (!is_same_module(named, module) || !seen.insert(named).second) continue;
      const HostTensor& result = tensor_of(tensors, file, (named + ".output").c_str());
      checks.push_back(check_result({named, as_matrix(input), *weight_of(layer.weight), layer.transposed,
                                     layer.bias == kNoId ? nullptr : weight_of(layer.bias), as_matrix(result)},
                                    flow, run, options));
    }
  }
  for (const auto& [name, tensor] : tensors) {
    if (!name.ends_with(".input") || seen.contains(name.substr(0, name.size() - std::string(".input").size())))
      continue;
    checks.push_back({name, "results", "the model has no such linear layer", false});
  }
  return checks;
}

}  // namespace nongemm
