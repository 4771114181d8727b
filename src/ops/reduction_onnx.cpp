// ONNX rules of reduction.cpp.
#include <algorithm>
#include <cmath>

#include "ops/onnx_rules.h"

namespace nongemm::onnx_rules {
namespace {

using Name = OnnxLowering::Name;

const Type& self(const OnnxLowering& onnx) { return onnx.operands().tensor(0); }

std::size_t optional_position(const OnnxLowering& onnx, std::string_view arg) {
  const int at = onnx.operands().schema().find_arg(arg);
  return at < 0 ? onnx.operands().size() : static_cast<std::size_t>(at);
}

bool keeps(const OnnxLowering& onnx) {
  const std::size_t at = optional_position(onnx, "keepdim");
  return at < onnx.operands().size() && onnx.operands().flag(at);
}

/// A reduction over the dimensions that the operator names, or all.
Name reduced(OnnxLowering& onnx, std::string_view type, Name value) {
  const std::size_t rank = self(onnx).shape.size();
  if (rank == 0) return value;
  return onnx.reduce(type, std::move(value), dimensions(onnx.operands(), optional_position(onnx, "dim"), rank),
                     keeps(onnx));
}

/// Truth values are reduced as integers.
void logical(OnnxLowering& onnx, std::string_view type) {
  const Name numbers = onnx.cast(onnx.tensor(0, DType::kBool), DType::kBool, DType::kInt32);
  onnx.result(onnx.cast(reduced(onnx, type, numbers), DType::kInt32, DType::kBool));
}

void extreme(OnnxLowering& onnx, std::string_view type) {
  if (self(onnx).dtype == DType::kBool) return logical(onnx, type);
  onnx.result(reduced(onnx, type, onnx.tensor(0)));
}

Name position(OnnxLowering& onnx, std::string_view type, Name value, std::size_t axis, bool keep) {
  return onnx.add(type, {std::move(value)},
                  {{"axis", static_cast<std::int64_t>(axis)}, {"keepdims", std::int64_t{keep}}});
}

void extreme_with_index(OnnxLowering& onnx, std::string_view value_type, std::string_view index_type) {
  const std::size_t axis = rules::wrap_dim(onnx.operands().integer(1), self(onnx).shape.size());
  onnx.result(reduced(onnx, value_type, onnx.tensor(0)));
  onnx.result(position(onnx, index_type, onnx.tensor(0), axis, keeps(onnx)));
}

void extreme_position(OnnxLowering& onnx, std::string_view type) {
  if (!onnx.operands().has(1)) return onnx.result(position(onnx, type, onnx.reshape(onnx.tensor(0), {-1}), 0, false));
  const std::size_t axis = rules::wrap_dim(onnx.operands().integer(1), self(onnx).shape.size());
  onnx.result(position(onnx, type, onnx.tensor(0), axis, keeps(onnx)));
}

void sorted(OnnxLowering& onnx, const Name& count, std::size_t axis, bool largest) {
  const OnnxLowering::Names both =
      onnx.add_many("TopK", {onnx.tensor(0), count}, 2,
                    {{"axis", static_cast<std::int64_t>(axis)}, {"largest", std::int64_t{largest}}});
  onnx.result(both[0]);
  onnx.result(both[1]);
}

}  // namespace

void sum(OnnxLowering& onnx) { onnx.result(reduced(onnx, "ReduceSum", onnx.tensor(0, onnx.result_type().dtype))); }
void mean(OnnxLowering& onnx) { onnx.result(reduced(onnx, "ReduceMean", onnx.tensor(0, onnx.result_type().dtype))); }
void max(OnnxLowering& onnx) { extreme(onnx, "ReduceMax"); }
void min(OnnxLowering& onnx) { extreme(onnx, "ReduceMin"); }
void max_with_index(OnnxLowering& onnx) { extreme_with_index(onnx, "ReduceMax", "ArgMax"); }
void min_with_index(OnnxLowering& onnx) { extreme_with_index(onnx, "ReduceMin", "ArgMin"); }

void argmax(OnnxLowering& onnx) { extreme_position(onnx, "ArgMax"); }
void argmin(OnnxLowering& onnx) { extreme_position(onnx, "ArgMin"); }
void prod(OnnxLowering& onnx) { onnx.result(reduced(onnx, "ReduceProd", onnx.tensor(0, onnx.result_type().dtype))); }

/// The sum of squared distances to the mean over their number less the correction: 1 unless something else is said.
void var(OnnxLowering& onnx) {
  const Operands& operands = onnx.operands();
  const Type& type = self(onnx);
  const std::vector<std::int64_t> axes = dimensions(operands, optional_position(onnx, "dim"), type.shape.size());
  double count = 1;
  for (const std::int64_t axis : axes) {
    const std::int64_t size = type.shape[static_cast<std::size_t>(axis)];
    if (size == kDynamic) onnx.unsupported("a variance over a size that only the run knows");
    count *= static_cast<double>(size);
  }
  const int unbiased = operands.schema().find_arg("unbiased");
  const std::size_t given = optional_position(onnx, "correction");
  double correction = 1;
  if (unbiased >= 0 && !operands.flag(static_cast<std::size_t>(unbiased))) correction = 0;
  if (operands.has(given)) correction = operands.number(given);
  const DType wide = accumulation_dtype(type.dtype);
  const Name x = onnx.tensor(0, wide);
  const Name centred = onnx.add("Sub", {x, onnx.reduce("ReduceMean", x, axes, true)});
  const Name sum = onnx.reduce("ReduceSum", onnx.add("Mul", {centred, centred}), axes, keeps(onnx));
  const Name value = onnx.add("Div", {sum, onnx.scalar(std::max(count - correction, 0.0), wide)});
  onnx.result(onnx.cast(value, wide, type.dtype));
}

/// Each row of the first against each of the second.
namespace {

/// The p-norm of numbers along some dimensions.
Name norm(OnnxLowering& onnx, const Name& value, DType dtype, double p, const std::vector<std::int64_t>& axes,
          bool keep) {
  const auto reduced = [&](const char* type, const Name& of) {
    return axes.empty() ? of : onnx.reduce(type, of, axes, keep);  // a single number
  };
  const auto sum = [&](const Name& of) { return reduced("ReduceSum", of); };
  if (p == 2.0) return onnx.add("Sqrt", {sum(onnx.add("Mul", {value, value}))});
  const Name absolute = onnx.add("Abs", {value});
  if (p == 1.0) return sum(absolute);
  if (std::isinf(p)) return reduced(p > 0 ? "ReduceMax" : "ReduceMin", absolute);
  if (p == 0.0) {
    const Name zero = onnx.add("Equal", {value, onnx.scalar(0, dtype)});
    return sum(onnx.cast(onnx.add("Not", {zero}), DType::kBool, dtype));
  }
  return onnx.add("Pow", {sum(onnx.add("Pow", {absolute, onnx.scalar(p, dtype)})), onnx.scalar(1.0 / p, dtype)});
}

/// Of differences along the last dimension, which goes.
Name distance(OnnxLowering& onnx, const Name& difference, double p) {
  return norm(onnx, difference, self(onnx).dtype, p, {-1}, false);
}

}  // namespace

void cdist(OnnxLowering& onnx) {
  const Name difference = onnx.add("Sub", {onnx.unsqueeze(onnx.tensor(0), -2), onnx.unsqueeze(onnx.tensor(1), -3)});
  onnx.result(distance(onnx, difference, onnx.operands().number(2)));
}

/// Of each pair of rows once.
void pdist(OnnxLowering& onnx) {
  const std::int64_t rows = self(onnx).shape.at(0);
  if (rows == kDynamic) onnx.unsupported("of a number of rows that only the run knows");
  std::vector<std::int64_t> first;
  std::vector<std::int64_t> second;
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = i + 1; j < rows; ++j) {
      first.push_back(i);
      second.push_back(j);
    }
  }
  const Name a = onnx.gather(onnx.tensor(0), onnx.integer_constants(first));
  const Name b = onnx.gather(onnx.tensor(0), onnx.integer_constants(second));
  onnx.result(distance(onnx, onnx.add("Sub", {a, b}), onnx.operands().number(1)));
}

/// Summed in fp32 where the numbers are halves, as the original does.
void vector_norm(OnnxLowering& onnx) {
  const DType dtype = onnx.result_type().dtype;
  const DType wide = accumulation_dtype(dtype);
  const std::size_t rank = self(onnx).shape.size();
  const std::vector<std::int64_t> axes = dimensions(onnx.operands(), optional_position(onnx, "dim"), rank);
  onnx.result(
      onnx.cast(norm(onnx, onnx.tensor(0, wide), wide, onnx.operands().number(1), axes, keeps(onnx)), wide, dtype));
}

void all(OnnxLowering& onnx) { logical(onnx, "ReduceMin"); }
void any(OnnxLowering& onnx) { logical(onnx, "ReduceMax"); }

void cumsum(OnnxLowering& onnx) {
  const std::size_t axis = rules::wrap_dim(onnx.operands().integer(1), self(onnx).shape.size());
  const DType dtype = onnx.result_type().dtype;
  const bool half = dtype == DType::kFloat16 || dtype == DType::kBFloat16;
  const DType summed = half && !onnx.at_least(14) ? DType::kFloat32 : dtype;  // CumSum came without half types
  const Name axis_constant = onnx.integer_constant(static_cast<std::int64_t>(axis));
  onnx.result(onnx.cast(onnx.add("CumSum", {onnx.tensor(0, summed), axis_constant}), summed, dtype));
}

void topk(OnnxLowering& onnx) {
  const std::size_t axis = rules::wrap_dim(onnx.operands().integer(2), self(onnx).shape.size());
  sorted(onnx, onnx.integer_list_of_one(1), axis, onnx.operands().flag(3));
}

/// TopK of everything; like a stable sort it gives the lower index first among equals.
void sort(OnnxLowering& onnx) {
  const std::size_t axis = rules::wrap_dim(onnx.operands().integer(1), self(onnx).shape.size());
  sorted(onnx, onnx.size_of(onnx.tensor(0), self(onnx), axis), axis, onnx.operands().flag(2));
}

/// Each number's bin beside all bins, summed. The last bin holds its upper bound, too; numbers outside are not counted.
void histc(OnnxLowering& onnx) {
  const std::int64_t bins = onnx.operands().integer(1);
  const double low = onnx.operands().number(2);
  const double high = onnx.operands().number(3);
  // Equal bounds stand for those of the data, of which a single bin holds all.
  const bool holds_all = bins == 1 && low == high;
  if (!(low < high) && !holds_all) onnx.unsupported("bounds that are taken from the data");
  constexpr DType kFloat = DType::kFloat32;
  const Name values = onnx.reshape(onnx.tensor(0, kFloat), {-1, 1});
  const auto count = [&](const Name& hits) {
    const Name ones = onnx.cast(hits, DType::kBool, kFloat);
    onnx.result(onnx.cast(onnx.reduce("ReduceSum", ones, {0}, false), kFloat, onnx.result_type().dtype));
  };
  if (holds_all) return count(onnx.add("Equal", {values, values}));
  const Name above = onnx.add("Sub", {values, onnx.scalar(low, kFloat)});
  const Name scaled = onnx.add("Mul", {above, onnx.scalar(static_cast<double>(bins) / (high - low), kFloat)});
  const Name top = onnx.add("Equal", {values, onnx.scalar(high, kFloat)});
  const Name bin = onnx.add(
      "Where", {top, onnx.scalar(static_cast<double>(bins - 1), kFloat), onnx.add("Floor", {scaled})});  // [n, 1]
  const Name numbers = onnx.add(
      "Range", {onnx.scalar(0, kFloat), onnx.scalar(static_cast<double>(bins), kFloat), onnx.scalar(1, kFloat)});
  count(onnx.add("Equal", {bin, numbers}));  // [n, bins]
}

void unique(OnnxLowering& onnx) {
  const OnnxLowering::Names all = onnx.add_many("Unique", {onnx.tensor(0)}, 4, {{"sorted", std::int64_t{1}}});
  const Name none = onnx.integer_constants({});
  onnx.result(all[0]);
  onnx.result(onnx.operands().flag(2) ? onnx.reshape(all[2], self(onnx).shape) : none);
  onnx.result(onnx.operands().flag(3) ? all[3] : none);
}

}  // namespace nongemm::onnx_rules
