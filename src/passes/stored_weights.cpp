#include "passes/stored_weights.h"

#include <tuple>

#include "base/error.h"
#include "passes/llm_int8.h"
#include "passes/low_bit.h"
#include "passes/quantize.h"

namespace nongemm::passes {
namespace {

using Tensors = std::vector<Tensor>;

constexpr std::int64_t kWordBits = 32;

/// Makes a layer's tensors of what the format stores.
class Reader {
 public:
  Reader(const Graph& graph, const StoredWeights& stored, Builder& builder, const LinearLayer& layer,
         WeightMaker& maker)
      : graph_(graph), stored_(stored), builder_(builder), layer_(layer), maker_(maker), p_(maker.preparation()) {
    std::tie(out_, in_) = maker.sizes_of(layer);
    dtype_ = graph.values[layer.weight].type.dtype;
    groups_ = stored.group == 0 ? 1 : (in_ + stored.group - 1) / stored.group;
    per_word_ = kWordBits / stored.bits;
  }

  Tensors int8_as_stored() {
    const std::vector<Part> parts = {{"", DType::kInt8, {out_, in_}}, {"SCB", DType::kFloat32, {out_}}};
    return maker_.make(builder_, layer_, parts, parts, [](const Tensors& stored) { return stored; });
  }

  Tensors rows(DType dtype, bool one_scale) {
    std::vector<Part> stored = {{"", dtype, {out_, in_}},
                                {"weight_scale", DType::kFloat32, one_scale ? Shape{1} : Shape{out_, 1}}};
    std::vector<Part> parts = {stored[0], {"scales", DType::kFloat32, {out_}}};
    if (stored_.input_scales) {
      stored.push_back({"input_scale", DType::kFloat32, {1}});
      parts.push_back({"input_step", DType::kFloat32, {}});
    }
    return maker_.make(builder_, layer_, stored, parts, [&](const Tensors& at) {
      Tensor scales = p_.call("aten.reshape.default", {at[1], Shape{-1}});
      if (one_scale) scales = p_.call("aten.expand.default", {scales, Shape{out_}});
      // int8 rows have the largest magnitude for a scale, which is 127 steps.
      Tensors made = {at[0], p_.call("aten.mul.Scalar", {scales, dtype == DType::kInt8 ? 127.0 : 1.0})};
      if (stored_.input_scales) made.push_back(p_.call("aten.reshape.default", {at[2], Shape{}}));
      return made;
    });
  }

  /// Rows as they are, levels moved up by half of their number.
  Tensors packed() {
    check_fits(in_, "columns");
    const Part words{"weight_packed", DType::kInt32, {out_, in_ / per_word_}};
    const Part scales{"weight_scale", dtype_, {out_, groups_}};
    return maker_.make(builder_, layer_, {words, scales}, parts(/*zeros=*/stored_.bits == 8), [&](const Tensors& at) {
      Tensors made = {packed_levels(unpacked(at[0], 1)), at[1]};
      if (stored_.bits == 8) {
        made.push_back(p_.call("aten.full_like.default", {at[1], 128}, {{"dtype", DType::kUInt8}}));
      }
      return made;
    });
  }

  /// Columns of the weight are the rows of what is stored.
  Tensors gptq(std::int64_t added_to_zeros) {
    check_fits(in_, "columns");
    check_fits(out_, "rows");
    const std::vector<Part> stored = {{"qweight", DType::kInt32, {in_ / per_word_, out_}},
                                      {"qzeros", DType::kInt32, {groups_, out_ / per_word_}},
                                      {"scales", dtype_, {groups_, out_}}};
    return maker_.make(builder_, layer_, stored, parts(true), [&](const Tensors& at) {
      Tensor zeros = swapped(unpacked(at[1], 1));
      if (added_to_zeros != 0) zeros = p_.call("aten.add.Scalar", {zeros, added_to_zeros});
      return Tensors{packed_levels(swapped(unpacked(at[0], 0))), swapped(at[2]), zeros};
    });
  }

  Tensors awq() {
    check_fits(out_, "rows");
    const std::vector<Part> stored = {{"qweight", DType::kInt32, {in_, out_ / per_word_}},
                                      {"qzeros", DType::kInt32, {groups_, out_ / per_word_}},
                                      {"scales", dtype_, {groups_, out_}}};
    // Where each of eight columns stands in a word, so that the kernel's shuffles give them in order.
    const Shape order = {0, 4, 1, 5, 2, 6, 3, 7};
    return maker_.make(builder_, layer_, stored, parts(true), [&](const Tensors& at) {
      return Tensors{packed_levels(swapped(unpacked(at[0], 1, order))), swapped(at[2]),
                     swapped(unpacked(at[1], 1, order))};
    });
  }

 private:
  /// What grouped_linear takes.
  std::vector<Part> parts(bool zeros) const {
    const std::int64_t width = stored_.bits == 4 ? (in_ + 1) / 2 : in_;
    std::vector<Part> made = {{"", DType::kUInt8, {out_, width}}, {"weight_scale", dtype_, {out_, groups_}}};
    if (zeros) made.push_back({"zeros", DType::kUInt8, {out_, groups_}});
    return made;
  }

  Tensor unpacked(const Tensor& words, std::int64_t dim, const Shape& order = {}) {
    return p_.call("nongemm.unpack_words.default", {words, stored_.bits, dim, order});
  }
  Tensor swapped(const Tensor& matrix) {
    return p_.call("aten.contiguous.default", {p_.call("aten.t.default", {matrix})});
  }
  Tensor packed_levels(const Tensor& levels) {
    return stored_.bits == 8 ? levels : p_.call("nongemm.pack_pairs.default", {levels});
  }

  void check_fits(std::int64_t size, const char* what) const {
    if (size % per_word_ == 0) return;
    throw Error(ErrorKind::kBadInput,
                graph_.name + ": " + std::to_string(size) + " " + what + " of a weight do not fill words of " +
                    std::to_string(per_word_),
                "leave such layers out of the checkpoint's quantization");
  }

  const Graph& graph_;
  const StoredWeights& stored_;
  Builder& builder_;
  const LinearLayer& layer_;
  WeightMaker& maker_;
  Builder& p_;
  std::int64_t out_ = 0;
  std::int64_t in_ = 0;
  DType dtype_;
  std::int64_t groups_ = 1;
  std::int64_t per_word_ = 1;
};

Tensors read(Reader reader, StoredFormat format) {
  switch (format) {
    case StoredFormat::kBitsandbytes:
      return reader.int8_as_stored();
    case StoredFormat::kInt8Rows:
      return reader.rows(DType::kInt8, false);
    case StoredFormat::kInt8Tensor:
      return reader.rows(DType::kInt8, true);
    case StoredFormat::kFp8Rows:
      return reader.rows(DType::kFloat8E4M3, false);
    case StoredFormat::kFp8Tensor:
      return reader.rows(DType::kFloat8E4M3, true);
    case StoredFormat::kPacked:
      return reader.packed();
    case StoredFormat::kGptq:
      return reader.gptq(1);
    case StoredFormat::kGptqV2:
      return reader.gptq(0);
    case StoredFormat::kAwq:
      return reader.awq();
  }
  return {};
}

void check_scheme(const Graph& graph, const StoredWeights& stored, const QuantizeOptions& options) {
  if (options.scheme == QuantizeScheme::kNone || options.scheme == stored.scheme) return;
  throw Error(ErrorKind::kUsage, graph.name + " is quantized already: " + std::string(stored.title),
              "leave --quantize out, or take the checkpoint that it was made from");
}

Graph apply(const Graph& graph, const StoredWeights& stored, const QuantizeOptions& options) {
  const WeightSource source = [&](Builder& builder, const LinearLayer& layer, WeightMaker& maker) {
    return read(Reader(graph, stored, builder, layer, maker), stored.format);
  };
  switch (stored.scheme) {
    case QuantizeScheme::kLlmInt8:
      return llm_int8(graph, options, source);
    case QuantizeScheme::kW8a8:
      return llm_int8(graph, without_outliers(options), source);
    case QuantizeScheme::kFp8:
      return fp8(graph, options, source);
    case QuantizeScheme::kW8:
    case QuantizeScheme::kW4:
    case QuantizeScheme::kNone:
      break;
  }
  return weight_only(graph, options, stored.bits, stored.group, source);
}

}  // namespace

Graph use_stored(const Graph& graph, const StoredWeights& stored, QuantizeOptions options) {
  check_scheme(graph, stored, options);
  options.scheme = stored.scheme;
  if (options.threshold == QuantizeOptions().threshold) options.threshold = stored.threshold;
  if (options.skip.empty() && !stored.skip.empty()) {
    options.skip = known_modules(graph, stored.skip);
    if (options.skip.empty()) options.skip = {"none"};
  }
  Graph named = graph;
  // What quantizers write beside the weights and what nothing is computed with: zero points of symmetric ones are 0.
  for (const char* entry :
       {"*.weight_format", "*.weight_shape", "*.g_idx", "*.weight_zero_point", "*.input_zero_point"}) {
    named.checkpoint_rules.ignored.emplace_back(entry);
  }
  Graph result = apply(named, stored, options);
  describe(options, result);
  result.attributes["quantized checkpoint"] = stored.title;
  if (stored.input_scales) result.attributes["quantize.activations"] = "static";
  return result;
}

}  // namespace nongemm::passes
