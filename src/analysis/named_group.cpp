#include "analysis/named_group.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "analysis/kernel_class.h"
#include "ops/foreign.h"
#include "ops/onnx_operators.h"
#include "ops/op.h"

namespace nongemm {
namespace {

/// Table entries by name without overload, the plainest overload first. In-place variants count as their operator.
const Op* entry_of(std::string_view name) {
  static const std::map<std::string, const Op*, std::less<>> kByName = [] {
    std::map<std::string, const Op*, std::less<>> entries;
    for (const Op& op : OpTable::get().all()) {
      const std::string base = op.name.substr(0, op.name.rfind('.'));
      const Op*& entry = entries[base];
      if (entry == nullptr || op.schema.overload.size() < entry->schema.overload.size()) entry = &op;
    }
    return entries;
  }();
  auto at = kByName.find(name);
  if (at == kByName.end() && name.ends_with('_')) at = kByName.find(name.substr(0, name.size() - 1));
  return at != kByName.end() ? at->second : nullptr;
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& letter : result) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  return result;
}

/// Pieces of kernels' names in small letters, the first that fits decides.
constexpr std::array kKernelPieces = std::to_array<std::pair<std::string_view, Group>>({
    {"nccl", Group::kCommunication},
    {"allreduce", Group::kCommunication},
    {"all_reduce", Group::kCommunication},
    {"allgather", Group::kCommunication},
    {"all_gather", Group::kCommunication},
    {"reduce_scatter", Group::kCommunication},
    {"cross_device_reduce", Group::kCommunication},
    {"nvshmem", Group::kCommunication},
    {"fmha", Group::kAttention},
    {"_mha", Group::kAttention},
    {"mha_", Group::kAttention},
    {"flash_fwd", Group::kAttention},
    {"flash_fprop", Group::kAttention},
    {"flashattn", Group::kAttention},
    {"attention", Group::kAttention},
    {"sdpa", Group::kAttention},
    {"paged_attn", Group::kAttention},
    {"splitkreduce", Group::kGemm},
    {"nchwtonhwc", Group::kMemoryMovement},
    {"nhwctonchw", Group::kMemoryMovement},
    {"im2col", Group::kMemoryMovement},
    {"col2im", Group::kMemoryMovement},
    {"marlin", Group::kGemm},
    {"nvjet", Group::kGemm},
    {"xmma", Group::kGemm},
    {"gemm", Group::kGemm},
    {"gemv", Group::kGemm},
    {"fused_moe_kernel", Group::kGemm},
    {"quant", Group::kQuantization},
    {"colrowstats", Group::kQuantization},
    {"outlier", Group::kQuantization},
    {"nms_kernel", Group::kRoi},
    {"roi_align", Group::kRoi},
    {"roi_pool", Group::kRoi},
    {"upsample", Group::kInterpolation},
    {"grid_sampl", Group::kInterpolation},
    {"interpolate", Group::kInterpolation},
    {"layernorm", Group::kNormalization},
    {"layer_norm", Group::kNormalization},
    {"rmsnorm", Group::kNormalization},
    {"rms_norm", Group::kNormalization},
    {"batchnorm", Group::kNormalization},
    {"batch_norm", Group::kNormalization},
    {"bn_fw", Group::kNormalization},
    {"groupnorm", Group::kNormalization},
    {"group_norm", Group::kNormalization},
    {"rowwisemoments", Group::kNormalization},
    {"softmax", Group::kLogit},
    {"pool", Group::kPooling},
    {"embedding", Group::kEmbedding},
    {"gelu", Group::kActivation},
    {"silu", Group::kActivation},
    {"relu", Group::kActivation},
    {"sigmoid", Group::kActivation},
    {"swish", Group::kActivation},
    {"softplus", Group::kActivation},
    {"_glu_", Group::kActivation},
    {"reduce_kernel", Group::kReduction},
    {"devicescan", Group::kReduction},
    {"devicereduce", Group::kReduction},
    {"scan_by_key", Group::kReduction},
    {"radixsort", Group::kReduction},
    {"radix_sort", Group::kReduction},
    {"bitonic", Group::kReduction},
    {"segmentedsort", Group::kReduction},
    {"topk", Group::kReduction},
    {"cumsum", Group::kReduction},
    {"argmax", Group::kReduction},
    {"lean_reduction", Group::kReduction},
    {"catarray", Group::kMemoryMovement},
    {"copy", Group::kMemoryMovement},
    {"gather", Group::kMemoryMovement},
    {"scatter", Group::kMemoryMovement},
    {"index", Group::kMemoryMovement},
    {"transpose", Group::kMemoryMovement},
    {"permute", Group::kMemoryMovement},
    {"fillfunctor", Group::kMemoryMovement},
    {"arange", Group::kMemoryMovement},
    {"reshape_and_cache", Group::kMemoryMovement},
    {"elementwise", Group::kArithmetic},
    {"multi_tensor_apply", Group::kArithmetic},
    {"rotary", Group::kArithmetic},
});

Group group_of_class(KernelClass kind) {
  switch (kind) {
    case KernelClass::kMatmul:
    case KernelClass::kConvolution:
      return Group::kGemm;
    case KernelClass::kAttention:
      return Group::kAttention;
    case KernelClass::kPointwise:
      return Group::kArithmetic;
    case KernelClass::kReduction:
      return Group::kReduction;
    case KernelClass::kCopy:
      return Group::kMemoryMovement;
    case KernelClass::kUnknown:
      break;
  }
  return Group::kOther;
}

/// Names of operators as they stand in those of generated kernels: without namespace.
const std::set<std::string, std::less<>>& operator_words() {
  static const std::set<std::string, std::less<>> kWords = [] {
    // What decompositions have and the table does not.
    std::set<std::string, std::less<>> words = {"_unsafe_index",
                                                "_unsafe_index_put",
                                                "_scaled_dot_product_cudnn_attention",
                                                "_scaled_dot_product_efficient_attention",
                                                "_scaled_dot_product_flash_attention",
                                                "index_copy",
                                                "native_dropout",
                                                "var_mean"};
    for (const Op& op : OpTable::get().all()) words.insert(std::string(base_name(op.name)));
    return words;
  }();
  return kWords;
}

/// "add_mul__to_copy" as {"add", "mul", "_to_copy"}: the longest names that are known, and pieces between bars
/// otherwise.
std::vector<std::string> words_of(std::string_view joined) {
  std::vector<std::string> words;
  while (!joined.empty()) {
    std::size_t size = joined.size();
    while (size > 0 && !operator_words().contains(joined.substr(0, size))) {
      const std::size_t bar = size > 1 ? joined.rfind('_', size - 1) : 0;
      size = bar == std::string_view::npos ? 0 : bar;
    }
    if (size == 0) size = std::min(joined.find('_', 1), joined.size());
    words.emplace_back(joined.substr(0, size));
    joined.remove_prefix(std::min(size + 1, joined.size()));
  }
  return words;
}

/// What stands first in the list gives a kernel that does several things its name.
constexpr std::array kWeight = {Group::kNormalization, Group::kLogit,      Group::kRoi,           Group::kInterpolation,
                                Group::kQuantization,  Group::kPooling,    Group::kActivation,    Group::kReduction,
                                Group::kEmbedding,     Group::kArithmetic, Group::kMemoryMovement};

bool has(const std::vector<std::string>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

Group group_of_words(const std::vector<std::string>& words) {
  // A normalization that the program wrote out.
  if (has(words, "rsqrt") && (has(words, "mean") || has(words, "var") || has(words, "pow"))) {
    return Group::kNormalization;
  }
  std::set<Group> groups;
  for (const std::string& word : words) groups.insert(group_of_operator("aten." + word));
  for (const Group group : kWeight) {
    if (groups.contains(group)) return group;
  }
  // The products themselves are library calls; what is fused around them prepares or moves their operands.
  const bool known = std::any_of(groups.begin(), groups.end(), [](Group group) { return group != Group::kOther; });
  return known ? Group::kMemoryMovement : Group::kOther;
}

}  // namespace

std::string_view title_of(GroupedBy by) {
  static constexpr std::array<std::string_view, 4> kTitles = {"operators", "names of generated kernels",
                                                              "names of kernels", "nothing"};
  return kTitles[static_cast<std::size_t>(by)];
}

Group group_of_operator(std::string_view name) {
  const Op* op = entry_of(name);
  return op != nullptr ? op->entry.group : guess_group(name);
}

std::optional<Group> group_of_generated(std::string_view kernel) {
  constexpr std::string_view kPrefix = "triton_";
  constexpr std::string_view kFused = "_fused_";
  const std::size_t fused = kernel.find(kFused);
  if (!kernel.starts_with(kPrefix) || fused == std::string_view::npos) return std::nullopt;
  const std::string_view heuristic = kernel.substr(kPrefix.size(), fused - kPrefix.size());
  std::string_view joined = kernel.substr(fused + kFused.size());
  // The number that tells kernels of a name apart.
  const std::size_t bar = joined.rfind('_');
  if (bar != std::string_view::npos && joined.find_first_not_of("0123456789", bar + 1) == std::string_view::npos) {
    joined = joined.substr(0, bar);
  }
  if (heuristic == "tem") {
    return joined.find("attention") != std::string_view::npos ? Group::kAttention : Group::kGemm;
  }
  return group_of_words(words_of(joined));
}

Group group_of_kernel(std::string_view kernel) {
  const std::string text = lower(kernel);
  for (const auto& [piece, group] : kKernelPieces) {
    if (text.find(piece) != std::string::npos) return group;
  }
  return group_of_class(class_of_kernel(kernel));
}

std::optional<NamedGroup> named_group(std::string_view node) {
  if (node.starts_with(kCopyPrefix)) {
    const std::string_view kind = node.substr(kCopyPrefix.size());
    const bool crosses = kind == "host_to_device" || kind == "device_to_host";
    return NamedGroup{crosses ? Group::kCommunication : Group::kMemoryMovement, std::string(kind),
                      GroupedBy::kOperator};
  }
  const bool is_kernel = node.starts_with(kKernelPrefix);
  const std::string_view name = is_kernel ? node.substr(kKernelPrefix.size()) : node;
  if (const std::optional<Group> group = group_of_generated(name)) {
    return NamedGroup{*group, "generated", *group == Group::kOther ? GroupedBy::kNothing : GroupedBy::kGenerated};
  }
  if (is_kernel) {
    const Group group = group_of_kernel(name);
    return NamedGroup{group, std::string(title_of(class_of_kernel(name))),
                      group == Group::kOther ? GroupedBy::kNothing : GroupedBy::kKernel};
  }
  constexpr std::string_view kOnnx = "onnx.";
  if (name.starts_with(kOnnx)) {
    const OnnxOperator* onnx = find_onnx_operator(name.substr(kOnnx.size()));
    if (onnx == nullptr) return std::nullopt;
    return NamedGroup{onnx->group, std::string(onnx->variant), GroupedBy::kOperator};
  }
  const Op* op = entry_of(name);
  if (op == nullptr) return std::nullopt;
  return NamedGroup{op->entry.group, std::string(op->entry.variant), GroupedBy::kOperator};
}

}  // namespace nongemm
