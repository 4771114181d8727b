#include "analysis/kernel_class.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <span>
#include <string>

namespace nongemm {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& letter : result) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  return result;
}

bool has_any(std::string_view text, std::span<const std::string_view> pieces) {
  return std::any_of(pieces.begin(), pieces.end(),
                     [&](std::string_view piece) { return text.find(piece) != std::string_view::npos; });
}

/// "ResAddMeaSub" of "__myl_bb0_5_ResAddMeaSub_0x1f": operators as Myelin abbreviates them (three letters in TensorRT
/// 8, whole words later), each beginning with a capital.
std::vector<std::string> words_of_generated(std::string_view name) {
  std::vector<std::string> words;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    if (std::isupper(static_cast<unsigned char>(c)) != 0) {
      words.emplace_back(1, c);
    } else if (!words.empty() && std::islower(static_cast<unsigned char>(c)) != 0) {
      words.back() += c;
    } else if (c == '_' && !words.empty()) {
      break;
    }
  }
  return words;
}

bool begins_with_any(const std::string& word, std::span<const std::string_view> starts) {
  return std::any_of(starts.begin(), starts.end(), [&](std::string_view start) { return word.starts_with(start); });
}

KernelClass class_of_generated(std::string_view name) {
  static constexpr std::array<std::string_view, 3> kProducts = {"Fc", "Gem", "Mat"};
  static constexpr std::array<std::string_view, 9> kReductions = {"Mea", "Sum", "Max", "Min", "Red",
                                                                  "Pro", "Arg", "Top", "Sof"};
  static constexpr std::array<std::string_view, 11> kMoves = {"Tra", "Trn", "Res", "Rsh", "Sli", "Con",
                                                              "Mov", "Gat", "Rep", "Cas", "Bro"};
  const std::vector<std::string> words = words_of_generated(name);
  const auto any = [&](std::span<const std::string_view> starts) {
    return std::any_of(words.begin(), words.end(),
                       [&](const std::string& word) { return begins_with_any(word, starts); });
  };
  if (words.empty()) return KernelClass::kUnknown;
  if (any(kProducts)) return KernelClass::kMatmul;
  if (any(kReductions)) return KernelClass::kReduction;
  const bool moves_only =
      std::all_of(words.begin(), words.end(), [&](const std::string& word) { return begins_with_any(word, kMoves); });
  return moves_only ? KernelClass::kCopy : KernelClass::kPointwise;
}

/// The first row with a piece of the name decides: a convolution's kernel may be an "implicit_gemm".
struct NameRule {
  KernelClass kind;
  std::array<std::string_view, 10> pieces;
};
constexpr std::array kRules = {
    NameRule{KernelClass::kAttention, {"fmha", "_mha", "mha_", "flash_", "attention", "flashattn"}},
    NameRule{
        KernelClass::kConvolution,
        {"fprop", "conv2d", "convolve", "convolution", "winograd", "implicit_gemm", "dgrad", "depthwise", "conv1d"}},
    NameRule{KernelClass::kMatmul, {"gemm", "gemv", "matmul", "cutlass", "splitk", "cublas", "s16816", "s1688"}},
    NameRule{KernelClass::kReduction,
             {"softmax", "layernorm", "layer_norm", "norm_", "normkernel", "reduce", "reduction", "normalization"}},
    NameRule{
        KernelClass::kCopy,
        {"reformat", "copy", "permutation", "transpose", "concat", "memcpy", "memset", "shuffle", "gather", "slice"}},
    NameRule{KernelClass::kPointwise,
             {"pointwise", "elementwise", "element_wise", "pwn", "unary", "activation", "generatednative"}},
};

}  // namespace

std::string_view title_of(KernelClass kind) {
  static constexpr std::array<std::string_view, 7> kTitles = {"matrix products",   "convolutions", "attention kernels",
                                                              "pointwise kernels", "reductions",   "copies of layout",
                                                              "unknown kernels"};
  return kTitles[static_cast<std::size_t>(kind)];
}

KernelClass class_of_kernel(std::string_view name) {
  const std::string text = lower(name);
  const bool generated = text.starts_with("__myl") || text.starts_with("_myl") || text.starts_with("myelin_");
  for (const NameRule& rule : kRules) {
    // Generated kernels may contain any of the later words as parts of operators' names.
    if (generated && rule.kind != KernelClass::kAttention) continue;
    const auto end = std::find(rule.pieces.begin(), rule.pieces.end(), std::string_view());
    if (has_any(text, {rule.pieces.begin(), end})) return rule.kind;
  }
  return generated ? class_of_generated(name) : KernelClass::kUnknown;
}

std::vector<OpaqueTime> time_inside_opaque_steps(const RuntimeProgram& program, const std::vector<KernelSum>& kernels) {
  std::map<KernelClass, OpaqueTime> times;
  std::map<KernelClass, double> longest_s;
  double sum_s = 0;
  for (const KernelSum& kernel : kernels) {
    if (kernel.node >= program.nodes.size() || !program.nodes[kernel.node].opaque) continue;
    const KernelClass kind = class_of_kernel(kernel.name);
    OpaqueTime& time = times[kind];
    time.kind = kind;
    time.launches += kernel.launches;
    time.time_s += kernel.device_s;
    sum_s += kernel.device_s;
    if (time.example.empty() || kernel.device_s > longest_s[kind]) {
      longest_s[kind] = kernel.device_s;
      time.example = kernel.name;
    }
  }
  std::vector<OpaqueTime> rows;
  for (auto& [kind, time] : times) {
    time.share = sum_s > 0 ? time.time_s / sum_s : 0;
    rows.push_back(std::move(time));
  }
  return rows;
}

}  // namespace nongemm
