// Operator groups of the paper (section II-A, Table II), widened where today's models need it (docs/groups.md).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nongemm {

/// Values behind the last are groups that a user added.
enum class Group : std::uint8_t {
  kGemm,
  kAttention,
  kActivation,
  kNormalization,
  kArithmetic,
  kMemoryLayout,
  kMemoryMovement,
  kLogit,
  kRoi,
  kInterpolation,
  kEmbedding,
  kPooling,
  kReduction,
  kRouting,
  kQuantization,
  kCommunication,
  kSynchronisation,
  kControl,
  kOther,
};

struct GroupInfo {
  Group group;
  std::string_view id;     // in JSON and options
  std::string_view title;  // in tables
  std::string_view what;   // one line of documentation
};

inline constexpr std::array kGroups = {
    GroupInfo{Group::kGemm, "gemm", "GEMM", "matrix multiplications and convolutions of every kind"},
    GroupInfo{Group::kAttention, "attention", "Attention", "fused attention; counted with GEMM unless asked otherwise"},
    GroupInfo{Group::kActivation, "activation", "Activation", "GELU, ReLU, SiLU, ..."},
    GroupInfo{Group::kNormalization, "normalization", "Normalization", "layer, batch, RMS and group normalization"},
    GroupInfo{Group::kArithmetic, "arithmetic", "Element-wise arithmetic", "add, mul, comparisons, masks"},
    GroupInfo{Group::kMemoryLayout, "memory-layout", "Memory (layout)", "views: no work on the device"},
    GroupInfo{Group::kMemoryMovement, "memory-movement", "Memory (movement)", "copies, concatenation, gather, roll"},
    GroupInfo{Group::kLogit, "logit", "Logit computation", "softmax, log-softmax, sigmoid of logits"},
    GroupInfo{Group::kRoi, "roi", "RoI selection", "non-maximum suppression, RoIAlign, top-k selection of boxes"},
    GroupInfo{Group::kInterpolation, "interpolation", "Interpolation", "up- and down-sampling"},
    GroupInfo{Group::kEmbedding, "embedding", "Embedding", "table look-up of token and position vectors"},
    GroupInfo{Group::kPooling, "pooling", "Pooling", "max and average pooling"},
    GroupInfo{Group::kReduction, "reduction", "Reduction", "sums, means, maxima, sorting outside a normalization"},
    GroupInfo{Group::kRouting, "routing", "Routing",
              "a mixture of experts: gate, top-k, sorting tokens by expert and back"},
    GroupInfo{Group::kQuantization, "quantization", "Quantization", "quantize and dequantize"},
    GroupInfo{Group::kCommunication, "communication", "Communication", "copies between host and device, collectives"},
    GroupInfo{Group::kSynchronisation, "synchronisation", "Host synchronisation",
              "values that the host must wait for: item, is_nonzero, nonzero"},
    GroupInfo{Group::kControl, "control", "Control", "loops over data-dependent counts"},
    GroupInfo{Group::kOther, "other", "Other", "operators that the table does not know"},
};

/// Also of groups that a user added.
const GroupInfo& info(Group group);

/// Groups that count as GEMM in the GEMM / non-GEMM split; attention does unless the user asks otherwise.
bool counts_as_gemm(Group group, bool attention_is_gemm = true);

/// A group of the user's own (`--groups`), for the rest of the program; the same id gives the same group again.
/// Not to be called while analyses run in other threads.
Group add_group(const std::string& id, const std::string& title, bool gemm);

/// By id: built in, or added.
std::optional<Group> parse_group(std::string_view id);
bool is_built_in(std::string_view id);
std::vector<std::string> group_ids();

}  // namespace nongemm
