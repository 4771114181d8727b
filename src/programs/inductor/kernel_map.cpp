#include "programs/inductor/kernel_map.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <string_view>

#include "lowering/pt2/names.h"
#include "ops/foreign.h"
#include "ops/op.h"

namespace nongemm::inductor {
namespace {

bool contains(std::string_view text, std::string_view piece) { return text.find(piece) != std::string_view::npos; }

/// "mul" of "mul_7".
std::string without_number(const std::string& node) {
  const std::size_t end = node.find_last_not_of("0123456789");
  const bool numbered = end != std::string::npos && end + 1 < node.size() && node[end] == '_' && end > 0;
  return numbered ? node.substr(0, end) : node;
}

/// "triton_poi" of "triton_poi_fused_gelu_0", "addmm_out" of "aoti_torch_cuda_addmm_out".
std::string type_of(const std::string& kernel) {
  for (const std::string_view prefix : {"aoti_torch_cuda_", "aoti_torch_cpu_", "aoti_torch_"}) {
    if (kernel.starts_with(prefix)) return kernel.substr(prefix.size());
  }
  const std::size_t fused = kernel.find("_fused");
  return fused == std::string::npos ? kernel : kernel.substr(0, fused);
}

/// Operators of a compiled graph that move nothing: in a kernel they are a way to count its elements.
bool is_view(const std::string& compiled_node) {
  constexpr std::array<std::string_view, 12> kViews = {"view",       "permute", "expand", "unsqueeze",
                                                       "squeeze",    "slice",   "select", "alias",
                                                       "as_strided", "getitem", "t",      "reshape"};
  return std::find(kViews.begin(), kViews.end(), without_number(compiled_node)) != kViews.end();
}

/// Names of nodes of the exported program that the kernel computes.
std::set<std::string> computed_by(const pt2::CompiledKernel& kernel) {
  std::set<std::string> names;
  for (std::size_t i = 0; i < kernel.sources.size(); ++i) {
    if (!is_view(kernel.compiled_nodes[i])) names.insert(kernel.sources[i].begin(), kernel.sources[i].end());
  }
  if (names.empty()) names.insert(kernel.source_nodes.begin(), kernel.source_nodes.end());
  return names;
}

Group group_of_node(const Graph& graph, NodeId node) {
  const Op* op = table_entry(graph.nodes[node]);
  return op != nullptr ? op->entry.group : guess_group(graph.nodes[node].op);
}

/// What a kernel does of an attention that was taken apart, in ONNX's words, which steps are told by
/// (record/runtime_program.h). Empty for one that does it all.
std::vector<std::string> parts_of_attention(const pt2::CompiledKernel& kernel) {
  if (contains(kernel.name, "attention")) return {};
  if (is_product(kernel.name)) return {"MatMul"};
  const auto is_softmax = [](const std::string& node) {
    const std::string name = without_number(node);
    return name == "exp" || name == "amax" || contains(name, "softmax");
  };
  if (std::any_of(kernel.compiled_nodes.begin(), kernel.compiled_nodes.end(), is_softmax)) return {"Softmax"};
  return {"Mul"};  // scales and masks
}

/// Nodes of the graph by their names in the exported program.
class NodeNames {
 public:
  NodeNames(const pt2::CompiledPackage& package, const Graph& graph) : count_(graph.nodes.size()) {
    if (!is_package_graph(graph)) return;
    NodeId next = 1;  // behind the call
    for (const std::string& name : pt2::source_nodes_of(package)) of_package_[name] = next++;
  }

  std::optional<NodeId> find(const std::string& name) const {
    if (const auto at = of_package_.find(name); at != of_package_.end()) return at->second;
    const std::optional<NodeId> node = of_package_.empty() ? pt2::node_in_name(name) : std::nullopt;
    return node && *node < count_ ? node : std::nullopt;
  }

 private:
  std::size_t count_;
  std::map<std::string, NodeId> of_package_;
};

}  // namespace

bool is_extern(const std::string& kernel) {
  return kernel.starts_with("aoti_torch_") || kernel.starts_with("aten") || kernel.starts_with("torch.") ||
         kernel.starts_with("extern_kernels");
}

bool is_product(const std::string& kernel) {
  constexpr std::array<std::string_view, 6> kProducts = {"mm", "convolution", "conv", "linear", "attention", "dot"};
  if (!is_extern(kernel) && !kernel.starts_with("triton_tem")) return false;
  return std::any_of(kProducts.begin(), kProducts.end(), [&](std::string_view name) { return contains(kernel, name); });
}

bool is_package_graph(const Graph& graph) { return !graph.nodes.empty() && graph.nodes[0].op == pt2::kPackageOperator; }

RuntimeProgram map_kernels(const pt2::CompiledPackage& package, const Graph& graph) {
  RuntimeProgram program;
  const NodeNames names(package, graph);
  std::set<NodeId> in_products;
  for (const pt2::CompiledKernel& kernel : package.kernels) {
    RuntimeNode step;
    step.name = kernel.name;
    step.type = type_of(kernel.name);
    std::set<NodeId> covers;
    for (const std::string& name : computed_by(kernel)) {
      const std::optional<NodeId> node = names.find(name);
      if (!node) continue;
      covers.insert(*node);
      const Group group = group_of_node(graph, *node);
      const bool whole = group == Group::kGemm || (group == Group::kAttention && contains(kernel.name, "attention"));
      if (is_product(kernel.name) && whole) in_products.insert(*node);
    }
    // A library's product does nothing else; what stands beside it are origins of the views that it reads.
    const auto product = [&](NodeId node) { return counts_as_gemm(group_of_node(graph, node)); };
    if (is_extern(kernel.name) && is_product(kernel.name) && std::any_of(covers.begin(), covers.end(), product)) {
      std::erase_if(covers, [&](NodeId node) { return !product(node); });
    }
    step.covers.assign(covers.begin(), covers.end());
    program.nodes.push_back(std::move(step));
  }
  std::set<NodeId> covered;
  for (std::size_t i = 0; i < program.nodes.size(); ++i) {
    RuntimeNode& step = program.nodes[i];
    const bool had_nodes = !step.covers.empty();
    if (!is_product(step.name)) std::erase_if(step.covers, [&](NodeId node) { return in_products.contains(node); });
    // What a product alone is behind brings its operands into the layout that it wants.
    if (had_nodes && step.covers.empty()) step.role = RuntimeRole::kReformat;
    const bool of_attention = std::any_of(step.covers.begin(), step.covers.end(),
                                          [&](NodeId node) { return group_of_node(graph, node) == Group::kAttention; });
    if (of_attention) step.operators = parts_of_attention(package.kernels[i]);
    covered.insert(step.covers.begin(), step.covers.end());
  }
  for (NodeId node = 0; node < graph.nodes.size(); ++node) {
    if (!covered.contains(node)) program.folded.push_back(node);
  }
  return program;
}

}  // namespace nongemm::inductor
