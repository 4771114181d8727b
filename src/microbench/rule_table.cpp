#include "microbench/rule_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "microbench/operand_nature.h"

namespace nongemm::microbench {

const TensorSpec& Filling::main() const {
  for (std::size_t i = 0; i < call_.operands.size(); ++i) {
    if (!known_[i]) continue;
    if (const auto* tensor = std::get_if<TensorSpec>(&call_.operands[i])) return *tensor;
    const auto* list = std::get_if<TensorList>(&call_.operands[i]);
    if (list != nullptr && !list->empty() && list->front()) return *list->front();
  }
  throw Error(ErrorKind::kUsage,
              fmt::format("operator {}: no shape is given\n  {}", call_.info.name, call_.info.schema_text),
              "give --shape 1x128x768, or --shape NAME=... for each tensor");
}

const TensorSpec* Filling::tensor(std::string_view name) const {
  const int at = call_.info.schema.find_arg(name);
  return at < 0 ? nullptr : std::get_if<TensorSpec>(&call_.operands[static_cast<std::size_t>(at)]);
}

std::int64_t Filling::size(std::int64_t dim) const {
  const Shape& shape = main().shape;
  const auto rank = static_cast<std::int64_t>(shape.size());
  const std::int64_t at = dim < 0 ? dim + rank : dim;
  if (at >= 0 && at < rank) return shape[static_cast<std::size_t>(at)];
  throw Error(ErrorKind::kUsage,
              fmt::format("operator {}: a tensor of {} dimensions is too few\n  {}", call_.info.name, rank,
                          call_.info.schema_text),
              "give --shape with more");
}

std::int64_t Filling::integer(std::string_view name, std::int64_t otherwise) const {
  const int at = call_.info.schema.find_arg(name);
  if (at < 0) return otherwise;
  const auto i = static_cast<std::size_t>(at);
  const Argument& fallback = call_.info.schema.args[i].default_value;
  const auto* given = known_[i] ? std::get_if<Argument>(&call_.operands[i]) : &fallback;
  const auto* number = given != nullptr ? std::get_if<std::int64_t>(given) : nullptr;
  return number != nullptr ? *number : otherwise;
}

Shape Filling::integers(std::string_view name) const {
  const int at = call_.info.schema.find_arg(name);
  if (at < 0) return {};
  const auto* given = std::get_if<Argument>(&call_.operands[static_cast<std::size_t>(at)]);
  const auto* list = given != nullptr ? std::get_if<std::vector<Int>>(given) : nullptr;
  Shape values;
  for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) values.push_back((*list)[i].value);
  return values;
}

namespace {

using F = Filling;

Argument list(const Shape& values) { return std::vector<Int>(values.begin(), values.end()); }
template <std::int64_t kValue>
Made integer(const F&) {
  return Argument(kValue);
}
template <std::int64_t... kValues>
Made integers(const F&) {
  return list({kValues...});
}
template <bool kValue>
Made truth(const F&) {
  return Argument(kValue);
}
Made half(const F&) { return Argument(0.5); }

// Shapes of tensors.
Made as_main(const F& f) { return f.main().shape; }
Made channels(const F& f) { return Shape{f.size(1)}; }
Made last(const F& f) { return Shape{f.size(-1)}; }
Made square(const F& f) { return Shape{f.size(-1), f.size(-1)}; }
Made normalized(const F& f) { return f.integers("normalized_shape"); }
/// One more dimension of two in front.
Made twofold(const F& f) {
  Shape shape = f.main().shape;
  shape.insert(shape.begin(), 2);
  return shape;
}
/// [..., m, k] is multiplied by [..., k, k].
Made matrix(const F& f) {
  Shape shape = f.main().shape;
  if (shape.size() > 1) shape[shape.size() - 2] = shape.back();
  return shape;
}
/// addmm's bias [m, n] or [n], and as many rows as columns where it has only these.
Made first_factor(const F& f) { return f.main().shape.size() < 2 ? Made(Shape{f.size(-1), f.size(-1)}) : as_main(f); }
Made outputs_of_weight(const F& f) {
  const TensorSpec* weight = f.tensor("weight");
  return Shape{weight != nullptr && !weight->shape.empty() ? weight->shape[0] : f.size(-1)};
}
/// As many channels out as in, kernels of 3.
Made kernels(const F& f) {
  const std::int64_t groups = std::max<std::int64_t>(1, f.integer("groups", 1));
  Shape shape = {f.size(1), f.size(1) / groups};
  shape.resize(f.main().shape.size(), 3);
  return shape;
}
Made outputs_of_transposed(const F& f) {
  const TensorSpec* weight = f.tensor("weight");
  if (weight == nullptr || weight->shape.size() < 2) return channels(f);
  return Shape{weight->shape[1] * f.integer("groups", 1)};
}
Made indexed(const F& f) { return Shape{f.size(f.integer("dim", -1))}; }
Made first_size(const F& f) { return Shape{f.size(0)}; }
Made rows(const F& f) {
  const std::int64_t width = f.size(-1);
  return Shape{width == 0 ? 0 : element_count(f.main().shape) / width};
}
Made hundred_rois(const F&) { return Shape{100, 5}; }
Made scalar_shape(const F&) { return Shape{}; }
template <std::int64_t kTimes>
Made times_last(const F& f) {
  return Shape{kTimes * f.size(-1)};
}
/// [n, p] += [2, n, p] x [2, p, p], summed.
Made two_squares(const F& f) { return Shape{2, f.size(-1), f.size(-1)}; }
Made without_dim(const F& f) {
  Shape shape = f.main().shape;
  const std::int64_t dim = f.integer("dim", -1);
  if (!shape.empty()) shape.erase(dim < 0 ? shape.end() + dim : shape.begin() + dim);
  return shape;
}
/// Where a 4x4 map of each image is read.
Made sampling_grid(const F& f) { return Shape{f.size(0), 4, 4, 2}; }
Made qkv(const F& f) { return Shape{3 * f.size(-1), f.size(-1)}; }

// Values of other arguments.
Made main_sizes(const F& f) { return list(f.main().shape); }
Made twofold_sizes(const F& f) { return list(std::get<Shape>(twofold(f))); }
Made last_sizes(const F& f) { return list({f.size(-1)}); }
Made doubled_map(const F& f) { return list({2 * f.size(2), 2 * f.size(3)}); }
Made last_two_swapped(const F& f) {
  Shape dims;
  for (std::size_t i = 0; i < f.main().shape.size(); ++i) dims.push_back(static_cast<std::int64_t>(i));
  if (dims.size() > 1) std::swap(dims[dims.size() - 1], dims[dims.size() - 2]);
  return list(dims);
}
Made repeats_of_first(const F& f) {
  Shape repeats(f.main().shape.size(), 1);
  if (!repeats.empty()) repeats[0] = 2;
  return list(repeats);
}
Made half_of_size(const F& f) { return Argument(std::max<std::int64_t>(1, f.size(f.integer("dim", 0)) / 2)); }
Made halves_of_size(const F& f) {
  const std::int64_t size = f.size(f.integer("dim", 0));
  return list({size / 2, size - size / 2});
}
Made halves_of_rows(const F& f) { return list({f.size(0) / 2, f.size(0) - f.size(0) / 2}); }
Made at_most_ten(const F& f) { return Argument(std::min<std::int64_t>(10, f.size(f.integer("dim", -1)))); }
Made groups(const F& f) { return Argument(std::int64_t{f.size(1) % 32 == 0 ? 32 : 1}); }
Made last_size(const F& f) { return Argument(f.size(-1)); }
Made last_dimension(const F& f) { return list({static_cast<std::int64_t>(f.main().shape.size()) - 1}); }
/// Of which the operand holds one half and the element in the middle.
Made twice_the_half(const F& f) { return Argument(std::max<std::int64_t>(1, 2 * (f.size(-1) - 1))); }
Made heads(const F& f) { return Argument(std::max<std::int64_t>(1, f.size(-1) / 64)); }
Made other_dtype(const F& f) { return Argument(f.main().dtype == DType::kFloat32 ? DType::kFloat16 : DType::kFloat32); }
Made tenth(const F&) { return Argument(0.1); }
Made small(const F&) { return Argument(1e-5); }
Made two(const F&) { return Argument(2.0); }
Made six(const F&) { return Argument(6.0); }
Made zero(const F&) { return Argument(0.0); }
Made one(const F&) { return Argument(1.0); }
Made sixteenth(const F&) { return Argument(0.0625); }
/// Contiguous ones of the sizes that the call has.
Made strides(const F& f) {
  Shape sizes = f.integers("size");
  if (sizes.empty()) sizes = f.main().shape;
  Shape strides(sizes.size(), 1);
  for (std::size_t i = sizes.size(); i-- > 1;) strides[i - 1] = strides[i] * std::max<std::int64_t>(1, sizes[i]);
  return list(strides);
}
Made map_size(const F& f) {
  std::int64_t size = 1;
  for (std::size_t dim = 2; dim < f.main().shape.size(); ++dim) size *= f.main().shape[dim];
  return Argument(size);
}
template <std::int64_t kDim>
Made size_of(const F& f) {
  return Argument(f.size(kDim));
}
/// Without statistics there is nothing but the batch's own.
Made without_statistics(const F& f) { return Argument(f.tensor("running_mean") == nullptr); }
Made sum_of_them(const F&) { return Argument(std::string("sum")); }
Made ranks_group(const F&) { return Argument(std::string("tensor_parallel")); }
Made ij(const F&) { return Argument(std::string("ij")); }

struct Rule {
  std::string_view ops;        // names without namespace and overload; empty: any, when the schema has no default
  std::string_view arguments;  // of the schema
  Made (*make)(const Filling&);
};

/// The first that fits decides.
constexpr Rule kRules[] = {
    // Normalization.
    {"layer_norm rms_norm", "normalized_shape", last_sizes},
    {"layer_norm rms_norm", "weight bias", normalized},
    {"batch_norm", "weight bias running_mean running_var", channels},
    {"group_norm instance_norm", "weight bias", channels},
    {"group_norm", "num_groups", groups},
    {"batch_norm", "training", truth<false>},
    {"instance_norm", "use_input_stats", truth<true>},
    {"batch_norm instance_norm", "momentum", tenth},
    {"batch_norm instance_norm", "eps", small},
    {"batch_norm instance_norm", "cudnn_enabled", truth<true>},
    {"native_layer_norm", "normalized_shape", last_sizes},
    {"native_layer_norm", "weight bias", normalized},
    {"native_group_norm", "N", size_of<0>},
    {"native_group_norm", "C", size_of<1>},
    {"native_group_norm", "HxW", map_size},
    {"native_group_norm", "group", groups},
    {"native_group_norm native_batch_norm _native_batch_norm_legit _native_batch_norm_legit_no_training",
     "weight bias running_mean running_var", channels},
    {"native_batch_norm _native_batch_norm_legit", "training", without_statistics},
    {"native_batch_norm _native_batch_norm_legit _native_batch_norm_legit_no_training", "momentum", tenth},
    {"native_layer_norm native_group_norm native_batch_norm _native_batch_norm_legit "
     "_native_batch_norm_legit_no_training",
     "eps", small},
    // Matrix products, convolutions, attention.
    {"mv", "vec", last},
    {"dot vdot", "tensor other", as_main},
    {"outer ger", "vec2", as_main},
    {"addmv", "mat", square},
    {"addmv", "vec", last},
    {"addr", "vec1", first_size},
    {"addr", "vec2", last},
    {"addbmm", "batch1", twofold},
    {"addbmm", "batch2", two_squares},
    {"tensordot", "dims_self dims_other", integers<-1>},
    {"cdist _cdist_forward", "x1 x2", as_main},
    {"_cdist_forward", "p", two},
    {"convolution", "stride dilation", integers<1>},
    {"convolution", "padding output_padding", integers<0>},
    {"convolution", "transposed", truth<false>},
    {"convolution", "groups", integer<1>},
    {"_scaled_dot_product_flash_attention_for_cpu", "key value", as_main},
    {"linear", "weight", square},
    {"linear conv1d conv2d conv3d convolution", "bias", outputs_of_weight},
    {"matmul mm bmm", "other mat2", matrix},
    {"addmm baddbmm", "mat1 batch1", first_factor},
    {"addmm", "mat2", square},
    {"baddbmm", "batch2", matrix},
    {"conv1d conv2d conv3d convolution conv_transpose1d conv_transpose2d conv_transpose3d", "weight", kernels},
    {"conv_transpose1d conv_transpose2d conv_transpose3d", "bias", outputs_of_transposed},
    {"scaled_dot_product_attention _native_multi_head_attention", "key value", as_main},
    {"_native_multi_head_attention", "embed_dim", last_size},
    {"_native_multi_head_attention", "num_head", heads},
    {"_native_multi_head_attention", "qkv_weight", qkv},
    {"_native_multi_head_attention", "qkv_bias", times_last<3>},
    {"_native_multi_head_attention", "proj_weight", square},
    {"_native_multi_head_attention", "proj_bias", last},
    // Quantization.
    {"int8_linear_matmul int8_scaled_mm", "B", square},
    {"int8_mixed_scaled_mm", "CA", as_main},
    {"int8_mixed_scaled_mm", "CB", square},
    {"int8_vectorwise_dequant int8_mm_dequant int8_scaled_mm int8_mixed_scaled_mm", "stats row_stats SCA", rows},
    {"int8_mm_dequant int8_scaled_mm int8_mixed_scaled_mm", "col_stats SCB", last},
    {"int8_linear fp8_linear", "weight", square},
    {"int8_linear fp8_linear", "scales", rows},
    {"int8_linear fp8_linear", "weight_scales", last},
    {"static_quantize", "step", scalar_shape},
    {"int8_vectorwise_quant", "threshold", two},
    {"int8_quantize", "threshold", six},
    {"group_quantize", "bits", integer<4>},
    {"group_quantize", "group", integer<128>},
    // Fourier transforms.
    {"_fft_r2c _fft_c2c _fft_c2r", "dim", last_dimension},
    {"_fft_r2c _fft_c2c _fft_c2r", "normalization", integer<0>},
    {"_fft_r2c _fft_c2c", "onesided forward", truth<true>},
    {"_fft_c2r", "last_dim_size", twice_the_half},
    {"atan2", "out", as_main},
    // Selecting elements.
    {"where", "self other", as_main},
    {"masked_fill masked_fill_", "mask", as_main},
    {"gather scatter scatter_ scatter_add scatter_reduce", "index", as_main},
    {"scatter_reduce", "reduce", sum_of_them},
    {"masked_scatter", "mask source", as_main},
    {"select_scatter", "src", without_dim},
    {"select_scatter", "index", integer<0>},
    {"index_select index_copy_", "index", indexed},
    {"index index_put index_put_", "indices", first_size},
    {"index_copy_", "source", as_main},
    {"index_put index_put_", "values", as_main},
    {"nms", "scores", first_size},
    {"nms", "iou_threshold", half},
    {"roi_align", "rois", hundred_rois},
    {"roi_align", "spatial_scale", sixteenth},
    {"roi_align", "pooled_height pooled_width", integer<7>},
    {"roi_align", "sampling_ratio", integer<2>},
    {"roi_align", "aligned", truth<false>},
    {"topk", "k", at_most_ten},
    {"multinomial", "num_samples", integer<1>},
    // Views and copies.
    {"transpose", "dim0", integer<-2>},
    {"transpose", "dim1", integer<-1>},
    {"permute", "dims", last_two_swapped},
    {"view reshape _unsafe_view", "size shape", integers<-1>},
    {"unflatten", "sizes", integers<1, -1>},
    {"expand", "size", twofold_sizes},
    {"expand_as", "other", twofold},
    {"narrow", "start", integer<0>},
    {"narrow", "length", half_of_size},
    {"select", "index", integer<0>},
    {"split", "split_size", half_of_size},
    {"split_with_sizes", "split_sizes", halves_of_size},
    {"chunk", "chunks", integer<2>},
    {"repeat", "repeats", repeats_of_first},
    {"repeat_interleave", "repeats", integer<2>},
    {"roll", "shifts", integers<1>},
    {"roll flip", "dims", integers<-1>},
    {"squeeze", "dim", nullptr},  // see below: a list in one overload, a number in the other
    {"as_strided", "size", main_sizes},
    {"as_strided empty_strided", "stride", strides},
    {"pad constant_pad_nd", "pad", integers<1, 1>},
    {"reflection_pad1d replication_pad1d", "padding", integers<1, 1>},
    {"reflection_pad2d replication_pad2d", "padding", integers<1, 1, 1, 1>},
    {"reflection_pad3d replication_pad3d", "padding", integers<1, 1, 1, 1, 1, 1>},
    {"to _to_copy", "dtype", other_dtype},
    {"fill_", "value", nullptr},
    {"dropout native_dropout", "p", zero},
    {"dropout native_dropout", "train", truth<false>},
    {"_embedding_bag", "indices offsets", first_size},
    {"resize_", "size", main_sizes},
    {"col2im", "output_size", integers<9, 9>},
    {"col2im", "kernel_size", integers<2, 2>},
    {"col2im", "dilation stride", integers<1, 1>},
    {"col2im", "padding", integers<0, 0>},
    {"all_reduce reduce_scatter_tensor", "reduce_op", sum_of_them},
    {"all_reduce all_gather_into_tensor reduce_scatter_tensor all_to_all_single", "group_name", ranks_group},
    {"all_gather_into_tensor reduce_scatter_tensor", "group_size", integer<2>},
    {"all_to_all_single", "output_split_sizes input_split_sizes", halves_of_rows},
    // Maps.
    {"max_pool1d avg_pool1d", "kernel_size", integers<2>},
    {"max_pool2d avg_pool2d max_pool2d_with_indices", "kernel_size", integers<2, 2>},
    {"max_pool3d avg_pool3d max_pool3d_with_indices", "kernel_size", integers<2, 2, 2>},
    {"adaptive_avg_pool2d _adaptive_avg_pool2d", "output_size", integers<1, 1>},
    {"adaptive_avg_pool3d _adaptive_avg_pool3d", "output_size", integers<1, 1, 1>},
    {"grid_sampler_2d", "grid", sampling_grid},
    {"grid_sampler_2d", "interpolation_mode padding_mode", integer<0>},
    {"grid_sampler_2d", "align_corners", truth<false>},
    {"adaptive_avg_pool1d", "output_size", integers<1>},
    {"upsample_nearest2d upsample_bilinear2d upsample_bicubic2d", "output_size", doubled_map},
    {"upsample_bilinear2d upsample_bicubic2d", "align_corners", truth<false>},
    // Arithmetic, reductions, tensors made anew.
    {"clamp clip clamp_", "min", zero},
    {"clamp clip clamp_", "max", one},
    {"sum mean amax amin", "dim", integers<-1>},
    {"new_empty new_zeros new_ones new_full", "size", main_sizes},
    {"full new_full full_like", "fill_value", one},
    {"scalar_tensor", "s", one},
    {"randperm", "n", integer<16>},
    {"_softmax _log_softmax", "half_to_float", truth<false>},
    {"bitwise_and bitwise_or bitwise_xor", "other", integer<1>},
    {"arange", "start", integer<0>},
    {"meshgrid", "indexing", ij},
    // What any operator may have.
    {"", "other exponent src tensor1 tensor2", nullptr},
    {"", "dim", nullptr},
    {"", "self", two},  // the number in pow.Scalar, where.ScalarSelf
    {"", "value min", zero},
    {"", "max", one},
};

/// Where the schema's kind decides.
Made by_kind(const F& filling, const SchemaArg& arg) {
  const bool tensor = arg.kind == ArgKind::kTensor;
  if (arg.name == "dim") return arg.list ? integers<-1>(filling) : integer<-1>(filling);
  if (arg.name == "value") return tensor ? scalar_shape(filling) : zero(filling);
  return tensor ? as_main(filling) : two(filling);
}

bool gives_tensor(const Made& made) { return std::holds_alternative<Shape>(made); }

}  // namespace

std::optional<Made> rule_value(const Filling& filling, const SchemaArg& arg, bool required) {
  for (const Rule& rule : kRules) {
    if (rule.ops.empty() && !required) continue;
    if (!is_one_of(rule.ops, base_of(filling.info().name)) || !is_one_of(rule.arguments, arg.name)) continue;
    Made made = rule.make != nullptr ? rule.make(filling) : by_kind(filling, arg);
    // An overload may have a number where another has a tensor.
    if (gives_tensor(made) != (arg.kind == ArgKind::kTensor)) made = by_kind(filling, arg);
    if (gives_tensor(made) || accepts(arg, std::get<Argument>(made))) return made;
  }
  return std::nullopt;
}

}  // namespace nongemm::microbench
