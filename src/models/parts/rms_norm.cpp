#include "models/parts/rms_norm.h"

#include "models/parts/functional.h"

namespace nongemm {
namespace {

using namespace fn;

/// 1 / sqrt(mean(x^2) + epsilon), [.., 1]
Tensor factor(const Tensor& wide, double epsilon) { return rsqrt(add(mean(pow(wide, 2), -1, true), epsilon)); }

}  // namespace

Tensor rms_norm(Builder& builder, const std::string& name, const std::string& type, const Tensor& x, double epsilon,
                RmsNorm style) {
  const auto scope = builder.scope(name, type);
  const double initial = style == RmsNorm::kGemma ? 0 : 1;
  const bool wide_weight = style == RmsNorm::kGptOss && builder.dtype() == DType::kFloat16;
  const Tensor weight = builder.parameter("weight", wide_weight ? DType::kFloat32 : builder.dtype(), {x.size(-1)},
                                          InitSpec::constant(initial));
  const Tensor wide = to(x, DType::kFloat32);
  switch (style) {
    case RmsNorm::kLlama:
      return mul(weight, to(mul(wide, factor(wide, epsilon)), x.dtype()));
    case RmsNorm::kGemma: {
      const Tensor normalised = mul(wide, factor(wide, epsilon));
      const Tensor scaled = mul(normalised, add(to(weight, DType::kFloat32), 1.0));
      return builder.call("aten.type_as.default", {scaled, x});
    }
    case RmsNorm::kGptOss:
      return to(mul(weight, mul(wide, factor(wide, epsilon))), x.dtype());
    case RmsNorm::kT5:
      break;
  }
  const Tensor normalised = mul(x, factor(wide, epsilon));
  return mul(weight, weight.dtype() == DType::kFloat32 ? normalised : to(normalised, weight.dtype()));
}

}  // namespace nongemm
