// Root-mean-square norms of transformers' language models: the same formula, with casts in other places.
#pragma once

#include <cstdint>
#include <string>

#include "ops/builder.h"

namespace nongemm {

enum class RmsNorm : std::uint8_t {
  kLlama,   // normalised in fp32, cast back, times the weight
  kGemma,   // times one more than the weight, all in fp32
  kGptOss,  // times the weight in fp32, then cast back
  kT5,      // the input in its own type times the fp32 factor
};

/// Over the last dimension. gpt-oss keeps its weights in fp32 in a model of fp16.
/// @param type the module's class: "LlamaRMSNorm"
Tensor rms_norm(Builder& builder, const std::string& name, const std::string& type, const Tensor& x, double epsilon,
                RmsNorm style);

}  // namespace nongemm
