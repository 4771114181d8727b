// A mixture of experts in place of a feed-forward block, as transformers 5.17 runs it by default (`grouped_mm`): a
// router chooses for each token, tokens are sorted by expert, each expert multiplies its own.
#pragma once

#include <cstdint>
#include <string>

#include "models/config.h"
#include "ops/builder.h"
#include "spec/device.h"

namespace nongemm {

/// What the families' own router classes do.
enum class Router : std::uint8_t {
  kMixtral,  // softmax over all experts in fp32, the best ones scaled to a sum of 1
  kQwen,     // the same, scaled only where the configuration says so, cast back
  kGptOss,   // with a bias; softmax over the best ones alone
};

struct Experts {
  std::string block_class, router_class, experts_class;  // "MixtralSparseMoeBlock", ...
  Router router = Router::kMixtral;
  std::int64_t count = 8, chosen = 2, inner = 0;
  std::string activation = "silu";
  bool normalised = true;  // kQwen: norm_topk_prob
  double deviation = 0.02;

  /// `num_local_experts` or its other name `num_experts`, and `num_experts_per_tok`.
  void read_counts(const Config& config);
};

/// x [batch, tokens, width] -> the same; the module's scope `mlp` is opened.
Tensor mixture_of_experts(Builder& builder, const Experts& experts, const Tensor& x, DeviceKind device);

}  // namespace nongemm
