// GEMM: operators that are matrix multiplications, or become one (convolution by im2col). Paper II-A1.
#include <algorithm>
#include <array>
#include <cctype>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "ops/entries.h"
#include "ops/onnx_rules.h"
#include "ops/rules.h"

namespace nongemm {
namespace {

using namespace rules;

void check_inner(const Operands& operands, std::int64_t a, std::int64_t b) {
  if (a == b || a == kDynamic || b == kDynamic) return;
  throw Error(ErrorKind::kBadInput,
              operands.node().op + ": inner dimensions " + std::to_string(a) + " and " + std::to_string(b) + " differ");
}

// --- linear(input [*, in], weight [out, in], bias [out]?) -> [*, out] ---
std::vector<Type> infer_linear(const Operands& operands) {
  const Type& input = operands.tensor(0, 1);
  const Type& weight = operands.tensor(1, 1);
  Shape shape = input.shape;
  check_inner(operands, shape.back(), weight.shape.back());
  shape.pop_back();
  if (weight.shape.size() == 2) shape.push_back(weight.shape[0]);
  return {tensor_type(input.dtype, shape)};
}

Cost cost_linear(const Operands& operands, std::span<const Type> results) {
  Cost cost = traffic(operands, results);
  cost.flops = 2.0 * count_of(results[0]) * static_cast<double>(operands.tensor(1, 1).shape.back());
  if (operands.has(2)) cost.flops += count_of(results[0]);
  return cost;
}

// --- matmul: torch.matmul's rules for 1-D operands and batched broadcasting ---
std::vector<Type> infer_matmul(const Operands& operands) {
  const Type& a = operands.tensor(0);
  const Type& b = operands.tensor(1);
  Shape left = a.shape;
  Shape right = b.shape;
  if (left.empty() || right.empty()) throw Error(ErrorKind::kBadInput, "matmul needs at least one dimension");
  const bool vector_left = left.size() == 1;
  const bool vector_right = right.size() == 1;
  if (vector_left) left.insert(left.begin(), 1);
  if (vector_right) right.push_back(1);
  check_inner(operands, left.back(), right[right.size() - 2]);
  Shape shape = broadcast(Shape(left.begin(), left.end() - 2), Shape(right.begin(), right.end() - 2));
  if (!vector_left) shape.push_back(left[left.size() - 2]);
  if (!vector_right) shape.push_back(right.back());
  return {tensor_type(a.dtype, shape)};
}

Cost cost_matmul(const Operands& operands, std::span<const Type> results) {
  Cost cost = traffic(operands, results);
  cost.flops = 2.0 * count_of(results[0]) * static_cast<double>(operands.tensor(0, 1).shape.back());
  return cost;
}

// --- addmm(bias, a [n, k], b [k, m]) ---
std::vector<Type> infer_addmm(const Operands& operands) {
  const Type& a = operands.tensor(1, 2);
  const Type& b = operands.tensor(2, 2);
  check_inner(operands, a.shape.back(), b.shape[b.shape.size() - 2]);
  Shape shape = a.shape;
  shape.back() = b.shape.back();
  return {tensor_type(a.dtype, shape)};
}

Cost cost_addmm(const Operands& operands, std::span<const Type> results) {
  Cost cost = traffic(operands, results);
  cost.flops = count_of(results[0]) * (2.0 * static_cast<double>(operands.tensor(1, 1).shape.back()) + 1.0);
  return cost;
}

// --- convolutions: input [n, c, spatial...], weight [out, c / groups, kernel...] ---
std::int64_t convolved(std::int64_t size, std::int64_t kernel, std::int64_t stride, std::int64_t padding,
                       std::int64_t dilation) {
  if (stride < 1) throw Error(ErrorKind::kBadInput, "a convolution's stride is " + std::to_string(stride));
  return size == kDynamic ? kDynamic : (size + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1;
}

std::vector<std::int64_t> per_dimension(const Operands& operands, std::size_t arg, std::size_t count) {
  std::vector<std::int64_t> values = operands.integers(arg);
  if (values.size() == 1) values.resize(count, values[0]);
  if (values.size() != count) {
    throw Error(ErrorKind::kBadInput, operands.node().op + ": " + std::to_string(values.size()) + " numbers for " +
                                          std::to_string(count) + " dimensions");
  }
  return values;
}

std::vector<Type> infer_conv(const Operands& operands) {
  const Type& input = operands.tensor(0);
  const Type& weight = operands.tensor(1, 2);
  const std::size_t spatial = weight.shape.size() - 2;
  if (input.shape.size() != spatial + 2) throw Error(ErrorKind::kBadInput, "convolution input has the wrong rank");
  const std::int64_t groups = operands.integer(operands.position("groups"));
  check_inner(operands, input.shape[1], weight.shape[1] * groups);
  const auto stride = per_dimension(operands, 3, spatial);
  const auto padding = per_dimension(operands, 4, spatial);
  const auto dilation = per_dimension(operands, 5, spatial);
  Shape shape = {input.shape[0], weight.shape[0]};
  for (std::size_t i = 0; i < spatial; ++i) {
    shape.push_back(convolved(input.shape[2 + i], weight.shape[2 + i], stride[i], padding[i], dilation[i]));
  }
  Type result = tensor_type(input.dtype, shape);
  if (is_channels_last(input)) lay_channels_last(result);
  return {result};
}

Cost cost_conv(const Operands& operands, std::span<const Type> results) {
  Cost cost = traffic(operands, results);
  const Type& weight = operands.tensor(1, 1);
  const double per_output = count_of(weight) / static_cast<double>(weight.shape[0]);
  cost.flops = count_of(results[0]) * (2.0 * per_output + (operands.has(2) ? 1.0 : 0.0));
  return cost;
}

// --- transposed convolution: weight [in, out / groups, kernel...] ---
std::vector<Type> infer_conv_transpose2d(const Operands& operands) {
  const Type& input = operands.tensor(0, 4);
  const Type& weight = operands.tensor(1, 4);
  const auto stride = operands.pair(3, 1);
  const auto padding = operands.pair(4, 0);
  const auto extra = operands.pair(5, 0);
  const auto dilation = operands.pair(7, 1);
  Shape shape = {input.shape[0], weight.shape[1] * operands.integer(6)};
  for (std::size_t i = 0; i < 2; ++i) {
    const std::int64_t size = input.shape[2 + i];
    shape.push_back(size == kDynamic ? kDynamic
                                     : (size - 1) * stride[i] - 2 * padding[i] +
                                           dilation[i] * (weight.shape[2 + i] - 1) + extra[i] + 1);
  }
  return {tensor_type(input.dtype, shape)};
}

Cost cost_conv_transpose2d(const Operands& operands, std::span<const Type> results) {
  Cost cost = traffic(operands, results);
  const Type& weight = operands.tensor(1, 1);
  cost.flops = 2.0 * count_of(operands.tensor(0)) * count_of(weight) / static_cast<double>(weight.shape[0]);
  if (operands.has(2)) cost.flops += count_of(results[0]);
  return cost;
}

// --- einsum ("bqc,bchw->bqhw", "...ij,jk", "ii") ---

/// Dimensions by label: letters are their codes, those that an ellipsis stands for count from the last one.
struct Einsum {
  std::vector<std::vector<int>> operands;
  std::vector<int> output;
  std::map<int, std::int64_t> sizes;
};

constexpr int kEllipsis = 256;

[[noreturn]] void refuse_einsum(const std::string& equation) {
  throw Error(ErrorKind::kBadInput, "einsum '" + equation + "' does not fit its operands");
}

/// Labels of one operand, or of the output. @param rank of the operand; for the output, of what its ellipsis stands for
std::vector<int> labels_of(const std::string& equation, std::string_view term, std::size_t rank, bool is_output) {
  const std::size_t dots = term.find("...");
  std::vector<int> labels;
  const auto letters = [&](std::string_view text) {
    for (const char letter : text) {
      if (std::isalpha(static_cast<unsigned char>(letter)) == 0) refuse_einsum(equation);
      labels.push_back(letter);
    }
  };
  if (dots == std::string_view::npos) {
    letters(term);
    return labels;
  }
  letters(term.substr(0, dots));
  const std::size_t named = term.size() - 3;
  if (!is_output && named > rank) refuse_einsum(equation);
  for (std::size_t i = is_output ? rank : rank - named; i-- > 0;) labels.push_back(kEllipsis + static_cast<int>(i));
  letters(term.substr(dots + 3));
  return labels;
}

Einsum einsum_of(const Operands& operands) {
  const std::string equation(operands.text(0));
  const std::vector<const Type*> tensors = operands.tensors(1);
  std::string bare;
  std::copy_if(equation.begin(), equation.end(), std::back_inserter(bare), [](char c) { return c != ' '; });
  const std::size_t arrow = bare.find("->");
  Einsum einsum;
  std::string_view inputs = std::string_view(bare).substr(0, arrow);
  int spanned = 0;  // dimensions that the ellipses stand for, at most
  if (tensors.empty()) refuse_einsum(equation);
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    const Type* tensor = tensors[t];
    if (tensor == nullptr) refuse_einsum(equation);
    const std::size_t comma = inputs.find(',');
    const bool last = t + 1 == tensors.size();
    if ((comma == std::string_view::npos) != last) refuse_einsum(equation);
    const Shape& shape = tensor->shape;
    einsum.operands.push_back(labels_of(equation, inputs.substr(0, comma), shape.size(), false));
    const std::vector<int>& labels = einsum.operands.back();
    if (labels.size() != shape.size()) refuse_einsum(equation);
    for (std::size_t i = 0; i < labels.size(); ++i) {
      std::int64_t& size = einsum.sizes.try_emplace(labels[i], 1).first->second;
      if (size == 1) size = shape[i];  // sizes of 1 are stretched
      spanned = std::max(spanned, labels[i] - kEllipsis + 1);
    }
    if (!last) inputs.remove_prefix(comma + 1);
  }
  if (arrow != std::string::npos) {
    const std::string_view output = std::string_view(bare).substr(arrow + 2);
    einsum.output = labels_of(equation, output, static_cast<std::size_t>(spanned), true);
    for (const int label : einsum.output) {
      if (!einsum.sizes.contains(label)) refuse_einsum(equation);
    }
    return einsum;
  }
  // Without an output part: the ellipsis, then the letters that occur once, in the order of the alphabet.
  for (int i = spanned; i-- > 0;) einsum.output.push_back(kEllipsis + i);
  for (const auto& [label, size] : einsum.sizes) {
    std::ptrdiff_t count = 0;
    for (const auto& labels : einsum.operands) count += std::count(labels.begin(), labels.end(), label);
    if (label < kEllipsis && count == 1) einsum.output.push_back(label);
  }
  return einsum;
}

std::vector<Type> infer_einsum(const Operands& operands) {
  const Einsum einsum = einsum_of(operands);
  Shape shape;
  for (const int label : einsum.output) shape.push_back(einsum.sizes.at(label));
  return {tensor_type(operands.tensors(1).at(0)->dtype, shape)};
}

Cost cost_einsum(const Operands& operands, std::span<const Type> results) {
  Cost cost = traffic(operands, results);
  const Einsum einsum = einsum_of(operands);
  double contracted = 1;
  for (const auto& [label, size] : einsum.sizes) {
    const bool kept = std::find(einsum.output.begin(), einsum.output.end(), label) != einsum.output.end();
    if (!kept) contracted *= static_cast<double>(size);
  }
  cost.flops = 2.0 * count_of(results[0]) * contracted;
  return cost;
}

constexpr Traits kTraits = {.reduction = true};

constexpr std::array kEntries = {
    OpEntry{.schema = "aten::linear(Tensor input, Tensor weight, Tensor? bias=None) -> Tensor",
            .group = Group::kGemm,
            .variant = "Linear",
            .traits = kTraits,
            .infer = infer_linear,
            .cost = cost_linear,
            .lower = onnx_rules::linear},
    OpEntry{.schema = "aten::matmul(Tensor self, Tensor other) -> Tensor",
            .group = Group::kGemm,
            .variant = "MatMul",
            .traits = kTraits,
            .infer = infer_matmul,
            .cost = cost_matmul,
            .lower = onnx_rules::matmul},
    OpEntry{.schema = "aten::mm(Tensor self, Tensor mat2) -> Tensor",
            .group = Group::kGemm,
            .variant = "MatMul",
            .traits = kTraits,
            .infer = infer_matmul,
            .cost = cost_matmul,
            .lower = onnx_rules::matmul},
    OpEntry{.schema = "aten::bmm(Tensor self, Tensor mat2) -> Tensor",
            .group = Group::kGemm,
            .variant = "BMM",
            .traits = kTraits,
            .infer = infer_matmul,
            .cost = cost_matmul,
            .lower = onnx_rules::matmul},
    OpEntry{.schema = "aten::addmm(Tensor self, Tensor mat1, Tensor mat2, *, Scalar beta=1, Scalar alpha=1) -> Tensor",
            .group = Group::kGemm,
            .variant = "Linear",
            .traits = kTraits,
            .infer = infer_addmm,
            .cost = cost_addmm,
            .lower = onnx_rules::addmm},
    OpEntry{.schema =
                "aten::baddbmm(Tensor self, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1) -> Tensor",
            .group = Group::kGemm,
            .variant = "BMM",
            .traits = kTraits,
            .infer = infer_addmm,
            .cost = cost_addmm,
            .lower = onnx_rules::baddbmm},
    OpEntry{.schema = "aten::einsum(str equation, Tensor[] tensors, *, int[]? path=None) -> Tensor",
            .group = Group::kGemm,
            .variant = "Einsum",
            .traits = kTraits,
            .infer = infer_einsum,
            .cost = cost_einsum,
            .lower = onnx_rules::einsum},
    OpEntry{.schema = "aten::conv1d(Tensor input, Tensor weight, Tensor? bias=None, SymInt[1] stride=1, "
                      "SymInt[1] padding=0, SymInt[1] dilation=1, SymInt groups=1) -> Tensor",
            .group = Group::kGemm,
            .variant = "Conv1d",
            .traits = kTraits,
            .infer = infer_conv,
            .cost = cost_conv,
            .lower = onnx_rules::convolution},
    OpEntry{.schema = "aten::conv2d(Tensor input, Tensor weight, Tensor? bias=None, SymInt[2] stride=1, "
                      "SymInt[2] padding=0, SymInt[2] dilation=1, SymInt groups=1) -> Tensor",
            .group = Group::kGemm,
            .variant = "Conv2d",
            .traits = kTraits,
            .infer = infer_conv,
            .cost = cost_conv,
            .lower = onnx_rules::convolution},
    OpEntry{.schema = "aten::conv_transpose2d.input(Tensor input, Tensor weight, Tensor? bias=None, "
                      "SymInt[2] stride=1, SymInt[2] padding=0, SymInt[2] output_padding=0, SymInt groups=1, "
                      "SymInt[2] dilation=1) -> Tensor",
            .group = Group::kGemm,
            .variant = "ConvTranspose2d",
            .traits = kTraits,
            .infer = infer_conv_transpose2d,
            .cost = cost_conv_transpose2d,
            .lower = onnx_rules::transposed_convolution},
};

}  // namespace

std::span<const OpEntry> gemm_entries() { return kEntries; }

}  // namespace nongemm
