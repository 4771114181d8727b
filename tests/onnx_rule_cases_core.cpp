// Cases of the operators that decomposed programs consist of (PyTorch's core opset).
#include "onnx_rule_cases.h"

namespace nongemm {
namespace {

using Inputs = RuleInputs;
using Case = RuleCase;

Tensor shaped(const Tensor& tensor, const Shape& shape) {
  return tensor.builder().call("aten.view.default", {tensor, shape});
}

std::vector<Case> products() {
  return {
      {"pdist",
       [](Builder& b, const Inputs& in) {
         return b.call_all("aten._pdist_forward.default", {shaped(in.x, {6, 4})});
       }},
      {"pdist_of_p_3",
       [](Builder& b, const Inputs& in) {
         return b.call_all("aten._pdist_forward.default", {shaped(in.x, {4, 6}), 3.0});
       }},
      {"as_strided",
       [](Builder& b, const Inputs& in) {
         return b.call_all("aten.as_strided.default", {in.x, Shape{3, 5}, Shape{2, 3}, 4});
       }},
      {"convolution_same",
       [](Builder& b, const Inputs& in) {
         return b.call_all("aten.conv2d.padding",
                           {shaped(in.x, {1, 1, 6, 4}),
                            shaped(b.call("aten.slice.Tensor", {shaped(in.positive, {24}), 0, 0, 12}), {2, 1, 2, 3}),
                            kNone, Shape{1, 1}, "same", Shape{1, 1}, 1});
       }},
      {"mv",
       [](Builder& b, const Inputs& in) {
         const Tensor vector = b.call("aten.slice.Tensor", {shaped(in.positive, {24}), 0, 3, 7});
         return b.call_all("aten.mv.default", {shaped(in.x, {6, 4}), vector});
       }},
      {"dot",
       [](Builder& b, const Inputs& in) {
         return b.call_all("aten.dot.default", {shaped(in.x, {24}), shaped(in.positive, {24})});
       }},
      {"vdot",
       [](Builder& b, const Inputs& in) {
         return b.call_all("aten.vdot.default", {shaped(in.x, {24}), shaped(in.positive, {24})});
       }},
      {"inner",
       [](Builder& b, const Inputs& in) {
         return b.call_all("aten.inner.default", {in.x, shaped(in.positive, {6, 4})});
       }},
      {"outer",
       [](Builder& b, const Inputs& in) {
         return b.call_all("aten.outer.default", {shaped(in.y, {3}), shaped(in.x, {24})});
       }},
      {"addmv",
       [](Builder& b, const Inputs& in) {
         return b.call_all("aten.addmv.default",
                           {shaped(in.y, {3}), shaped(in.x, {3, 8}),
                            b.call("aten.slice.Tensor", {shaped(in.positive, {24}), 0, 0, 8})},
                           {{"beta", 0.5}, {"alpha", 2.0}});
       }},
      {"addr",
       [](Builder& b, const Inputs& in) {
         return b.call_all("aten.addr.default", {in.y, shaped(in.y, {3}), shaped(in.x, {24})}, {{"alpha", 2.0}});
       }},
      {"addbmm",
       [](Builder& b, const Inputs& in) {
         return b.call_all("aten.addbmm.default", {in.y, in.x, shaped(in.positive, {2, 4, 3})}, {{"beta", 2.0}});
       }},
      {"tensordot",
       [](Builder& b, const Inputs& in) {
         return b.call_all("aten.tensordot.default", {in.x, shaped(in.positive, {4, 3, 2}), Shape{2, 0}, Shape{0, 2}});
       }},
      {"multi_dot",
       [](Builder& b, const Inputs& in) {
         return b.call_all(
             "aten.linalg_multi_dot.default",
             {std::vector<Tensor>{shaped(in.x, {6, 4}), shaped(in.positive, {4, 6}), shaped(in.x, {6, 4})}});
       }},
      {"cdist",
       [](Builder& b, const Inputs& in) {
         return b.call_all("aten.cdist.default", {in.x, shaped(in.positive, {2, 3, 4})});
       }},
      {"cdist_city_blocks",
       [](Builder& b, const Inputs& in) {
         return b.call_all("aten._cdist_forward.default", {in.x, in.positive, 1.0, kNone});
       }},
      {"flash_attention_for_cpu",
       [](Builder& b, const Inputs& in) {
         const Tensor q = shaped(in.image, {2, 4, 6, 6});
         return b.call_all("aten._scaled_dot_product_flash_attention_for_cpu.default", {q, q, q},
                           {{"is_causal", true}});
       }},
  };
}

std::vector<Case> convolutions() {
  const auto decomposed = [](bool transposed) {
    return [=](Builder& b, const Inputs& in) {
      const Tensor weight = shaped(in.x, transposed ? Shape{4, 2, 3, 1} : Shape{2, 4, 3, 1});
      return b.call_all("aten.convolution.default",
                        {in.image, weight, kNone, Shape{2, 1}, Shape{1, 0}, Shape{1, 1}, transposed, Shape{0, 0}, 1});
    };
  };
  return {
      {"conv1d",
       [](Builder& b, const Inputs& in) {
         return b.call_all("aten.conv1d.default", {in.x, in.x, kNone, Shape{1}, Shape{2}});
       }},
      {"conv3d",
       [](Builder& b, const Inputs& in) {
         return b.call_all("aten.conv3d.default", {shaped(in.image, {1, 2, 4, 6, 6}), shaped(in.x, {3, 2, 2, 2, 1}),
                                                   shaped(in.y, {3}), Shape{1, 2, 1}, Shape{0, 1, 0}});
       }},
      {"conv2d_of_one_image",
       [](Builder& b, const Inputs& in) {
         return b.call_all("aten.conv2d.default",
                           {b.call("aten.select.int", {in.image, 0, 1}), shaped(in.x, {2, 4, 3, 1})});
       }},
      {"conv_transpose1d",
       [](Builder& b, const Inputs& in) {
         return b.call_all("aten.conv_transpose1d.default", {in.x, shaped(in.positive, {3, 2, 4}), kNone, Shape{2}});
       }},
      {"conv_transpose3d",
       [](Builder& b, const Inputs& in) {
         return b.call_all("aten.conv_transpose3d.input",
                           {shaped(in.image, {1, 2, 4, 6, 6}), shaped(in.x, {2, 3, 2, 2, 1})});
       }},
      {"convolution", decomposed(false)},
      {"convolution_transposed", decomposed(true)},
  };
}

std::vector<Case> normalizations() {
  const auto four = [](const Tensor& from) {
    return from.builder().call("aten.slice.Tensor", {shaped(from, {24}), 0, 4, 8});
  };
  return {
      {"native_layer_norm",
       [=](Builder& b, const Inputs& in) {
         return b.call_all("aten.native_layer_norm.default", {in.x, Shape{4}, four(in.positive), four(in.x), 1e-5});
       }},
      {"native_group_norm",
       [=](Builder& b, const Inputs& in) {
         return b.call_all("aten.native_group_norm.default",
                           {in.image, four(in.positive), four(in.x), 2, 4, 36, 2, 1e-5});
       }},
      {"batch_norm_no_training",
       [=](Builder& b, const Inputs& in) {
         return b.call_all("aten._native_batch_norm_legit_no_training.default",
                           {in.image, four(in.positive), four(in.x), four(in.x), four(in.positive), 0.1, 1e-5});
       }},
      {"batch_norm_no_stats",
       [=](Builder& b, const Inputs& in) {
         return b.call_all("aten._native_batch_norm_legit.no_stats",
                           {in.image, four(in.positive), four(in.x), true, 0.1, 1e-5});
       }},
      {"_softmax",
       [](Builder& b, const Inputs& in) {
         return b.call_all("aten._softmax.default", {in.x, 1, false});
       }},
      {"_log_softmax",
       [](Builder& b, const Inputs& in) {
         return b.call_all("aten._log_softmax.default", {in.x, -1, false});
       }},
  };
}

std::vector<Case> windows() {
  const auto volume = [](const Tensor& image) { return shaped(image, {1, 2, 4, 6, 6}); };
  return {
      {"max_pool2d_with_indices",
       [](Builder& b, const Inputs& in) {
         return b.call_all("aten.max_pool2d_with_indices.default", {in.image, Shape{3, 2}, Shape{2, 2}, Shape{1, 1}});
       }},
      {"max_pool3d_with_indices",
       [=](Builder& b, const Inputs& in) {
         return b.call_all("aten.max_pool3d_with_indices.default", {volume(in.image), Shape{2, 2, 3}});
       }},
      {"max_pool1d",
       [](Builder& b, const Inputs& in) {
         return b.call_all("aten.max_pool1d.default", {in.x, Shape{2}});
       }},
      {"max_pool3d",
       [=](Builder& b, const Inputs& in) {
         return b.call_all("aten.max_pool3d.default", {volume(in.image), Shape{2}});
       }},
      {"avg_pool1d",
       [](Builder& b, const Inputs& in) {
         return b.call_all("aten.avg_pool1d.default", {in.x, Shape{2}});
       }},
      {"avg_pool3d",
       [=](Builder& b, const Inputs& in) {
         return b.call_all("aten.avg_pool3d.default", {volume(in.image), Shape{2}});
       }},
      {"adaptive_avg_pool3d",
       [=](Builder& b, const Inputs& in) {
         return b.call_all("aten._adaptive_avg_pool3d.default", {volume(in.image), Shape{2, 3, 2}});
       }},
      {"grid_sampler",
       [](Builder& b, const Inputs& in) {
         const Tensor grid = b.call("aten.tanh.default", {shaped(in.x, {2, 3, 2, 2})});
         return b.call_all("aten.grid_sampler_2d.default", {in.image, grid, 0, 0, false});
       }},
      {"reflection_pad1d",
       [](Builder& b, const Inputs& in) {
         return b.call_all("aten.reflection_pad1d.default", {in.x, Shape{1, 2}});
       }},
      {"reflection_pad2d",
       [](Builder& b, const Inputs& in) {
         return b.call_all("aten.reflection_pad2d.default", {in.image, Shape{1, 2, 3, 0}});
       }},
      {"replication_pad2d",
       [](Builder& b, const Inputs& in) {
         return b.call_all("aten.replication_pad2d.default", {in.image, Shape{1, 2, 3, 0}});
       }},
      {"replication_pad3d",
       [=](Builder& b, const Inputs& in) {
         return b.call_all("aten.replication_pad3d.default", {volume(in.image), Shape{1, 2, 3, 0, 1, 1}});
       }},
      {"constant_pad_nd",
       [](Builder& b, const Inputs& in) {
         return b.call_all("aten.constant_pad_nd.default", {in.x, Shape{1, 2, 0, 3}, 1.5});
       }},
  };
}

std::vector<Case> scatters() {
  const auto index = [](const Inputs& in) {  // int64 [2, 3, 1], from 0 to 2
    return shaped(in.x.builder().call("aten.sub.Scalar", {in.k, 1}), {2, 3, 1});
  };
  return {
      {"scatter",
       [=](Builder& b, const Inputs& in) {
         return b.call_all("aten.scatter.src", {in.x, 2, index(in), in.positive});
       }},
      {"scatter_number",
       [=](Builder& b, const Inputs& in) {
         return b.call_all("aten.scatter.value", {in.x, 2, index(in), 7.0});
       }},
      {"scatter_add",
       [=](Builder& b, const Inputs& in) {
         return b.call_all("aten.scatter_add.default", {in.x, 1, index(in), in.positive});
       }},
      {"scatter_reduce",
       [=](Builder& b, const Inputs& in) {
         std::vector<Tensor> all;
         for (const char* reduce : {"sum", "prod", "amax", "amin"}) {
           all.push_back(b.call("aten.scatter_reduce.two", {in.x, 1, index(in), in.positive, reduce}));
         }
         return all;
       }},
      {"col2im",
       [](Builder& b, const Inputs& in) {
         std::vector<Tensor> all;
         for (const Shape& patches : {Shape{4, 6}, Shape{1, 4, 6}}) {
           all.push_back(b.call("aten.col2im.default", {shaped(in.x, patches), Shape{3, 4}, Shape{2, 2}, Shape{1, 1},
                                                        Shape{0, 0}, Shape{1, 1}}));
         }
         return all;
       }},
      {"bits",
       [](Builder& b, const Inputs& in) {
         const Tensor three = b.call("aten.mul.Scalar", {in.k, 3});
         return std::vector{
             b.call("aten.bitwise_and.Tensor", {in.k, three}), b.call("aten.bitwise_or.Tensor", {in.k, three}),
             b.call("aten.bitwise_xor.Tensor", {in.k, three}), b.call("aten.bitwise_not.default", {in.k})};
       }},
      {"index_copy",
       [](Builder& b, const Inputs& in) {
         const Tensor places = b.constant(HostTensor::from<std::int64_t>(DType::kInt64, {2}, {2, 0}));
         return b.call_all("aten.index_copy_.default", {b.call("aten.clone.default", {in.x}), 1, places,
                                                        b.call("aten.slice.Tensor", {in.positive, 1, 0, 2})});
       }},
      {"index_put_functional",
       [](Builder& b, const Inputs& in) {
         const Tensor rows = b.call("aten.select.int", {b.call("aten.sub.Scalar", {in.k, 1}), 0, 0});
         return b.call_all("aten.index_put.default", {shaped(in.x, {6, 4}), std::vector<Tensor>{rows}, in.y});
       }},
      {"masked_scatter",
       [](Builder& b, const Inputs& in) {
         return b.call_all("aten.masked_scatter.default", {in.x, in.mask, in.positive});
       }},
      {"select_scatter",
       [](Builder& b, const Inputs& in) {
         return b.call_all("aten.select_scatter.default",
                           {in.x, b.call("aten.select.int", {in.positive, 1, 0}), 1, -1});
       }},
      {"slice_scatter",
       [](Builder& b, const Inputs& in) {
         return b.call_all("aten.slice_scatter.default",
                           {in.x, b.call("aten.slice.Tensor", {in.positive, 2, 0, 2}), 2, 0, kNone, 2});
       }},
      {"diagonal",
       [](Builder& b, const Inputs& in) {
         return b.call_all("aten.diagonal.default", {in.x, 1, 1, 2});
       }},
      {"copy",
       [](Builder& b, const Inputs& in) {
         return b.call_all("aten.copy.default", {in.x, in.y});
       }},
      {"fill",
       [](Builder& b, const Inputs& in) {
         return b.call_all("aten.fill.Scalar", {in.x, 2.5});
       }},
  };
}

std::vector<Case> elementwise() {
  std::vector<Case> all;
  for (const std::string op : {"tan", "sinh", "cosh", "asinh", "atan", "trunc", "isnan", "isinf"}) {
    all.push_back({op, [op](Builder& b, const Inputs& in) { return b.call_all("aten." + op + ".default", {in.x}); }});
  }
  for (const std::string op : {"asin", "acos", "atanh"}) {  // of numbers between -1 and 1
    all.push_back({op, [op](Builder& b, const Inputs& in) {
                     return b.call_all("aten." + op + ".default", {b.call("aten.tanh.default", {in.x})});
                   }});
  }
  all.push_back({"acosh", [](Builder& b, const Inputs& in) {
                   return b.call_all("aten.acosh.default", {b.call("aten.add.Scalar", {in.positive, 1.0})});
                 }});
  all.push_back(
      {"log10", [](Builder& b, const Inputs& in) { return b.call_all("aten.log10.default", {in.positive}); }});
  for (const std::string op : {"fmod.Tensor", "atan2.default", "logical_xor.default"}) {
    all.push_back({op, [op](Builder& b, const Inputs& in) { return b.call_all("aten." + op, {in.x, in.y}); }});
  }
  all.push_back({"fmod_integers", [](Builder& b, const Inputs& in) {
                   return b.call_all("aten.fmod.Tensor", {in.n, in.k});
                 }});
  all.push_back({"clamp_tensors", [](Builder& b, const Inputs& in) {
                   return b.call_all("aten.clamp.Tensor", {in.x, in.y, in.positive});
                 }});
  all.push_back({"div_number_floor", [](Builder& b, const Inputs& in) {
                   return b.call_all("aten.div.Scalar_mode", {in.n, 2}, {{"rounding_mode", "floor"}});
                 }});
  all.push_back({"argmin", [](Builder& b, const Inputs& in) { return b.call_all("aten.argmin.default", {in.x, 1}); }});
  all.push_back({"prod", [](Builder& b, const Inputs& in) { return b.call_all("aten.prod.default", {in.k}); }});
  all.push_back({"prod_dim", [](Builder& b, const Inputs& in) {
                   return b.call_all("aten.prod.dim_int", {in.x, -1, true});
                 }});
  all.push_back({"var", [](Builder& b, const Inputs& in) {
                   return b.call_all("aten.var.correction", {in.x, Shape{0, 2}}, {{"correction", 0}});
                 }});
  all.push_back({"var_dim", [](Builder& b, const Inputs& in) { return b.call_all("aten.var.dim", {in.x, Shape{1}}); }});
  all.push_back({"any_dims", [](Builder& b, const Inputs& in) {
                   return b.call_all("aten.any.dims", {in.mask, Shape{0, 2}});
                 }});
  return all;
}

/// Counts of values by bins.
std::vector<Case> histograms() {
  return {
      {"histogram",
       [](Builder& b, const Inputs& in) {
         return b.call_all("aten.histc.default", {in.x, 5, -1.5, 2.0});
       }},
      {"histogram_of_one_bin",
       [](Builder& b, const Inputs& in) {
         return b.call_all("aten.histc.default", {in.x, 1, 0.0, 0.0});
       }},
  };
}

}  // namespace

std::vector<RuleCase> core_rule_cases() {
  std::vector<Case> all;
  for (const auto& group :
       {products(), convolutions(), normalizations(), windows(), scatters(), histograms(), elementwise()}) {
    all.insert(all.end(), group.begin(), group.end());
  }
  return all;
}

}  // namespace nongemm
