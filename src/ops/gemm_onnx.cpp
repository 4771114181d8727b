// ONNX rules of gemm.cpp, einsum.cpp and convolution.cpp.
#include <string>
#include <utility>

#include "base/error.h"
#include "ops/onnx_rules.h"

namespace nongemm::onnx_rules {
namespace {

using Name = OnnxLowering::Name;
using Names = OnnxLowering::Names;

/// One value per spatial dimension.
std::vector<std::int64_t> spatial(const OnnxLowering& onnx, std::string_view arg, std::size_t count) {
  std::vector<std::int64_t> values = onnx.operands().integers(onnx.operands().position(arg));
  if (values.size() == 1) values.resize(count, values[0]);
  return values;
}

OnnxLowering::Attributes convolution_attributes(const OnnxLowering& onnx) {
  const Shape& weight = onnx.operands().tensor(1, 2).shape;
  const std::size_t count = weight.size() - 2;
  std::vector<std::int64_t> pads;  // all at the beginning, then all at the end
  std::vector<std::int64_t> ends;
  if (std::holds_alternative<std::string>(onnx.operands().raw(onnx.operands().position("padding")))) {
    for (const std::int64_t total : padding_by_name(onnx.operands(), spatial(onnx, "dilation", count))) {
      pads.push_back(total / 2);
      ends.push_back(total - total / 2);
    }
  } else {
    pads = spatial(onnx, "padding", count);
    ends = pads;
  }
  pads.insert(pads.end(), ends.begin(), ends.end());
  return {{"kernel_shape", std::vector<std::int64_t>(weight.begin() + 2, weight.end())},
          {"strides", spatial(onnx, "stride", count)},
          {"pads", std::move(pads)},
          {"dilations", spatial(onnx, "dilation", count)},
          {"group", onnx.operands().integer(onnx.operands().position("groups"))}};
}

Names convolution_inputs(OnnxLowering& onnx) {
  Names inputs = {onnx.tensor(0), onnx.tensor(1)};
  if (onnx.operands().has(2)) inputs.push_back(onnx.tensor(2));
  return inputs;
}

/// A convolution; ONNX has none of a single image without a batch dimension.
void convolve(OnnxLowering& onnx, std::string_view type, const OnnxLowering::Attributes& attributes) {
  Names inputs = convolution_inputs(onnx);
  const bool batched = onnx.operands().tensor(0).shape.size() == onnx.operands().tensor(1).shape.size();
  if (!batched) inputs[0] = onnx.unsqueeze(inputs[0], 0);
  const Name value = onnx.add(type, inputs, attributes);
  onnx.result(batched ? value : onnx.squeeze(value, 0));
}

bool is_matrix(const Type& type) { return type.shape.size() == 2; }

/// beta * operand 0 + alpha * product, as addmm and its kin have it.
void add_scaled(OnnxLowering& onnx, Name product) {
  const DType dtype = onnx.result_type().dtype;
  const auto scaled = [&](Name value, double by) {
    return by == 1.0 ? value : onnx.add("Mul", {std::move(value), onnx.scalar(by, dtype)});
  };
  const double beta = onnx.operands().number(onnx.operands().position("beta"));
  product = scaled(std::move(product), onnx.operands().number(onnx.operands().position("alpha")));
  if (beta == 0.0) return onnx.result(product);
  onnx.result(onnx.add("Add", {scaled(onnx.tensor(0, dtype), beta), product}));
}

/// Operands `first` [n] and the one after it [m] -> [n, m]
Name outer_product(OnnxLowering& onnx, std::size_t first) {
  const DType dtype = onnx.result_type().dtype;
  return onnx.add("Mul",
                  {onnx.unsqueeze(onnx.tensor(first, dtype), 1), onnx.unsqueeze(onnx.tensor(first + 1, dtype), 0)});
}

/// Operands 0 and 1 summed over pairs of dimensions, as an equation.
void contract(OnnxLowering& onnx, std::size_t left_rank, std::size_t right_rank, const std::vector<std::int64_t>& left,
              const std::vector<std::int64_t>& right) {
  if (left_rank + right_rank > 26) onnx.unsupported("more than 26 dimensions");
  std::string first;
  std::string second;
  for (std::size_t i = 0; i < left_rank; ++i) first += static_cast<char>('a' + i);
  for (std::size_t i = 0; i < right_rank; ++i) second += static_cast<char>('a' + left_rank + i);
  std::string kept = first + second;
  for (std::size_t i = 0; i < left.size(); ++i) {
    const char shared = first.at(rules::wrap_dim(left[i], left_rank));
    char& other = second.at(rules::wrap_dim(right.at(i), right_rank));
    std::erase(kept, shared);
    std::erase(kept, other);
    other = shared;
  }
  onnx.result(onnx.add("Einsum", {onnx.tensor(0), onnx.tensor(1)}, {{"equation", first + "," + second + "->" + kept}}));
}

}  // namespace

/// Of matrices one Gemm, which takes the weight as PyTorch has it; of more dimensions a MatMul, whose weight is written
/// transposed.
void linear(OnnxLowering& onnx) {
  const bool has_bias = onnx.operands().has(2);
  const Type& weight = onnx.operands().tensor(1);
  if (is_matrix(onnx.operands().tensor(0)) && is_matrix(weight)) {
    Names inputs = {onnx.tensor(0), onnx.tensor(1)};
    if (has_bias) inputs.push_back(onnx.tensor(2));
    return onnx.result(onnx.add("Gemm", inputs, {{"transB", std::int64_t{1}}}));
  }
  const Name transposed = is_matrix(weight) ? onnx.transposed(1) : onnx.tensor(1);
  const Name product = onnx.add("MatMul", {onnx.tensor(0), transposed});
  onnx.result(has_bias ? onnx.add("Add", {product, onnx.tensor(2)}) : product);
}

void matmul(OnnxLowering& onnx) { onnx.result(onnx.add("MatMul", {onnx.tensor(0), onnx.tensor(1)})); }

void addmm(OnnxLowering& onnx) {
  OnnxLowering::Attributes attributes;
  if (onnx.operands().number(3) != 1.0) attributes.push_back({"beta", onnx.operands().number(3)});
  if (onnx.operands().number(4) != 1.0) attributes.push_back({"alpha", onnx.operands().number(4)});
  onnx.result(onnx.add("Gemm", {onnx.tensor(1), onnx.tensor(2), onnx.tensor(0)}, attributes));
}

void add_product(OnnxLowering& onnx) { add_scaled(onnx, onnx.add("MatMul", {onnx.tensor(1), onnx.tensor(2)})); }

void addbmm(OnnxLowering& onnx) {
  const Name products = onnx.add("MatMul", {onnx.tensor(1), onnx.tensor(2)});
  add_scaled(onnx, onnx.reduce("ReduceSum", products, {0}, false));
}

void outer(OnnxLowering& onnx) { onnx.result(outer_product(onnx, 0)); }

void addr(OnnxLowering& onnx) { add_scaled(onnx, outer_product(onnx, 1)); }

void inner(OnnxLowering& onnx) {
  const std::size_t left = onnx.operands().tensor(0).shape.size();
  const std::size_t right = onnx.operands().tensor(1).shape.size();
  if (left == 0 || right == 0) return binary<"Mul">(onnx);
  contract(onnx, left, right, {static_cast<std::int64_t>(left) - 1}, {static_cast<std::int64_t>(right) - 1});
}

void tensordot(OnnxLowering& onnx) {
  const Operands& operands = onnx.operands();
  contract(onnx, operands.tensor(0).shape.size(), operands.tensor(1).shape.size(), operands.integers(2),
           operands.integers(3));
}

/// From the left: the values are those of every order.
void multi_dot(OnnxLowering& onnx) {
  const Names matrices = onnx.tensors(0);
  Name product = matrices.at(0);
  for (std::size_t i = 1; i < matrices.size(); ++i) product = onnx.add("MatMul", {product, matrices[i]});
  onnx.result(product);
}

/// ONNX has no grouped product: the rows are split into the groups' parts, each of which meets its matrix.
void grouped_mm(OnnxLowering& onnx) {
  const Operands& operands = onnx.operands();
  const std::int64_t groups = operands.tensor(1, 3).shape[0];
  const bool biased = operands.size() > 3 && operands.has(3);
  if (groups == kDynamic || !operands.has(2) || biased) onnx.unsupported("an open number of groups, or a bias");
  const Name ends = onnx.tensor(2, DType::kInt64);
  const Name all_but_last = onnx.slice(ends, 0, onnx.integer_constants({0}), onnx.integer_constants({groups - 1}));
  const Name begins = onnx.concat({onnx.integer_constants({0}), all_but_last}, 0);
  const Name sizes = onnx.add("Sub", {ends, begins});
  const Names parts =
      onnx.add_many("Split", {onnx.tensor(0), sizes}, static_cast<std::size_t>(groups), {{"axis", std::int64_t{0}}});
  Names products;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    products.push_back(onnx.add("MatMul", {parts[i], onnx.pick(onnx.tensor(1), i)}));
  }
  onnx.result(products.size() == 1 ? products[0] : onnx.concat(products, 0));
}

void einsum(OnnxLowering& onnx) {
  onnx.result(onnx.add("Einsum", onnx.tensors(1), {{"equation", std::string(onnx.operands().text(0))}}));
}

std::vector<std::int64_t> padding_by_name(const Operands& operands, const std::vector<std::int64_t>& dilation) {
  const std::string_view name = operands.text(operands.position("padding"));
  if (name != "same" && name != "valid") {
    throw Error(ErrorKind::kBadInput,
                operands.node().op + ": padding '" + std::string(name) + "' is neither valid nor same");
  }
  const Shape& weight = operands.tensor(1, 3).shape;
  std::vector<std::int64_t> sizes(dilation.size(), 0);
  for (std::size_t i = 0; i < sizes.size() && name == "same"; ++i) sizes[i] = dilation[i] * (weight.at(2 + i) - 1);
  return sizes;
}

void convolution(OnnxLowering& onnx) { convolve(onnx, "Conv", convolution_attributes(onnx)); }

void transposed_convolution(OnnxLowering& onnx) {
  OnnxLowering::Attributes attributes = convolution_attributes(onnx);
  const std::size_t count = onnx.operands().tensor(1, 2).shape.size() - 2;
  attributes.push_back({"output_padding", spatial(onnx, "output_padding", count)});
  convolve(onnx, "ConvTranspose", attributes);
}

}  // namespace nongemm::onnx_rules
