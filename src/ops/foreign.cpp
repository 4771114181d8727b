#include "ops/foreign.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <string>
#include <utility>

#include "ops/rules.h"

namespace nongemm {
namespace {

constexpr std::array<std::string_view, 30> kViews = {"as_strided",
                                                     "view",
                                                     "view_as",
                                                     "reshape_as",
                                                     "unfold",
                                                     "movedim",
                                                     "moveaxis",
                                                     "swapaxes",
                                                     "swapdims",
                                                     "T",
                                                     "mT",
                                                     "H",
                                                     "numpy_T",
                                                     "adjoint",
                                                     "diagonal",
                                                     "tensor_split",
                                                     "hsplit",
                                                     "vsplit",
                                                     "dsplit",
                                                     "view_as_real",
                                                     "view_as_complex",
                                                     "squeeze_",
                                                     "unsqueeze_",
                                                     "expand_as",
                                                     "_unsafe_view",
                                                     "unsafe_split",
                                                     "atleast_1d",
                                                     "atleast_2d",
                                                     "atleast_3d",
                                                     "broadcast_tensors"};

/// Pieces of names, the first that fits decides. A piece between bars has to be a whole word of the name.
constexpr std::array<std::pair<std::string_view, Group>, 73> kPieces = {{
    {"quantize", Group::kQuantization},
    {"attention", Group::kAttention},
    {"upsample", Group::kInterpolation},
    {"interpolate", Group::kInterpolation},
    {"grid_sample", Group::kInterpolation},
    {"layer_norm", Group::kNormalization},
    {"batch_norm", Group::kNormalization},
    {"group_norm", Group::kNormalization},
    {"instance_norm", Group::kNormalization},
    {"rms_norm", Group::kNormalization},
    {"softmax", Group::kLogit},
    {"pool", Group::kPooling},
    {"embedding", Group::kEmbedding},
    {"roi", Group::kRoi},
    {"|nms|", Group::kRoi},
    {"conv", Group::kGemm},
    {"linear", Group::kGemm},
    {"matmul", Group::kGemm},
    {"mat_mul", Group::kGemm},
    {"|mm|", Group::kGemm},
    {"addmm", Group::kGemm},
    {"bmm", Group::kGemm},
    {"gemm", Group::kGemm},
    {"einsum", Group::kGemm},
    {"|dot|", Group::kGemm},
    {"|mv|", Group::kGemm},
    {"|lstm|", Group::kGemm},
    {"|gru|", Group::kGemm},
    {"relu", Group::kActivation},
    {"gelu", Group::kActivation},
    {"silu", Group::kActivation},
    {"|selu|", Group::kActivation},
    {"|celu|", Group::kActivation},
    {"|glu|", Group::kActivation},
    {"swish", Group::kActivation},
    {"sigmoid", Group::kActivation},
    {"softplus", Group::kActivation},
    {"shrink", Group::kActivation},
    {"|threshold|", Group::kActivation},
    {"all_reduce", Group::kCommunication},
    {"all_gather", Group::kCommunication},
    {"local_scalar", Group::kSynchronisation},
    {"nonzero", Group::kSynchronisation},
    {"unique", Group::kSynchronisation},
    {"masked_select", Group::kSynchronisation},
    {"|copy|", Group::kMemoryMovement},
    {"type_as", Group::kMemoryMovement},
    {"|im2col|", Group::kMemoryMovement},
    {"|col2im|", Group::kMemoryMovement},
    {"|eye|", Group::kMemoryMovement},
    {"clone", Group::kMemoryMovement},
    {"|cat|", Group::kMemoryMovement},
    {"concat", Group::kMemoryMovement},
    {"stack", Group::kMemoryMovement},
    {"gather", Group::kMemoryMovement},
    {"scatter", Group::kMemoryMovement},
    {"index", Group::kMemoryMovement},
    {"|pad|", Group::kMemoryMovement},
    {"shuffle", Group::kMemoryMovement},
    {"|fill|", Group::kMemoryMovement},
    {"|full|", Group::kMemoryMovement},
    {"|empty|", Group::kMemoryMovement},
    {"|tril|", Group::kMemoryMovement},
    {"|triu|", Group::kMemoryMovement},
    {"sort", Group::kReduction},
    {"topk", Group::kReduction},
    {"|norm|", Group::kReduction},
    {"|sum|", Group::kReduction},
    {"|mean|", Group::kReduction},
    {"cum", Group::kReduction},
    {"|fft|", Group::kReduction},
    {"|loop|", Group::kControl},
    {"|scan|", Group::kControl},
}};

constexpr std::array<std::string_view, 6> kReductions = {"var", "std", "prod", "logsumexp", "aminmax", "median"};

constexpr std::array<std::string_view, 33> kArithmetic = {
    "add",   "sub",  "mul",       "div",   "neg",   "exp",  "exp2",   "log",    "log10",   "pow",     "sqrt",
    "rsqrt", "sin",  "cos",       "tan",   "atan2", "tanh", "erf",    "lerp",   "addcmul", "addcdiv", "where",
    "clamp", "fmod", "remainder", "trunc", "frac",  "xor",  "lshift", "rshift", "isnan",   "isinf",   "isfinite"};

template <typename Range>
bool contains(const Range& range, std::string_view name) {
  return std::find(range.begin(), range.end(), name) != range.end();
}

bool holds(std::string_view name, std::string_view piece) {
  if (!piece.starts_with('|')) return name.find(piece) != std::string_view::npos;
  const std::string_view word = piece.substr(1, piece.size() - 2);
  for (std::size_t at = name.find(word); at != std::string_view::npos; at = name.find(word, at + 1)) {
    const bool begins = at == 0 || name[at - 1] == '_';
    const bool ends = at + word.size() == name.size() || name[at + word.size()] == '_';
    if (begins && ends) return true;
  }
  return false;
}

/// "global_average_pool" of ONNX's "GlobalAveragePool".
std::string in_small_letters(std::string_view name) {
  std::string words;
  bool small_before = false;
  for (const char c : name) {
    const auto letter = static_cast<unsigned char>(c);
    if (small_before && std::isupper(letter) != 0) words += '_';
    small_before = std::islower(letter) != 0;
    words += static_cast<char>(std::tolower(letter));
  }
  return words;
}

}  // namespace

const Op* table_entry(const Node& node) { return node.arg_names.empty() ? OpTable::get().find(node.op) : nullptr; }

std::string_view base_name(std::string_view op) {
  const std::size_t begin = op.find('.');
  if (begin == std::string_view::npos) return op;
  op.remove_prefix(begin + 1);
  return op.substr(0, op.find('.'));
}

Group guess_group(std::string_view op) {
  const std::string words = in_small_letters(base_name(op));
  const std::string_view name = words;
  if (contains(kViews, base_name(op))) return Group::kMemoryLayout;
  for (const auto& [piece, group] : kPieces) {
    if (holds(name, piece)) return group;
  }
  std::string_view plain = name;
  while (plain.ends_with('_')) plain.remove_suffix(1);  // in place
  while (plain.starts_with('_')) plain.remove_prefix(1);
  if (contains(kReductions, plain)) return Group::kReduction;
  return contains(kArithmetic, plain) ? Group::kArithmetic : Group::kOther;
}

bool takes_complex(const Op& op) {
  const Group group = op.entry.group;
  return group == Group::kMemoryLayout || group == Group::kMemoryMovement || !std::isnan(op.entry.complex_work);
}

bool has_complex(const Graph& graph, const Node& node) {
  bool complex = false;
  const auto look = [&](ValueId value) { complex = complex || is_complex(graph.values[value].type.dtype); };
  for (const Argument& argument : node.args) for_each_use(argument, look);
  std::for_each(node.outputs.begin(), node.outputs.end(), look);
  return complex;
}

bool foreign_writes(const Node& node, std::size_t i) {
  const std::string_view name = base_name(node.op);
  if (i < node.arg_names.size() && node.arg_names[i] == "out") return true;
  return i == 0 && name.ends_with('_') && !name.ends_with("__");
}

Cost foreign_cost(const Graph& graph, const Node& node, Group group) {
  Cost cost;
  if (group == Group::kMemoryLayout) return cost;
  // What only moves elements calculates nothing; of all others nobody has said how much they do.
  if (group != Group::kMemoryMovement && group != Group::kEmbedding) cost.flops = kUnknownWork;
  const auto add = [&](double& bytes, ValueId id) { bytes += rules::bytes_of(graph.values[id].type); };
  for (const Argument& argument : node.args) {
    if (std::holds_alternative<std::vector<Int>>(argument)) continue;
    for_each_use(argument, [&](ValueId id) { add(cost.bytes_read, id); });
  }
  for (const ValueId id : node.outputs) add(cost.bytes_written, id);
  return cost;
}

}  // namespace nongemm
