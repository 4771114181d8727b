#include "analysis/quantized_products.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "record/quantized_kernels.h"

namespace nongemm {
namespace {

struct Way {
  std::string way;
  std::string reason;
};

/// Which of the program's kernels ran, where that was recorded.
struct Kernels {
  bool told = false;
  bool general = false;
  bool unfolding = false;
};

/// What is known of one product.
struct Product {
  const NodeRow& row;
  ProductSizes sizes;  // where its operands are matrices
  bool on_device = false;
  Kernels kernels;
};

constexpr std::string_view kUnpacked = ", weights unpacked for each product";

Way int8_sums(const Product& product) {
  if (!product.on_device) return {"int8", ""};
  if (!cublaslt_takes_int8(product.sizes)) {
    return {"int8, kernel for any size", "cuBLASLt wants sizes that are multiples of 8"};
  }
  if (product.sizes.rows >= kFewestRowsOfCublasLt) return {"int8, cuBLASLt", ""};
  return {"int8, cuBLASLt, rows filled up to " + std::to_string(kFewestRowsOfCublasLt),
          "cuBLASLt wants more than 16 rows"};
}

Way scaled_int8(const Product& product) {
  if (!product.on_device) return {"int8", ""};
  const DType dtype = product.row.dtype();
  if (product.kernels.unfolding) {
    return {std::string(name_of(dtype)) + ", int8 values unfolded",
            "many columns are outliers: one product of both kinds costs less than two"};
  }
  const bool taken = tuned_kernel_takes_int8(product.sizes, dtype);
  if (taken && !product.kernels.general) return {product.kernels.told ? "int8, tuned kernel" : "int8", ""};
  const std::string way = "int8, kernel for any size";
  if (taken) return {way, "the tuned kernel is missing here, or for another device (compute capability 9.0)"};
  if (size_of(dtype) == 2) return {way, "the tuned kernel wants inner sizes in 16s and columns in 8s"};
  return {way, "the tuned kernel gives fp16 and bf16"};
}

Way fp8(const Product& product) {
  if (!product.on_device) return {"fp32, values unpacked", "the host has no arithmetic in e4m3"};
  if (scaled_mm_takes_fp8(product.sizes)) return {"e4m3, torch._scaled_mm", ""};
  return {"fp32, values unpacked", "torch._scaled_mm wants sizes that are multiples of 16"};
}

Way grouped(const Product& product) {
  const DType dtype = product.on_device ? product.row.dtype() : DType::kFloat32;
  return {std::string(name_of(dtype)) + std::string(kUnpacked), "weights alone are quantized"};
}

/// Follows views to what they show: a weight's transpose to the weight.
ValueId without_views(const Graph& graph, ValueId value) {
  while (graph.values[value].type.alias && graph.values[value].producer != kNoId) {
    const std::vector<Argument>& args = graph.nodes[graph.values[value].producer].args;
    const auto* of = args.empty() ? nullptr : std::get_if<Use>(&args[0]);
    if (of == nullptr || of->value == kNoId) break;
    value = of->value;
  }
  return value;
}

bool is_weight(const Graph& graph, ValueId value) {
  value = without_views(graph, value);
  return std::any_of(graph.weights.begin(), graph.weights.end(),
                     [&](const Weight& weight) { return weight.value == value; });
}

/// A product of two results has no weight; one of a weight was left out.
Way untouched(const Graph& graph, const NodeRow& row) {
  const std::string way = "as it was";
  if (row.variant.starts_with("Conv")) return {way, "a convolution"};
  bool weights = false;
  for (const Argument& argument : graph.nodes[row.id].args) {
    for_each_use(argument, [&](ValueId value) { weights = weights || is_weight(graph, value); });
  }
  if (weights) return {way, "a layer that is left out: the head, tied or --quantize-skip"};
  return {way, "no weight: a product of activations"};
}

struct Rule {
  std::string_view op;
  Way (*way)(const Product& product);
};
constexpr Rule kRules[] = {
    {"bitsandbytes.int8_linear_matmul.default", int8_sums},
    {"nongemm.int8_linear.default", scaled_int8},
    {"nongemm.fp8_linear.default", fp8},
    {"nongemm.grouped_linear.default", grouped},
};

/// The first two operands of every rule's operator are values and weight.
ProductSizes sizes_of(const NodeRow& row) {
  if (row.operands.size() < 2 || row.operands[0].shape.empty() || row.operands[1].shape.size() != 2) return {};
  ProductSizes sizes{.rows = 1, .inner = row.operands[0].shape.back(), .columns = row.operands[1].shape[0]};
  for (std::size_t i = 0; i + 1 < row.operands[0].shape.size(); ++i) sizes.rows *= row.operands[0].shape[i];
  return sizes;
}

std::map<NodeId, Kernels> kernels_of_nodes(const std::vector<KernelSum>& kernels) {
  std::map<NodeId, Kernels> nodes;
  for (const KernelSum& kernel : kernels) {
    Kernels& node = nodes[kernel.node];
    node.told = true;
    node.general = node.general || kernel.name.find(kInt8KernelOfAnySize) != std::string::npos;
    node.unfolding = node.unfolding || kernel.name.find(kInt8UnfoldingKernel) != std::string::npos;
  }
  return nodes;
}

void add(const NodeRow& row, Way way, std::vector<ProductRow>& rows) {
  auto place = std::find_if(rows.begin(), rows.end(), [&](const ProductRow& known) {
    return known.way == way.way && known.reason == way.reason;
  });
  if (place == rows.end()) {
    rows.push_back({.way = std::move(way.way), .reason = std::move(way.reason), .operands = {}});
    place = rows.end() - 1;
  }
  ++place->products;
  place->time_s += row.time_s;
  if (row.time_s <= place->longest_s) return;
  place->longest_s = row.time_s;
  place->operands = row.operands;
}

}  // namespace

std::vector<ProductRow> quantized_products(const Graph& graph, const Analysis& analysis,
                                           const std::vector<KernelSum>& kernels) {
  const bool steps = !analysis.graph_nodes.empty();  // of a runtime, which has operators of its own
  const std::map<NodeId, Kernels> by_node = kernels_of_nodes(kernels);
  std::vector<ProductRow> rows;
  for (const NodeRow& row : analysis.nodes) {
    if (row.group != Group::kGemm) continue;
    if (steps) {
      add(row, {row.op, "as the runtime has it"}, rows);
      continue;
    }
    const auto told = by_node.find(row.id);
    const Product product{.row = row,
                          .sizes = sizes_of(row),
                          .on_device = analysis.on_device,
                          .kernels = told != by_node.end() ? told->second : Kernels{}};
    const auto* rule =
        std::find_if(std::begin(kRules), std::end(kRules), [&](const Rule& known) { return known.op == row.op; });
    add(row, rule == std::end(kRules) ? untouched(graph, row) : rule->way(product), rows);
  }
  return rows;
}

}  // namespace nongemm
