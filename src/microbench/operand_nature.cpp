#include "microbench/operand_nature.h"

#include <algorithm>

#include "ops/foreign.h"

namespace nongemm::microbench {
namespace {

using Kind = Content::Kind;

struct NatureRule {
  std::string_view ops;        // names without namespace and overload; empty: any
  std::string_view arguments;  // of the schema
  Nature nature;
};

constexpr Nature kMask = {.dtype = DType::kBool};
constexpr Nature kComplex = {.dtype = DType::kComplex64};  // or another, by the call's
constexpr Nature kIndices = {.dtype = DType::kInt64, .content = Kind::kIndices};
constexpr Nature kParameter = {.parameter = true};
constexpr Nature kInt8 = {.dtype = DType::kInt8};
constexpr Nature kInt8Weight = {.dtype = DType::kInt8, .parameter = true};
constexpr Nature kScales = {.dtype = DType::kFloat32, .content = Kind::kUniform};

/// The first that fits decides.
constexpr NatureRule kRules[] = {
    {"", "condition mask", kMask},
    {"bitwise_and bitwise_or bitwise_xor bitwise_not __and__ __or__", "self other", kMask},
    {"_fft_c2c _fft_c2r view_as_real imag", "self", kComplex},
    {"embedding _embedding_bag", "indices", kIndices},
    {"_embedding_bag", "offsets", {.dtype = DType::kInt64, .content = Kind::kZeros}},  // the last bag has all of them
    {"gather index_select index_copy_ scatter scatter_ scatter_add scatter_reduce", "index", kIndices},
    {"index index_put index_put_", "indices", kIndices},
    {"nms", "dets", {.content = Kind::kBoxes}},
    {"nms", "scores", {.content = Kind::kUniform}},
    {"roi_align", "rois", {.content = Kind::kRois}},
    {"int8_vectorwise_dequant int8_linear_matmul int8_scaled_mm", "A", kInt8},
    {"int8_linear_matmul int8_scaled_mm", "B", kInt8Weight},
    {"int8_mm_dequant", "A", {.dtype = DType::kInt32}},
    {"int8_mixed_scaled_mm", "CA", kInt8},
    {"int8_mixed_scaled_mm", "CB", kInt8Weight},
    {"", "stats row_stats col_stats SCA SCB step", kScales},
    {"int8_linear", "values", kInt8},
    {"int8_linear add_outlier_product_", "weight", kInt8Weight},
    {"int8_linear fp8_linear add_outlier_product_", "scales weight_scales", kScales},
    {"add_outlier_product_", "outliers", {.dtype = DType::kInt32, .content = Kind::kZeros}},  // there are none
    {"unpack_words", "words", {.dtype = DType::kInt32}},
    {"pack_pairs", "levels", {.dtype = DType::kUInt8}},
    {"fp8_linear", "values weight", {.dtype = DType::kFloat8E4M3}},
    {"", "running_mean", {.content = Kind::kZeros, .parameter = true}},
    {"", "running_var", {.content = Kind::kOnes, .parameter = true}},
    {"", "weight bias qkv_weight qkv_bias proj_weight proj_bias", kParameter},
    // Numbers that these do not turn into NaN.
    {"log log2 log1p sqrt rsqrt pow multinomial", "self", {.content = Kind::kUniform}},
    // Operators that write in place are called again and again: what they write must neither grow nor fade away into
    // denormal numbers, which are slow.
    {"add_ sub_", "other", {.content = Kind::kZeros}},
    {"mul_ div_", "other", {.content = Kind::kOnes}},
    {"gelu_ silu_", "self", {.content = Kind::kZeros}},
};

const TensorSpec* tensor_at(const Call& call, std::string_view name) {
  const int at = call.info.schema.find_arg(name);
  return at < 0 ? nullptr : std::get_if<TensorSpec>(&call.operands[static_cast<std::size_t>(at)]);
}

/// Size of the dimension of `tensor` that the argument `dim` names; the smallest one where there is no such argument.
std::int64_t indexed_size(const Call& call, const TensorSpec& tensor) {
  const auto rank = static_cast<std::int64_t>(tensor.shape.size());
  if (rank == 0) return 1;
  const int at = call.info.schema.find_arg("dim");
  const auto* value = at < 0 ? nullptr : std::get_if<Argument>(&call.operands[static_cast<std::size_t>(at)]);
  const auto* dim = value == nullptr ? nullptr : std::get_if<std::int64_t>(value);
  if (dim == nullptr || *dim >= rank || *dim < -rank)
    return *std::min_element(tensor.shape.begin(), tensor.shape.end());
  return tensor.shape[static_cast<std::size_t>(*dim < 0 ? *dim + rank : *dim)];
}

/// x[:, i, j]: each element of the list indexes a dimension; a mask takes as many as it has itself.
void limit_list(const TensorSpec& indexed, TensorList& list) {
  std::size_t dim = 0;
  for (auto& element : list) {
    if (element) element->content.limit = dim < indexed.shape.size() ? indexed.shape[dim] : 1;
    dim += element && element->dtype == DType::kBool ? element->shape.size() : 1;
  }
}

}  // namespace

std::string_view base_of(std::string_view op) { return base_name(op); }

bool is_one_of(std::string_view words, std::string_view word) {
  if (words.empty()) return true;
  for (std::size_t begin = 0; begin <= words.size();) {
    const std::size_t end = std::min(words.find(' ', begin), words.size());
    if (words.substr(begin, end - begin) == word) return true;
    begin = end + 1;
  }
  return false;
}

Nature nature_of(const OperatorInfo& info, std::string_view argument) {
  for (const NatureRule& rule : kRules) {
    if (is_one_of(rule.ops, base_of(info.name)) && is_one_of(rule.arguments, argument)) return rule.nature;
  }
  return {};
}

void limit_indices(Call& call) {
  const TensorSpec* indexed = tensor_at(call, "self");
  const bool of_rows = is_one_of("embedding _embedding_bag", base_of(call.info.name));
  if (of_rows) indexed = tensor_at(call, "weight");
  if (indexed == nullptr) return;
  for (Operand& operand : call.operands) {
    if (auto* list = std::get_if<TensorList>(&operand)) limit_list(*indexed, *list);
    auto* tensor = std::get_if<TensorSpec>(&operand);
    if (tensor == nullptr || tensor->content.kind != Kind::kIndices) continue;
    tensor->content.limit = of_rows ? (indexed->shape.empty() ? 1 : indexed->shape[0]) : indexed_size(call, *indexed);
  }
}

}  // namespace nongemm::microbench
