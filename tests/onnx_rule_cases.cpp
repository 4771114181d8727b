#include "onnx_rule_cases.h"

#include <cmath>

namespace nongemm {
namespace {

using Inputs = RuleInputs;
using Case = RuleCase;
using Results = std::vector<Tensor>;
using Build = decltype(RuleCase::build);

/// The operator over one input, or two, and nothing else.
Build over(const std::string& op, Tensor Inputs::*first) {
  return [=](Builder& b, const Inputs& in) { return b.call_all("aten." + op, {in.*first}); };
}

Build over(const std::string& op, Tensor Inputs::*first, Tensor Inputs::*second) {
  return [=](Builder& b, const Inputs& in) { return b.call_all("aten." + op, {in.*first, in.*second}); };
}

Build with_number(const std::string& op, Tensor Inputs::*first, const Arg& number) {
  return [=](Builder& b, const Inputs& in) { return b.call_all("aten." + op, {in.*first, number}); };
}

std::vector<Case> elementwise() {
  std::vector<Case> all;
  for (const std::string op :
       {"relu",     "relu6", "gelu", "silu", "tanh", "leaky_relu", "elu",       "hardtanh", "hardsigmoid",
        "softplus", "mish",  "neg",  "abs",  "sign", "floor",      "hardswish", "square",   "ceil",
        "round",    "exp",   "sin",  "cos",  "erf",  "sigmoid",    "expm1"}) {
    all.push_back({op, over(op + ".default", &Inputs::x)});
  }
  for (const std::string op : {"log", "log2", "log1p", "sqrt", "rsqrt", "reciprocal"}) {
    all.push_back({op, over(op + ".default", &Inputs::positive)});
  }
  for (const std::string op : {"add.Tensor", "sub.Tensor", "mul.Tensor", "div.Tensor", "maximum.default",
                               "minimum.default", "remainder.Tensor", "floor_divide.default", "eq.Tensor", "ne.Tensor",
                               "lt.Tensor", "le.Tensor", "gt.Tensor", "ge.Tensor"}) {
    all.push_back({op, over(op, &Inputs::x, &Inputs::y)});
    all.push_back({op + "_integers", over(op, &Inputs::n, &Inputs::k)});
    all.push_back({op + "_mixed", with_number(op, &Inputs::n, 1.5)});
  }
  for (const std::string op : {"rsub.Scalar", "pow.Tensor_Scalar", "mul.Scalar", "eq.Scalar"}) {
    all.push_back({op, with_number(op, &Inputs::n, 2)});
    all.push_back({op + "_number", with_number(op, &Inputs::positive, 2.5)});
  }
  for (const char* mode : {"floor", "trunc"}) {
    for (const bool whole : {false, true}) {
      all.push_back({std::string("div_") + mode + (whole ? "_integers" : ""), [=](Builder& b, const Inputs& in) {
                       const Tensor& a = whole ? in.n : in.x;
                       return b.call_all("aten.div.Tensor_mode", {a, whole ? in.k : in.y}, {{"rounding_mode", mode}});
                     }});
    }
  }
  const std::vector<Case> others = {
      {"gelu_tanh",
       [](Builder& b, const Inputs& in) {
         return b.call_all("aten.gelu.default", {in.x}, {{"approximate", "tanh"}});
       }},
      {"softplus_beta", with_number("softplus.default", &Inputs::x, 2.0)},
      {"add_alpha",
       [](Builder& b, const Inputs& in) {
         return b.call_all("aten.add.Tensor", {in.x, in.y}, {{"alpha", 2.5}});
       }},
      {"clamp",
       [](Builder& b, const Inputs& in) {
         return b.call_all("aten.clamp.default", {in.x, -0.5, 0.5});
       }},
      {"clamp_high",
       [](Builder& b, const Inputs& in) {
         return b.call_all("aten.clamp.default", {in.n, kNone, 1});
       }},
      {"clamp_min", with_number("clamp_min.default", &Inputs::x, 0.1)},
      {"clamp_max", with_number("clamp_max.default", &Inputs::n, 1)},
      {"diff", over("diff.default", &Inputs::x)},
      {"masked_fill",
       [](Builder& b, const Inputs& in) {
         return b.call_all("aten.masked_fill.Scalar", {in.x, in.mask, -1.5});
       }},
      {"where",
       [](Builder& b, const Inputs& in) {
         return b.call_all("aten.where.self", {in.mask, in.x, in.y});
       }},
      {"logic",
       [](Builder& b, const Inputs& in) {
         const Tensor low = b.call("aten.lt.Scalar", {in.x, 0.3});
         const Tensor both = b.call("aten.bitwise_and.Tensor", {in.mask, low});
         return Results{both,
                        b.call("aten.bitwise_not.default", {both}),
                        b.call("aten.bitwise_or.Tensor", {in.mask, low}),
                        b.call("aten.bitwise_xor.Tensor", {in.mask, low}),
                        b.call("aten.bitwise_or.Scalar", {low, false}),
                        b.call("aten.bitwise_xor.Scalar", {low, true}),
                        b.call("aten.logical_and.default", {in.x, low}),
                        b.call("aten.logical_or.default", {in.x, low}),
                        b.call("aten.logical_not.default", {in.n})};
       }},
  };
  all.insert(all.end(), others.begin(), others.end());
  return all;
}

std::vector<Case> reductions() {
  std::vector<Case> all;
  for (const std::string op : {"sum", "mean", "max", "min"}) all.push_back({op, over(op + ".default", &Inputs::x)});
  for (const std::string op : {"sum.dim_IntList", "mean.dim", "amax.default", "amin.default"}) {
    all.push_back({op, [=](Builder& b, const Inputs& in) {
                     return b.call_all("aten." + op, {in.x, Shape{0, -1}, true});
                   }});
  }
  for (const std::string op : {"max.dim", "min.dim", "all.dim", "any.dim", "argmax.default", "softmax.int",
                               "log_softmax.int", "cumsum.default"}) {
    all.push_back({op, with_number(op, &Inputs::x, 1)});
  }
  const std::vector<Case> others = {
      {"vector_norm",
       [](Builder& b, const Inputs& in) {
         Results all;
         for (const double p : {2.0, 1.0, 0.0, 3.0, static_cast<double>(INFINITY)}) {
           all.push_back(b.call("aten.linalg_vector_norm.default", {in.x, p, Shape{-1}, true}));
         }
         const Tensor one = b.call("aten.select.int", {b.call("aten.select.int", {in.y, 0, 0}), 0, 0});
         all.push_back(b.call("aten.linalg_vector_norm.default", {one}));
         all.push_back(b.call("aten.linalg_vector_norm.default", {in.x, static_cast<double>(-INFINITY)}));
         return all;
       }},
      {"sum_of_truths", over("sum.default", &Inputs::mask)},
      {"all", over("all.default", &Inputs::mask)},
      {"argmax", over("argmax.default", &Inputs::x)},
      {"cumsum_of_truths", with_number("cumsum.default", &Inputs::mask, 2)},
      {"topk",
       [](Builder& b, const Inputs& in) {
         return b.call_all("aten.topk.default", {in.x, 2, 1, false});
       }},
      {"sort",
       [](Builder& b, const Inputs& in) {
         return b.call_all("aten.sort.default", {in.x, 1, true});
       }},
      {"unique",
       [](Builder& b, const Inputs& in) {
         return b.call_all("aten._unique2.default", {in.n, true, true, true});
       }},
      {"nonzero", over("nonzero.default", &Inputs::mask)},
      {"where_true", over("where.default", &Inputs::mask)},
  };
  all.insert(all.end(), others.begin(), others.end());
  return all;
}

/// Four rows of six meet the first matrix, none the second, two the third. The width decides whether rows of matrices
/// begin evenly in memory.
Case grouped(const std::string& name, const std::string& op, std::int64_t width) {
  return {name, [=](Builder& b, const Inputs& in) {
            const Tensor rows = b.call("aten.reshape.default", {in.x, Shape{6, 4}});
            const Tensor flat = b.call("aten.reshape.default", {in.image, Shape{-1}});
            const Tensor numbers = b.call("aten.slice.Tensor", {flat, 0, 0, 3 * 4 * width});
            const Tensor matrices = b.call("aten.view.default", {numbers, Shape{3, 4, width}});
            const Tensor ends = b.constant(HostTensor::from<std::int32_t>(DType::kInt32, {3}, {4, 4, 6}));
            return b.call_all(op, {rows, matrices, ends});
          }};
}

std::vector<Case> compound() {
  return {
      {"matrices",
       [](Builder& b, const Inputs& in) {
         const Tensor turned = b.call("aten.transpose.int", {in.x, 1, 2});
         const Tensor row = b.call("aten.select.int", {in.x, 0, 0});
         const Tensor column = b.call("aten.select.int", {turned, 0, 1});
         const Tensor square = b.call("aten.bmm.default", {in.x, turned});
         return Results{b.call("aten.matmul.default", {in.x, column}),
                        b.call("aten.mm.default", {row, column}),
                        b.call("aten.linear.default", {in.x, row}),
                        b.call("aten.addmm.default", {in.y, row, column}, {{"beta", 0.5}, {"alpha", 2}}),
                        b.call("aten.baddbmm.default", {square, in.x, turned}, {{"beta", 2}, {"alpha", 0.5}}),
                        b.call("aten.einsum.default", {"bij,bkj->ik", Results{in.x, in.positive}})};
       }},
      {"convolutions",
       [](Builder& b, const Inputs& in) {
         const Tensor kernel = b.parameter("w", {6, 2, 3, 3}, InitSpec::normal(0, 0.5));
         const Tensor bias = b.parameter("b", {6}, InitSpec::normal(0, 0.5));
         const Tensor line = b.parameter("line", {2, 3, 2}, InitSpec::normal(0, 0.5));
         const Tensor back = b.parameter("back", {4, 3, 2, 2}, InitSpec::normal(0, 0.5));
         return Results{b.call("aten.conv2d.default", {in.image, kernel, bias, 2, Shape{1, 2}, 1, 2}),
                        b.call("aten.conv1d.default", {in.x, line}),
                        b.call("aten.conv_transpose2d.input", {in.image, back, kNone, 2, 0, 1})};
       }},
      {"attention",
       [](Builder& b, const Inputs& in) {
         const char* op = "aten.scaled_dot_product_attention.default";
         const Tensor seen = b.call("aten.ge.Scalar", {b.call("aten.slice.Tensor", {in.image, 3, 0, 6}), 0.0});
         return Results{b.call(op, {in.image, in.image, in.image}),
                        b.call(op, {in.image, in.image, in.image}, {{"is_causal", true}}),
                        b.call(op, {in.image, in.image, in.image, seen}),
                        b.call(op, {in.image, in.image, in.image, in.image}, {{"scale", 0.3}})};
       }},
      {"attention_with_its_products",
       [](Builder& b, const Inputs& in) {
         const InitSpec random = InitSpec::normal(0, 0.5);
         const Tensor weight = b.parameter("in", {12, 4}, random);
         const Tensor bias = b.parameter("in_bias", {12}, random);
         const Tensor last = b.parameter("out", {4, 4}, random);
         const Tensor last_bias = b.parameter("out_bias", {4}, random);
         return Results{b.call("aten._native_multi_head_attention.default",
                               {in.x, in.x, in.x, 4, 2, weight, bias, last, last_bias, kNone, false})};
       }},
      {"attention_with_fewer_keys",
       [](Builder& b, const Inputs& in) {
         const Tensor keys = b.call("aten.slice.Tensor", {in.image, 1, 0, 2});
         return b.call_all("aten.scaled_dot_product_attention.default", {in.image, keys, keys}, {{"enable_gqa", true}});
       }},
      {"normalizations",
       [](Builder& b, const Inputs& in) {
         const Tensor weight = b.parameter("w", {4}, InitSpec::normal(1, 0.5));
         const Tensor shift = b.parameter("b", {4}, InitSpec::normal(0, 0.5));
         const Tensor mean = b.parameter("m", {4}, InitSpec::normal(0, 0.5));
         const Tensor variance = b.parameter("v", {4}, InitSpec::uniform(0.5, 1.5));
         return Results{
             b.call("aten.layer_norm.default", {in.x, Shape{4}, weight, shift}),
             b.call("aten.layer_norm.default", {in.x, Shape{3, 4}}),
             b.call("aten.rms_norm.default", {in.x, Shape{4}, weight}),
             b.call("aten.group_norm.default", {in.image, 2, weight, shift}),
             b.call("aten.batch_norm.default", {in.image, weight, shift, mean, variance, false, 0.1, 1e-5, true}),
             b.call("aten.instance_norm.default", {in.image, weight, shift, kNone, kNone, true, 0.1, 1e-5, true})};
       }},
      {"pools",
       [](Builder& b, const Inputs& in) {
         return Results{b.call("aten.max_pool2d.default", {in.image, 3, 2, 1, 1, true}),
                        b.call("aten.avg_pool2d.default", {in.image, 3, 2, 1}),
                        b.call("aten.adaptive_avg_pool2d.default", {in.image, Shape{1, 1}}),
                        b.call("aten.adaptive_avg_pool2d.default", {in.image, Shape{2, 3}}),
                        b.call("aten.adaptive_avg_pool1d.default", {in.x, Shape{1}})};
       }},
      {"resizes",
       [](Builder& b, const Inputs& in) {
         return Results{b.call("aten.upsample_nearest2d.vec", {in.image, Shape{9, 4}, kNone}),
                        b.call("aten.upsample_bilinear2d.vec", {in.image, Shape{9, 4}, false, kNone}),
                        b.call("aten.upsample_bilinear2d.vec", {in.image, Shape{9, 4}, true, kNone}),
                        b.call("aten.upsample_bicubic2d.vec", {in.image, Shape{9, 12}, false, kNone}),
                        b.call("aten.upsample_nearest2d.vec", {in.image, kNone, std::vector<double>{2.0, 1.5}})};
       }},
      {"resizes_far_from_the_origin",
       [](Builder& b, const Inputs& in) {
         const Tensor far = b.call("aten.upsample_nearest2d.vec", {in.image, Shape{600, 800}, kNone});
         return Results{far, b.call("aten.upsample_bilinear2d.vec", {far, Shape{751, 1001}, false, kNone}),
                        b.call("aten.upsample_bilinear2d.vec", {far, Shape{751, 1001}, true, kNone}),
                        b.call("aten.upsample_bilinear2d.vec", {far, Shape{200, 533}, false, kNone}),
                        b.call("aten.upsample_nearest2d.vec", {far, Shape{701, 533}, kNone})};
       }},
      {"regions",
       [](Builder& b, const Inputs& in) {
         const std::vector<float> boxes = {0, 1, 1, 8, 9, 1, 0, 2, 5, 11, 0, 3.5F, 3.5F, 3.6F, 3.7F};
         const Tensor rois = b.constant(HostTensor::from(DType::kFloat32, {3, 5}, boxes));
         Results all;
         for (const bool aligned : {false, true}) {
           for (const std::int64_t samples : {-1, 2}) {
             all.push_back(b.call("torchvision.roi_align.default", {in.image, rois, 0.5, 3, 2, samples, aligned}));
           }
         }
         return all;
       }},
      {"nms",
       [](Builder& b, const Inputs&) {
         const std::vector<float> boxes = {0, 0, 10, 10, 1, 1, 10, 10, 20, 20, 30, 30, 0, 0, 10, 10, 5, 5, 5, 5};
         const std::vector<float> scores = {0.5F, 0.9F, 0.7F, 0.9F, 0.1F};
         return b.call_all("torchvision.nms.default",
                           {b.constant(HostTensor::from(DType::kFloat32, {5, 4}, boxes)),
                            b.constant(HostTensor::from(DType::kFloat32, {5}, scores)), 0.5});
       }},
  };
}

/// Values that look random, and halves among them for what rounds.
template <typename T, typename Draw>
HostTensor drawn(DType dtype, Shape shape, Draw&& draw) {
  std::vector<T> values(static_cast<std::size_t>(element_count(shape)));
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<T>(draw(static_cast<int>(i * i * 7 + i * 13)));
  return HostTensor::from(dtype, std::move(shape), values);
}

}  // namespace

std::vector<RuleCase> rule_cases() {
  std::vector<Case> all;
  for (const auto& group : {elementwise(), reductions(), compound(), memory_rule_cases(), core_rule_cases()}) {
    all.insert(all.end(), group.begin(), group.end());
  }
  all.push_back(grouped("grouped_mm", "aten._grouped_mm.default", 8));
  all.push_back(grouped("grouped_mm_fallback", "transformers.grouped_mm_fallback.default", 8));
  all.push_back(grouped("grouped_mm_fallback_uneven", "transformers.grouped_mm_fallback.default", 5));
  return all;
}

std::vector<HostTensor> rule_input_values() {
  const auto both_signs = [](int i) { return (i % 11 - 5) * 0.5 + (i % 3) * 0.01; };
  const auto positive = [](int i) { return 0.25 + (i % 17) * 0.31; };
  return {
      drawn<float>(DType::kFloat32, {2, 3, 4}, both_signs),
      drawn<float>(DType::kFloat32, {3, 1}, [](int i) { return (i % 5) - 2.6; }),
      drawn<float>(DType::kFloat32, {2, 3, 4}, positive),
      drawn<std::int64_t>(DType::kInt64, {2, 3}, [](int i) { return i % 9 - 4; }),
      drawn<std::int64_t>(DType::kInt64, {2, 3}, [](int i) { return i % 3 + 1; }),
      drawn<std::uint8_t>(DType::kBool, {2, 3, 4}, [](int i) { return i % 5 < 2; }),
      drawn<float>(DType::kFloat32, {2, 4, 6, 6}, [&](int i) { return both_signs(i) * 0.7 + positive(i + 1) * 0.1; })};
}

Graph graph_of(const RuleCase& rule) {
  Builder b("rules", DType::kFloat32);
  const std::vector<HostTensor> values = rule_input_values();
  std::vector<Tensor> in;
  for (const HostTensor& value : values) {
    in.push_back(b.input("in" + std::to_string(in.size()), value.dtype, value.shape, {}));
  }
  const Results results = rule.build(b, {in[0], in[1], in[2], in[3], in[4], in[5], in[6]});
  for (std::size_t i = 0; i < results.size(); ++i) b.output("out" + std::to_string(i), results[i]);
  return b.finish();
}

}  // namespace nongemm
