#include "operator_cases.h"

#include <algorithm>
#include <cctype>
#include <set>
#include <sstream>

#include "base/dtype.h"
#include "base/error.h"
#include "microbench/operand_rules.h"
#include "microbench/shape_sweep.h"
#include "ops/op.h"

namespace nongemm {
namespace {

using Rows = std::vector<OperatorCase>;

/// Operands of an operator that no row below names, and further ones for those that take any tensor.
constexpr const char* kDefaultOperands = "2x8x16";

/// One line a case. Operators with a line here do not get the default one as well.
const Rows& own_rows() {
  static const Rows kRows = {
      // Matrix products and convolutions.
      {"aten.linear.default", "2x5x16 6x16"},
      {"aten.linear.default", "2x5x16 6x16 bias=6"},
      {"aten.linear.default", "16 6x16 bias=6"},
      {"aten.linear.default", "2x5x16 weight=6x16 @transposed"},
      {"aten.matmul.default", "2x8x16 2x16x4"},
      {"aten.matmul.default", "3x2x8x16 16x4"},
      {"aten.matmul.default", "2x8x16 16"},
      {"aten.matmul.default", "16 16"},
      {"aten.matmul.default", "16 16x4"},
      {"aten.matmul.default", "2x8x16 2x16x4 other@transposed"},
      {"aten.mm.default", "8x16 16x4"},
      {"aten.mm.default", "8x16 16x4 @transposed"},
      {"aten.bmm.default", "2x8x16 2x16x4"},
      {"aten.bmm.default", "2x8x16 2x16x4 mat2@transposed"},
      {"aten.addmm.default", "4 8x16 16x4"},
      {"aten.addmm.default", "8x4 8x16 16x4 alpha=0.5 beta=2"},
      {"aten.baddbmm.default", "2x8x4 2x8x16 2x16x4"},
      {"aten.baddbmm.default", "8x1 2x8x16 2x16x4"},
      {"aten.einsum.default", "2x3x4 2x4x5 equation=bij,bjk->bik"},
      {"aten.einsum.default", "2x3x4 5x4 equation=bij,kj->bki"},
      {"aten.einsum.default", "2x3x4 2x3x4 equation=bij,bij->b"},
      {"aten.conv1d.default", "2x4x9"},
      {"aten.conv1d.default", "2x4x9 6x2x3 bias=6 stride=2 padding=1 groups=2"},
      {"aten.conv2d.default", "2x16x16x16"},
      {"aten.conv2d.default", "2x16x17x15 32x8x3x3 bias=32 stride=2,2 padding=1,1 groups=2"},
      {"aten.conv2d.default", "2x16x16x16 32x16x3x3 dilation=2,2"},
      {"aten.conv2d.default", "2x16x16x16 32x16x1x1 @channels-last"},
      {"aten.conv2d.default", "16x16x16 32x16x3x3"},
      {"aten.conv1d.padding", "2x4x9 6x4x3 bias=6 padding=same"},
      {"aten.conv2d.padding", "2x4x8x8 6x4x3x2 padding=same dilation=2,1"},
      {"aten.conv2d.padding", "2x4x8x8 6x4x3x3 stride=2,2 padding=valid"},
      {"aten.conv3d.padding", "2x4x5x6x7 6x4x3x3x3"},
      {"aten.col2im.default", "2x16x64 output_size=9,9 kernel_size=2,2 dilation=1,1 padding=0,0 stride=1,1"},
      {"aten.col2im.default", "12x9 output_size=4,4 kernel_size=2,2 dilation=1,1 padding=0,0 stride=1,1"},
      {"aten.native_dropout.default", "2x8x16 p=0.1 train=false"},
      {"aten.resize_.default", "2x8x16 size=4,64"},
      {"aten.conv_transpose2d.input", "2x16x8x8 16x8x2x2 bias=8 stride=2,2"},
      {"aten.conv_transpose2d.input", "2x16x8x8 16x4x3x3 stride=2,2 padding=1,1 output_padding=1,1 groups=2"},
      {"aten.scaled_dot_product_attention.default", "2x4x8x16"},
      {"aten.scaled_dot_product_attention.default", "2x4x8x16 2x4x12x16 2x4x12x16"},
      {"aten.scaled_dot_product_attention.default", "2x4x8x16 is_causal=true"},
      {"aten.scaled_dot_product_attention.default", "2x4x8x16 attn_mask=2x1x8x8"},
      {"aten.scaled_dot_product_attention.default", "2x4x8x16 2x2x8x16 2x2x8x16 enable_gqa=true"},
      {"aten._native_multi_head_attention.default", "2x8x64"},
      {"aten.mv.default", "8x16 16"},
      {"aten.mv.default", "8x16 16 @transposed"},
      {"aten.dot.default", "16 16"},
      {"aten.vdot.default", "16 16"},
      {"aten.outer.default", "8 16"},
      {"aten.ger.default", "8 16"},
      {"aten.addbmm.default", "8x4 2x8x16 2x16x4"},
      {"aten.addmv.default", "8 8x16 16"},
      {"aten.addr.default", "8x16 8 16"},
      {"aten.linalg_multi_dot.default", "tensors=8x16,16x4,4x6"},
      {"aten.conv3d.default", "2x4x5x6x7 6x4x3x3x3 bias=6 padding=1,1,1"},
      {"aten.conv_transpose3d.input", "2x4x3x4x5 4x6x2x2x2 stride=2,2,2"},
      {"aten._scaled_dot_product_flash_attention_for_cpu.default", "2x4x8x16 2x4x12x16 2x4x12x16"},
      {"aten._scaled_dot_product_flash_attention_for_cpu.default", "2x4x8x16 2x4x12x16 2x4x12x16 @channels-last"},
      {"aten.native_group_norm.default", "2x8x16"},
      {"aten._unsafe_view.default", "2x8x16 size=2,-1"},
      {"aten.grid_sampler_2d.default", "2x4x8x6 2x5x3x2"},
      {"aten.max_pool3d.default", "2x4x6x8x7 kernel_size=2,3,2"},
      {"aten.max_pool3d_with_indices.default", "2x4x6x8x7 kernel_size=2,3,2"},
      {"aten.avg_pool3d.default", "2x4x6x8x7 kernel_size=2,3,2"},
      {"aten._adaptive_avg_pool3d.default", "2x4x6x8x7 output_size=2,3,2"},
      {"aten.reflection_pad3d.default", "2x4x6x8x7 padding=1,2,1,0,2,1"},
      {"aten.replication_pad3d.default", "2x4x6x8x7 padding=1,2,1,0,2,1"},
      {"aten._pdist_forward.default", "8x16"},
      // Normalization, softmax.
      {"aten.layer_norm.default", "2x8x16"},
      {"aten.layer_norm.default", "2x8x16 normalized_shape=8,16"},
      {"aten.layer_norm.default", "2x8x16 @transposed"},
      {"aten.group_norm.default", "2x8x6x6 num_groups=4"},
      // Of a channels-last map group_norm gives a channels-last one on the CPU and a contiguous one on CUDA: not tried.
      {"aten.batch_norm.default", "2x8x6x6"},
      {"aten.batch_norm.default", "2x8x6x6 @channels-last"},
      {"aten.batch_norm.default", "4x8"},
      {"aten.softmax.int", "2x8x16 dim=-1"},
      {"aten.softmax.int", "2x8x16 dim=1 dtype=fp32 :fp16"},
      {"aten.log_softmax.int", "2x8x16 dim=1"},
      // Element by element: promotion and broadcasting.
      {"aten.add.Tensor", "2x8x16 16"},
      {"aten.add.Tensor", "8x1 1x16 alpha=2"},
      {"aten.add.Tensor", "2x8x16 2x8x16 other:int64"},
      {"aten.add.Tensor", "2x8x16 scalar :int32 other:fp32"},
      {"aten.add.Tensor", "2x8x16 2x8x16 @transposed"},
      {"aten.add.Tensor", "2x8x16 2x8x16 @transposed other@transposed"},
      {"aten.add.Tensor", "2x4x6x6 4x1x1 @channels-last"},
      {"aten.sub.Tensor", "2x8x16 8x16"},
      {"aten.mul.Tensor", "2x8x16 2x1x16 :fp16 other:bf16"},
      {"aten.mul.Tensor", "2x8x16 2x1x16 :bool other:int64"},
      {"aten.div.Tensor", "2x8x16 16"},
      {"aten.div.Tensor", "2x8x16 16 :int64"},
      {"aten.div.Tensor_mode", "2x8x16 16 rounding_mode=floor"},
      {"aten.div.Tensor_mode", "2x8x16 16 rounding_mode=trunc :int64 other:fp32"},
      {"aten.floor_divide.default", "2x8x16 16"},
      {"aten.maximum.default", "2x8x16 8x1"},
      {"aten.minimum.default", "2x8x16 8x1 :int64 other:fp32"},
      {"aten.pow.Tensor_Tensor", "2x8x16 16"},
      {"aten.pow.Tensor_Scalar", "2x8x16 exponent=3 :int64"},
      {"aten.pow.Tensor_Scalar", "2x8x16 exponent=0.5"},
      {"aten.pow.Scalar", "2x8x16 self=2"},
      {"aten.eq.Tensor", "2x8x16 16"},
      {"aten.lt.Tensor", "2x8x16 16 other:int64"},
      {"aten.where.self", "2x8x16 2x8x16 2x8x16"},
      {"aten.where.self", "8x1 2x8x16 scalar other:fp16"},
      {"aten.where.Scalar", "2x8x16 self=1.5 other=2"},
      {"aten.where.Scalar", "2x8x16 self=1 other=2"},
      {"aten.where.default", "2x8"},
      {"aten.masked_fill.Scalar", "2x8x16 8x16 value=-1.5"},
      {"aten.bitwise_and.Tensor", "2x8x16 8x16"},
      {"aten.bitwise_and.Tensor", "2x8x16 8x16 :int64 self:int64 other:int64"},
      {"aten.logical_and.default", "2x8x16 8x16"},
      // Views: each also of a tensor that is none of its own.
      {"aten.view.default", "2x8x16 size=2,-1"},
      {"aten.view.default", "2x8x16 size=4,4,16"},
      {"aten.reshape.default", "2x8x16 shape=2,-1"},
      {"aten.reshape.default", "2x8x16 shape=2,-1 @transposed"},
      {"aten.reshape.default", "2x8x16 shape=2,8,4,4 @transposed"},
      {"aten.flatten.using_ints", "2x8x16 start_dim=1"},
      {"aten.flatten.using_ints", "2x8x16 start_dim=1 @transposed"},
      {"aten.flatten.using_ints", "2x4x6x6 start_dim=2 @channels-last"},
      {"aten.transpose.int", "2x8x16 dim0=1 dim1=2"},
      {"aten.transpose.int", "2x8x16 dim0=0 dim1=-1"},
      {"aten.t.default", "8x4"},
      {"aten.permute.default", "2x8x16 dims=2,0,1"},
      {"aten.permute.default", "2x4x6x6 dims=0,2,3,1 @channels-last"},
      {"aten.expand.default", "2x1x16 size=2,8,16"},
      {"aten.expand.default", "16 size=4,-1"},
      {"aten.expand_as.default", "2x1x16 2x8x16"},
      {"aten.select.int", "2x8x16 dim=1 index=-1"},
      {"aten.slice.Tensor", "2x8x16 dim=1 start=1 end=5 step=2"},
      {"aten.slice.Tensor", "2x8x16 dim=2 end=-1"},
      {"aten.narrow.default", "2x8x16 dim=1 start=2 length=4"},
      {"aten.split.Tensor", "2x8x16 split_size=3 dim=1"},
      {"aten.split_with_sizes.default", "2x8x16 split_sizes=5,11 dim=2"},
      {"aten.chunk.default", "2x8x16 chunks=3 dim=2"},
      {"aten.unbind.int", "2x8x16 dim=1"},
      {"aten.squeeze.default", "2x1x16x1"},
      {"aten.squeeze.dim", "2x1x16 dim=1"},
      {"aten.squeeze.dim", "2x1x16 dim=0"},
      {"aten.squeeze.dims", "2x1x16x1 dim=1,-1"},
      {"aten.unsqueeze.default", "2x8x16 dim=-1"},
      {"aten.unsqueeze.default", "2x8x16 dim=1 @transposed"},
      {"aten.unflatten.int", "2x8x16 dim=1 sizes=2,4"},
      {"aten.unflatten.int", "2x8x16 dim=2 sizes=4,-1 @transposed"},
      // Copies, joins, selections.
      {"aten.contiguous.default", "2x8x16"},
      {"aten.contiguous.default", "2x8x16 @transposed"},
      {"aten.clone.default", "2x8x16 @transposed"},
      {"aten.clone.default", "2x8x16 memory_format=contiguous_format @transposed"},
      {"aten.to.dtype", "2x8x16 dtype=fp16"},
      {"aten.to.dtype", "2x8x16 dtype=fp32"},
      {"aten.to.dtype", "2x8x16 dtype=int64 @transposed"},
      {"aten._to_copy.default", "2x8x16 dtype=bf16 @transposed"},
      {"aten.to.device", "2x8x16 dtype=fp16"},
      {"aten.to.other", "2x8x16 2x8x16 other:fp16"},
      {"aten.type_as.default", "2x8x16 2x8x16 other:fp16"},
      {"aten.type_as.default", "2x8x16 2x8x16 @transposed"},
      {"aten.cat.default", "2x8x16 2x3x16 dim=1"},
      {"aten.cat.default", "2x8x16 2x8x16 dim=-1 @transposed"},
      {"aten.concat.default", "2x8x16 2x3x16 dim=1"},
      {"aten.stack.default", "2x8 2x8 dim=1"},
      {"aten.repeat.default", "2x8x16 repeats=3,1,2"},
      {"aten.repeat.default", "8x16 repeats=2,1,1"},
      {"aten.repeat_interleave.self_int", "2x8x16 repeats=2 dim=1"},
      {"aten.roll.default", "2x8x16 shifts=1,-2 dims=1,2"},
      {"aten.flip.default", "2x8x16 dims=0,2"},
      {"aten.pad.default", "2x8x16 pad=1,2"},
      {"aten.pad.default", "2x8x16 pad=1,2,0,3 value=0.5"},
      {"aten.gather.default", "2x8x16 dim=1 index=2x4x16"},
      {"aten.index_select.default", "2x8x16 dim=1 index=5"},
      {"aten.index.Tensor", "2x8x16 indices=5"},
      {"aten.index.Tensor", "2x8x16 indices=5,5"},
      {"aten.index.Tensor", "2x8x16 indices=none,5"},
      {"aten.index_put_.default", "2x8x16 indices=2 values=2x8x16"},
      {"aten.index_copy_.default", "2x8x16 dim=1 index=5 source=2x5x16"},
      {"aten.multinomial.default", "8x16 num_samples=3"},
      {"aten.embedding.default", "16x8 2x4"},
      {"aten._embedding_bag.default", "16x8 6 3"},
      {"aten._embedding_bag.default", "16x8 6 3 mode=1 include_last_offset=true"},
      {"aten.tril.default", "8x8 diagonal=-1"},
      {"aten.triu.default", "2x8x8 diagonal=1"},
      {"aten.topk.default", "2x8x16 k=4"},
      {"aten.topk.default", "2x8x16 k=3 dim=1"},
      {"aten.sort.default", "2x8x16 dim=1 descending=true"},
      {"aten.nonzero.default", "2x8x16"},
      {"aten._unique2.default", "16 return_inverse=true return_counts=true :int64"},
      {"aten.meshgrid.default", "4 5"},
      {"aten.meshgrid.indexing", "4 5 indexing=xy"},
      {"aten.meshgrid.indexing", "4 5 6 indexing=ij"},
      // Reductions.
      {"aten.sum.default", "2x8x16"},
      {"aten.sum.default", "2x8x16 :int32"},
      {"aten.sum.dim_IntList", "2x8x16 dim=0,2 keepdim=true"},
      {"aten.sum.dim_IntList", "2x8x16 dim=1 :bool"},
      {"aten.mean.dim", "2x8x16 dim=-1 keepdim=true"},
      {"aten.mean.dim", "2x4x6x6 dim=2,3 @channels-last"},
      {"aten.cumsum.default", "2x8x16 dim=1"},
      {"aten.cumsum.default", "2x8x16 dim=1 :bool"},
      {"aten.histc.default", "2x8x16 bins=5 min=-1 max=2"},
      {"aten.argmax.default", "2x8x16"},
      {"aten.argmax.default", "2x8x16 dim=1 keepdim=true"},
      {"aten.max.dim", "2x8x16 dim=1"},
      {"aten.min.dim", "2x8x16 dim=-1 keepdim=true"},
      {"aten.amax.default", "2x8x16 dim=1,2"},
      {"aten.linalg_vector_norm.default", "2x8x16"},
      {"aten.linalg_vector_norm.default", "2x8x16 ord=1 dim=-1 keepdim=true"},
      {"aten.all.default", "2x8x16 :bool"},
      {"aten.any.dim", "2x8x16 dim=1 :bool"},
      {"aten.diff.default", "2x8x16 dim=1"},
      // Maps.
      {"aten.max_pool2d.default", "2x4x9x7 kernel_size=3,3 stride=2,2 padding=1,1"},
      {"aten.max_pool2d.default", "2x4x9x7 kernel_size=2,2 ceil_mode=true @channels-last"},
      {"aten.avg_pool2d.default", "2x4x9x7 kernel_size=3,2 stride=2,2 count_include_pad=false"},
      {"aten.adaptive_avg_pool1d.default", "2x4x9 output_size=3"},
      {"aten.adaptive_avg_pool2d.default", "2x4x9x7 output_size=1,1"},
      {"aten.adaptive_avg_pool2d.default", "2x4x9x7 output_size=3,2 @channels-last"},
      {"aten.upsample_nearest2d.default", "2x4x8x6 output_size=12,5"},
      {"aten.upsample_nearest2d.vec", "2x4x8x6 output_size=none scale_factors=2,1.5"},
      {"aten.upsample_bilinear2d.default", "2x4x8x6 output_size=12,5 align_corners=true"},
      {"aten.upsample_bilinear2d.default", "2x4x8x6 output_size=12,5 align_corners=false @channels-last"},
      {"aten.upsample_bilinear2d.vec", "2x4x8x6 output_size=4,4 align_corners=false"},
      {"aten.upsample_bicubic2d.default", "2x4x8x6 output_size=12,5 align_corners=false"},
      {"aten.upsample_bicubic2d.vec", "2x4x8x6 output_size=none scale_factors=2,2 align_corners=true"},
      {"torchvision.nms.default", "32x4"},
      {"torchvision.roi_align.default", "2x4x32x32"},
      {"torchvision.roi_align.default", "2x4x32x32 10x5 pooled_height=3 pooled_width=5 aligned=true"},
      // Quantization.
      {"bitsandbytes.int8_vectorwise_quant.default", "8x16 threshold=2"},
      {"bitsandbytes.int8_vectorwise_dequant.default", "2x8x16"},
      {"bitsandbytes.int8_linear_matmul.default", "2x9x16 24x16"},
      {"bitsandbytes.int8_linear_matmul.default", "5x13 7x13"},
      {"bitsandbytes.int8_mm_dequant.default", "2x8x16"},
      {"bitsandbytes.int8_mm_dequant.default", "2x8x16 bias=16 bias:fp16 dtype=fp32"},
      {"bitsandbytes.int8_scaled_mm.default", "2x9x16"},
      {"bitsandbytes.int8_mixed_scaled_mm.default", "8x16"},
      {"nongemm.int8_row_quantize.default", "2x8x16"},
      {"nongemm.int8_row_quantize.default", "2x8x16 threshold=1 :fp16 @transposed"},
      {"nongemm.int8_quantize.default", "2x8x16 threshold=2"},
      {"nongemm.int8_quantize.default", "40x24 threshold=0 :bf16"},
      {"nongemm.static_quantize.default", "2x8x16 step=scalar"},
      {"nongemm.static_quantize.default", "8x16 step=scalar dtype=fp8_e4m3 :fp16 @transposed"},
      {"nongemm.int8_linear.default", "2x9x16"},
      {"nongemm.int8_linear.default", "5x13 7x13 weight_scales=7 bias=7 dtype=fp32"},
      {"nongemm.add_outlier_product_.default",
       "8x16 input=8x24 outliers=25 gathered=8x96 weight=16x24 weight_scales=16"},
      {"nongemm.rms_norm.default", "2x8x16 weight=16 eps=0.00001"},
      {"nongemm.rms_norm.default", "2x8x16 weight=16 eps=0.00001 offset=1 wide=true @transposed"},
      {"nongemm.rms_norm.default", "3x2048 weight=2048 eps=0.00001 :fp16 weight:fp16"},
      {"nongemm.rms_norm.default", "600x2304 weight=2304 eps=0.00001 wide=true :bf16"},
      {"nongemm.rms_norm.default", "2x33000 weight=33000 eps=0.00001"},
      {"nongemm.add_rms_norm.default", "2x8x16 other=2x8x16 weight=16 eps=0.00001"},
      {"nongemm.add_rms_norm.default", "2x8x13 other=2x8x13 weight=13 eps=0.00001 @transposed"},
      {"nongemm.add_rms_norm.default", "2x9000 other=2x9000 weight=9000 eps=0.00001"},
      {"nongemm.add_layer_norm.default", "2x8x16 other=2x8x16 weight=16 bias=16 eps=0.00001"},
      {"nongemm.add_layer_norm.default", "600x1280 other=600x1280 weight=1280 eps=0.00001"},
      {"nongemm.add_layer_norm.default", "5x1001 other=5x1001 weight=1001 bias=1001 eps=0.00001"},
      {"nongemm.rotary.default", "2x3x5x16 cos=1x1x5x16 sin=1x1x5x16"},
      {"nongemm.rotary.default", "2x5x16 cos=5x8 sin=5x8 wide=true"},
      {"nongemm.rotary.default", "2x3x5x16 cos=2x1x5x16 sin=2x1x5x16 contiguous=true @transposed"},
      {"nongemm.rotary.default", "2x3x5x6 cos=5x6 sin=5x6"},
      {"nongemm.gated_activation.default", "2x8x16 other=2x8x16"},
      {"nongemm.gated_activation.default", "2x8x13 other=2x8x13 activation=gelu @transposed"},
      {"nongemm.gated_activation.default", "2x8x16 other=2x8x16 activation=gelu_tanh @transposed other@transposed"},
      {"nongemm.group_quantize.default", "6x21 bits=4 group=8"},
      {"nongemm.group_quantize.default", "6x21 bits=8 group=16 :fp16"},
      {"nongemm.grouped_linear.default", "2x8x21 weight=6x11 weight:uint8 scales=6x3 bits=4 group=8"},
      {"nongemm.grouped_linear.default",
       "8x16 weight=6x16 weight:uint8 scales=6x2 zeros=6x2 zeros:uint8 bias=6 bits=8 group=8"},
      {"nongemm.unpack_words.default", "6x3 bits=4 dim=0 order=0,4,1,5,2,6,3,7"},
      {"nongemm.pack_pairs.default", "6x5"},
      // Tensors made anew, single numbers.
      {"aten.arange.default", "end=7"},
      {"aten.arange.default", "end=7.5"},
      {"aten.arange.start", "start=2 end=9 dtype=int32"},
      {"aten.arange.start_step", "start=1 end=8 step=3"},
      {"aten.zeros.default", "size=3,4"},
      {"aten.ones.default", "size=3,4 dtype=int64"},
      {"aten.full.default", "size=3,4 fill_value=2"},
      {"aten.full.default", "size=3,4 fill_value=2.5 dtype=fp16"},
      {"aten.full.default", "size=3,4 fill_value=true"},
      {"aten.scalar_tensor.default", "s=1.5"},
      {"aten.zeros_like.default", "2x8x16 @transposed"},
      {"aten.new_zeros.default", "2x8x16 size=3,4 @transposed"},
      {"aten.item.default", "1"},
      {"aten.item.default", "scalar :int64"},
      {"aten.is_nonzero.default", "1"},
      {"nongemm.int_constant.default", "value=7"},
      {"nongemm.int_add.default", "a=7 b=2"},
      {"nongemm.int_sub.default", "a=7 b=2"},
      {"nongemm.int_mul.default", "a=7 b=2"},
      {"nongemm.int_floor_divide.default", "a=-7 b=2"},
      {"nongemm.int_remainder.default", "a=-7 b=2"},
      {"nongemm.int_min.default", "a=7 b=2"},
      {"nongemm.int_max.default", "a=7 b=2"},
      {"nongemm.int_greater.default", "a=7 b=2"},
      {"nongemm.float.default", "value=1.5"},
      {"nongemm.float_add.default", "a=1.5 b=2.0"},
      {"nongemm.float_sub.default", "a=1.5 b=2.0"},
      {"nongemm.float_mul.default", "a=1.5 b=2.0"},
      {"nongemm.float_divide.default", "a=1.5 b=2.0"},
      {"nongemm.slice_cuts.default", "2x8x16 dim=1 start=1 end=4"},
      // Fourier transforms and complex numbers.
      {"aten._fft_r2c.default", "2x8x15 dim=2 normalization=0 onesided=true"},
      {"aten._fft_r2c.default", "2x8x16x5 dim=1,2 normalization=1 onesided=true"},
      {"aten._fft_r2c.default", "2x8x16x5 dim=2,1 normalization=0 onesided=false"},
      {"aten._fft_r2c.default", "2x8x16x5 dim=1,3 normalization=2 onesided=true @transposed"},
      {"aten._fft_r2c.default", "2x8x16 :fp64 dim=0,1,2 normalization=0 onesided=false"},
      {"aten._fft_c2c.default", "2x8x15 :complex64 dim=1 normalization=0 forward=true"},
      {"aten._fft_c2c.default", "2x8x16x5 :complex64 dim=3,1 normalization=2 forward=false"},
      {"aten._fft_c2c.default", "2x8x16x5 :complex128 dim=0,2 normalization=0 forward=true @transposed"},
      {"aten._fft_c2r.default", "2x8x9 :complex64 dim=2 normalization=2 last_dim_size=16"},
      {"aten._fft_c2r.default", "2x8x9x5 :complex64 dim=1,2 normalization=2 last_dim_size=17"},
      {"aten._fft_c2r.default", "2x8x9x5 :complex128 dim=3,0,2 normalization=1 last_dim_size=16 @transposed"},
      {"aten.fft_fft.default", "2x6x5x4"},
      {"aten.fft_fft.default", "2x6x5x4 n=7 dim=1 @transposed"},
      {"aten.fft_fft.default", "2x6x5x4 n=3 dim=1 @transposed"},
      {"aten.fft_fft.default", "2x6x5x4 :complex64 dim=2"},
      {"aten.fft_fft2.default", "2x6x5x4"},
      {"aten.fft_fft2.default", "2x6x5x4 s=7,3 dim=1,2 @transposed"},
      {"aten.fft_fftn.default", "2x6x5x4"},
      {"aten.fft_fftn.default", "2x6x5x4 @transposed"},
      {"aten.fft_fftn.default", "2x6x5x4 s=4,4"},
      {"aten.fft_fftn.default", "2x6x5x4 dim=3,1"},
      {"aten.fft_ifft.default", "2x6x5x4"},
      {"aten.fft_ifft.default", "2x6x5x4 n=7 dim=1 @transposed"},
      {"aten.fft_ifft.default", "2x6x5x4 n=3 dim=1 @transposed"},
      {"aten.fft_ifft.default", "2x6x5x4 :complex64 dim=2"},
      {"aten.fft_ifft2.default", "2x6x5x4"},
      {"aten.fft_ifft2.default", "2x6x5x4 s=7,3 dim=1,2 @transposed"},
      {"aten.fft_ifftn.default", "2x6x5x4"},
      {"aten.fft_ifftn.default", "2x6x5x4 @transposed"},
      {"aten.fft_ifftn.default", "2x6x5x4 s=4,4"},
      {"aten.fft_ifftn.default", "2x6x5x4 dim=3,1"},
      {"aten.fft_rfft.default", "2x6x5x4"},
      {"aten.fft_rfft.default", "2x6x5x4 n=7 dim=1 @transposed"},
      {"aten.fft_rfft.default", "2x6x5x4 n=3 dim=1 @transposed"},
      {"aten.fft_rfft2.default", "2x6x5x4"},
      {"aten.fft_rfft2.default", "2x6x5x4 s=7,3 dim=1,2 @transposed"},
      {"aten.fft_rfftn.default", "2x6x5x4"},
      {"aten.fft_rfftn.default", "2x6x5x4 @transposed"},
      {"aten.fft_rfftn.default", "2x6x5x4 s=4,4"},
      {"aten.fft_rfftn.default", "2x6x5x4 dim=3,1"},
      {"aten.fft_irfft.default", "2x6x5x4"},
      {"aten.fft_irfft.default", "2x6x5x4 n=7 dim=1 @transposed"},
      {"aten.fft_irfft.default", "2x6x5x4 n=3 dim=1 @transposed"},
      {"aten.fft_irfft.default", "2x6x5x4 :complex64 dim=2"},
      {"aten.fft_irfft2.default", "2x6x5x4"},
      {"aten.fft_irfft2.default", "2x6x5x4 s=7,3 dim=1,2 @transposed"},
      {"aten.fft_irfftn.default", "2x6x5x4"},
      {"aten.fft_irfftn.default", "2x6x5x4 @transposed"},
      {"aten.fft_irfftn.default", "2x6x5x4 s=4,4"},
      {"aten.fft_irfftn.default", "2x6x5x4 dim=3,1"},
      {"aten.fft_fft.default", "8 :int64"},
      {"aten.fft_fftn.default", "2x6x5x4 :complex128 dim=0,2 @transposed"},
      {"aten.view_as_real.default", "2x8x16 :complex64"},
      {"aten.view_as_real.default", "2x8x16 :complex64 @transposed"},
      {"aten.view_as_complex.default", "2x8x2"},
      {"aten.view_as_complex.default", "2x8x2 :fp64"},
      {"aten.real.default", "2x8x16"},
      {"aten.real.default", "2x8x16 :complex64"},
      {"aten.imag.default", "2x8x16 :complex128 @transposed"},
      {"aten.add.Tensor", "2x8x16 2x8x16 :complex64"},
      {"aten.add.Tensor", "2x8x16 8x16 :complex64 other:fp64"},
      {"aten.sub.Tensor", "2x8x16 2x8x16 :complex64"},
      {"aten.mul.Tensor", "2x8x16 2x8x16 :complex64"},
      {"aten.mul.Scalar", "2x8x16"},
      {"aten.mul.Scalar", "2x8x16 @transposed"},
      {"aten.mul.Scalar", "2x8x16 :complex64 other=2"},
      {"aten.neg.default", "2x8x16"},
      {"aten.neg.default", "2x8x16 @transposed"},
      {"aten.neg.default", "2x8x16 :complex64"},
      {"aten.atan2.out", "2x8x16 8x16 out=2x8x16"},
  };
  return kRows;
}

/// A word as "NAME<mark>TEXT"; the name may be empty.
struct Word {
  std::string name;
  char mark = 0;
  std::string text;
};

Word read_word(const std::string& word) {
  const std::size_t at = word.find_first_of("=:@");
  if (at == std::string::npos) return {"", 0, word};
  return {word.substr(0, at), word[at], word.substr(at + 1)};
}

std::vector<std::optional<Shape>> read_shapes(const std::string& text) {
  std::vector<std::optional<Shape>> shapes;
  std::istringstream in(text);
  for (std::string shape; std::getline(in, shape, ',');) {
    shapes.push_back(shape == "none" ? std::nullopt : std::optional<Shape>(microbench::parse_shapes(shape).at(0)));
  }
  return shapes;
}

}  // namespace

std::string OperatorCase::identifier() const {
  std::string name = op + " " + operands;
  for (char& c : name) {
    if (c == '-') c = 'm';  // -1 and 1 are two cases
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  }
  return name;
}

std::ostream& operator<<(std::ostream& out, const OperatorCase& test) { return out << test.op << " " << test.operands; }

const std::vector<TriedElsewhere>& operators_tried_elsewhere() {
  static const std::vector<TriedElsewhere> kElsewhere = {
      {"nongemm.if.default", "src/flows/torch/control_test.cpp: it has blocks"},
      {"aten._grouped_mm.default", "tests/onnx_rule_cases.cpp: its offsets have to fit"},
      {"transformers.grouped_mm_fallback.default", "tests/onnx_rule_cases.cpp: likewise"},
      {"nongemm.foreach.default", "src/flows/torch/control_test.cpp: it has a block"},
      {"_c10d_functional.all_reduce.default", "tests/ranks_test.cpp: it wants other ranks"},
      {"nongemm.all_reduce_.default", "tests/ranks_test.cpp: likewise"},
      {"_c10d_functional.all_gather_into_tensor.default", "tests/ranks_test.cpp: likewise"},
      {"_c10d_functional.reduce_scatter_tensor.default", "tests/ranks_test.cpp: likewise"},
      {"_c10d_functional.all_to_all_single.default", "tests/ranks_test.cpp: likewise"},
      {"_c10d_functional.wait_tensor.default", "tests/ranks_test.cpp: likewise"},
  };
  return kElsewhere;
}

std::vector<OperatorCase> operator_cases() {
  std::set<std::string_view> named;
  for (const OperatorCase& row : own_rows()) named.insert(row.op);
  for (const TriedElsewhere& row : operators_tried_elsewhere()) named.insert(row.op);
  std::vector<OperatorCase> cases = own_rows();
  for (const Op& op : OpTable::get().all()) {
    if (named.contains(op.name)) continue;
    cases.push_back({op.name, kDefaultOperands});
    const bool takes_tensors = std::any_of(op.schema.args.begin(), op.schema.args.end(),
                                           [](const SchemaArg& arg) { return arg.kind == ArgKind::kTensor; });
    if (takes_tensors) cases.push_back({op.name, std::string(kDefaultOperands) + " @transposed"});
  }
  return cases;
}

microbench::Call read_call(const OperatorCase& test) {
  const Op& op = OpTable::get().at(test.op);
  const microbench::OperatorInfo info{op.name, op.schema, &op, std::string(op.entry.schema)};
  microbench::Given given;
  std::istringstream in(test.operands);
  for (std::string text; in >> text;) {
    const Word word = read_word(text);
    const int at = op.schema.find_arg(word.name);
    const bool tensor = at >= 0 && op.schema.args[static_cast<std::size_t>(at)].kind == ArgKind::kTensor;
    if (word.mark == 0) {
      given.shapes.push_back(microbench::parse_shapes(word.text).at(0));
    } else if (word.mark == '@') {
      (word.name.empty() ? given.layout : given.layouts[word.name]) = word.text;
    } else if (word.mark == ':') {
      const std::optional<DType> dtype = parse_dtype(word.text);
      if (!dtype) throw Error(ErrorKind::kUsage, test.op + ": no dtype '" + word.text + "'");
      (word.name.empty() ? given.dtype : given.dtypes[word.name]) = *dtype;
    } else if (tensor) {
      given.named_shapes[word.name] = read_shapes(word.text);
    } else {
      given.arguments[word.name] = word.text;
    }
  }
  return microbench::fill_operands(info, given);
}

}  // namespace nongemm
