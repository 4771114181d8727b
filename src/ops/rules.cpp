#include "ops/rules.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"

namespace nongemm::rules {

Type tensor_type(DType dtype, Shape shape) {
  Type type;
  type.dtype = dtype;
  type.shape = std::move(shape);
  return type;
}

std::size_t wrap_dim(std::int64_t dim, std::size_t rank) {
  const auto signed_rank = static_cast<std::int64_t>(std::max<std::size_t>(rank, 1));
  if (dim < -signed_rank || dim >= signed_rank) {
    throw Error(ErrorKind::kBadInput,
                "dimension " + std::to_string(dim) + " is out of range for rank " + std::to_string(rank));
  }
  return static_cast<std::size_t>(dim < 0 ? dim + signed_rank : dim);
}

std::size_t sized_dim(std::int64_t dim, const Shape& shape) {
  if (shape.empty()) throw Error(ErrorKind::kBadInput, "a tensor without dimensions has no size");
  return wrap_dim(dim, shape.size());
}

Shape broadcast(const Shape& a, const Shape& b) {
  const std::size_t rank = std::max(a.size(), b.size());
  Shape result(rank, 1);
  for (std::size_t i = 0; i < rank; ++i) {  // i counts from the last dimension
    const std::int64_t x = i < a.size() ? a[a.size() - 1 - i] : 1;
    const std::int64_t y = i < b.size() ? b[b.size() - 1 - i] : 1;
    std::int64_t& out = result[rank - 1 - i];
    if (x == y || y == 1) {
      out = x;
    } else if (x == 1) {
      out = y;
    } else if (x == kDynamic || y == kDynamic) {
      out = x == kDynamic ? y : x;  // must be equal at run time
    } else {
      throw Error(ErrorKind::kBadInput, "shapes " + to_string(a) + " and " + to_string(b) + " do not broadcast");
    }
  }
  return result;
}

Shape strides_of(const Type& type) { return type.strides.empty() ? contiguous_strides(type.shape) : type.strides; }

namespace {

/// Dimensions from the outermost to the innermost in memory.
std::vector<std::size_t> memory_order(const Type& type) {
  const Shape strides = strides_of(type);
  std::vector<std::size_t> order(type.shape.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    // A dimension of size 1 has no place of its own in memory and keeps its position.
    if (type.shape[a] == 1 || type.shape[b] == 1) return false;
    return strides[a] > strides[b];
  });
  return order;
}

Shape dense_strides(const Shape& shape, const std::vector<std::size_t>& order) {
  Shape strides(shape.size(), 1);
  std::int64_t step = 1;
  for (std::size_t i = order.size(); i-- > 0;) {
    strides[order[i]] = step;
    step =
        shape[order[i]] == kDynamic || step == kDynamic ? kDynamic : step * std::max<std::int64_t>(shape[order[i]], 1);
  }
  return strides;
}

/// The result of an element-wise operator keeps the memory order of its first full-sized operand.
Type elementwise_result(const Operands& operands, DType dtype) {
  Shape shape;
  std::vector<const Type*> tensors;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    if (!operands.is_tensor(i)) continue;
    tensors.push_back(&operands.tensor(i));
    shape = broadcast(shape, tensors.back()->shape);
  }
  Type result = tensor_type(dtype, shape);
  for (const Type* operand : tensors) {
    if (operand->shape != shape || operand->strides.empty()) {
      if (operand->shape == shape) break;
      continue;
    }
    const Shape strides = strides_of(*operand);
    if (std::find(strides.begin(), strides.end(), 0) != strides.end()) continue;
    result.strides = dense_strides(shape, memory_order(*operand));
    break;
  }
  if (is_contiguous(result)) result.strides.clear();
  return result;
}

enum class Category { kNone, kBool, kInt, kFloat, kComplex };

Category category(DType dtype) {
  if (dtype == DType::kUndefined) return Category::kNone;
  if (dtype == DType::kBool) return Category::kBool;
  if (is_complex(dtype)) return Category::kComplex;
  return is_floating(dtype) ? Category::kFloat : Category::kInt;
}

/// Whether `lower` is of a lower category. A complex number's parts are then as exact as the real ones it meets.
DType above(DType higher, DType lower) {
  if (!is_complex(higher) || !is_floating(lower)) return higher;
  return std::max(higher, complex_of(lower));
}

[[noreturn]] void refuse_promotion(DType a, DType b) {
  throw Error(ErrorKind::kUnsupported,
              "PyTorch has no common type for " + std::string(name_of(a)) + " and " + std::string(name_of(b)),
              "convert one of them first");
}

DType promote(DType a, DType b) {
  if (a == b || b == DType::kUndefined) return a;
  if (a == DType::kUndefined) return b;
  const auto is_float8 = [](DType type) { return is_floating(type) && size_of(type) == 1; };
  if (is_float8(a) || is_float8(b)) refuse_promotion(a, b);
  if (category(a) != category(b)) return category(a) > category(b) ? above(a, b) : above(b, a);
  const auto stands_alone = [](DType type) {
    return info(type).bits == 4 || type == DType::kUInt16 || type == DType::kUInt32 || type == DType::kUInt64;
  };
  if (stands_alone(a) || stands_alone(b)) refuse_promotion(a, b);
  const bool halves =
      (a == DType::kFloat16 && b == DType::kBFloat16) || (a == DType::kBFloat16 && b == DType::kFloat16);
  if (halves) return DType::kFloat32;
  if ((a == DType::kUInt8 && b == DType::kInt8) || (a == DType::kInt8 && b == DType::kUInt8)) return DType::kInt16;
  return std::max(a, b);
}

}  // namespace

bool is_dense(const Type& type) {
  if (type.strides.empty()) return true;
  Type reordered = type;
  const std::vector<std::size_t> order = memory_order(type);
  for (std::size_t i = 0; i < order.size(); ++i) {
    reordered.shape[i] = type.shape[order[i]];
    reordered.strides[i] = type.strides[order[i]];
  }
  return is_contiguous(reordered);
}

bool is_channels_last(const Type& type) {
  return type.shape.size() == 4 && !is_contiguous(type) && is_dense(type) && strides_of(type)[1] == 1;
}

void lay_channels_last(Type& type) {
  const Shape& s = type.shape;
  type.strides = {s[1] * s[2] * s[3], 1, s[3] * s[1], s[1]};
  if (is_contiguous(type)) type.strides.clear();
}

DType promoted_dtype(const Operands& operands) {
  // Tensors with dimensions outrank zero-dimensional ones, which outrank Python numbers, within a category.
  DType dimensioned = DType::kUndefined;
  DType zero_dim = DType::kUndefined;
  DType number = DType::kUndefined;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    if (operands.is_tensor(i)) {
      const Type& type = operands.tensor(i);
      DType& rank = type.shape.empty() ? zero_dim : dimensioned;
      rank = promote(rank, type.dtype);
    } else if (operands.has(i)) {
      const Argument& raw = operands.raw(i);
      const SchemaArg& arg = operands.schema().args[i];
      if (arg.kind != ArgKind::kTensor && arg.kind != ArgKind::kScalar) continue;
      if (arg.name == "alpha") continue;
      if (operands.is_float(i)) {
        number = promote(number, DType::kFloat32);
      } else if (std::holds_alternative<bool>(raw)) {
        number = promote(number, DType::kBool);
      } else {
        number = promote(number, DType::kInt64);
      }
    }
  }
  DType result = dimensioned;
  for (const DType lesser : {zero_dim, number}) {
    // Real tensors that meet a complex number without dimensions become complex, their exactness stays.
    if (category(lesser) > category(result)) {
      result = is_complex(lesser) && is_floating(result) ? complex_of(result) : lesser;
    }
  }
  return result;
}

bool view_strides(const Type& type, const Shape& shape, Shape& strides) {
  // The rule of the PyTorch manual for Tensor.view: each new dimension must be cut from, or span, old dimensions
  // that are contiguous with one another.
  if (std::find(type.shape.begin(), type.shape.end(), kDynamic) != type.shape.end() ||
      std::find(shape.begin(), shape.end(), kDynamic) != shape.end()) {
    strides.clear();
    return is_contiguous(type);
  }
  if (element_count(shape) == 0 || type.shape.empty()) {
    strides = contiguous_strides(shape);
    return true;
  }
  const Shape old_strides = strides_of(type);
  strides.assign(shape.size(), 1);
  auto new_dim = static_cast<std::int64_t>(shape.size()) - 1;
  std::int64_t chunk_stride = old_strides.back();
  std::int64_t old_count = 1;
  std::int64_t new_count = 1;
  for (std::size_t i = type.shape.size(); i-- > 0;) {
    old_count *= type.shape[i];
    const bool chunk_ends = i == 0 || (type.shape[i - 1] != 1 && old_strides[i - 1] != old_count * chunk_stride);
    if (!chunk_ends) continue;
    while (new_dim >= 0 && (new_count < old_count || shape[static_cast<std::size_t>(new_dim)] == 1)) {
      strides[static_cast<std::size_t>(new_dim)] = new_count * chunk_stride;
      new_count *= shape[static_cast<std::size_t>(new_dim)];
      --new_dim;
    }
    if (new_count != old_count) return false;
    if (i > 0) {
      chunk_stride = old_strides[i - 1];
      old_count = 1;
      new_count = 1;
    }
  }
  return new_dim == -1;
}

Shape resolve_sizes(const Operands& operands, std::size_t arg, const Shape& from) {
  const auto* sizes = std::get_if<std::vector<Int>>(&operands.raw(arg));
  if (sizes == nullptr) return operands.integers(arg);
  Shape shape;
  std::int64_t known = 1;
  int inferred = -1;
  bool dynamic = false;
  for (const Int& size : *sizes) {
    if (!size.known()) {
      dynamic = true;
      shape.push_back(kDynamic);
    } else if (size.value == -1) {
      inferred = static_cast<int>(shape.size());
      shape.push_back(kDynamic);
    } else {
      known *= size.value;
      shape.push_back(size.value);
    }
  }
  const std::int64_t total = element_count(from);
  if (dynamic || total == kDynamic) return shape;
  if (inferred >= 0 && known != 0 && total % known == 0) {
    shape[static_cast<std::size_t>(inferred)] = total / known;
  }
  if (element_count(shape) != total) {
    throw Error(ErrorKind::kBadInput, operands.node().op + ": shape " + to_string(from) + " cannot become " +
                                          to_string(operands.integers(arg)));
  }
  return shape;
}

std::vector<Type> elementwise(const Operands& operands) {
  return {elementwise_result(operands, promoted_dtype(operands))};
}

std::vector<Type> elementwise_float(const Operands& operands) {
  const DType dtype = promoted_dtype(operands);
  return {elementwise_result(operands, is_floating(dtype) || is_complex(dtype) ? dtype : DType::kFloat32)};
}

std::vector<Type> comparison(const Operands& operands) { return {elementwise_result(operands, DType::kBool)}; }

std::vector<Type> in_place(const Operands& operands) { return alias_of_first(operands); }

std::vector<Type> like_first(const Operands& operands) {
  Type result = operands.tensor(0);
  result.alias = false;
  if (!result.strides.empty() && !is_dense(result)) {
    result.strides = dense_strides(result.shape, memory_order(result));
  }
  if (is_contiguous(result)) result.strides.clear();
  return {result};
}

std::vector<Type> map_like_first(const Operands& operands) {
  Type result = contiguous_like_first(operands)[0];
  if (is_channels_last(operands.tensor(0))) lay_channels_last(result);
  return {result};
}

std::vector<Type> contiguous_like_first(const Operands& operands) {
  return {tensor_type(operands.tensor(0).dtype, operands.tensor(0).shape)};
}

std::vector<Type> alias_of_first(const Operands& operands) {
  Type result = operands.tensor(0);
  result.alias = true;
  return {result};
}

std::vector<Type> reduce_dims(const Operands& operands) {
  const Type& self = operands.tensor(0);
  const Schema& schema = operands.schema();
  const int dim_arg = schema.find_arg("dim");
  const int keep_arg = schema.find_arg("keepdim");
  const int dtype_arg = schema.find_arg("dtype");
  const bool keep = keep_arg >= 0 && operands.flag(static_cast<std::size_t>(keep_arg));
  std::vector<bool> reduced(self.shape.size(), dim_arg < 0 || !operands.has(static_cast<std::size_t>(dim_arg)));
  if (dim_arg >= 0 && operands.has(static_cast<std::size_t>(dim_arg))) {
    const std::vector<std::int64_t> dims = operands.integers(static_cast<std::size_t>(dim_arg));
    if (dims.empty()) std::fill(reduced.begin(), reduced.end(), true);
    for (std::int64_t dim : dims) {
      if (!self.shape.empty()) reduced[wrap_dim(dim, self.shape.size())] = true;
    }
  }
  Shape shape;
  for (std::size_t i = 0; i < self.shape.size(); ++i) {
    if (!reduced[i]) {
      shape.push_back(self.shape[i]);
    } else if (keep) {
      shape.push_back(1);
    }
  }
  DType dtype = self.dtype;
  if (dtype_arg >= 0) dtype = operands.dtype(static_cast<std::size_t>(dtype_arg), dtype);
  return {tensor_type(dtype, shape)};
}

std::vector<Type> scalar_int(const Operands&) {
  Type type;
  type.kind = Type::Kind::kInt;
  type.dtype = DType::kInt64;
  return {type};
}

double count_of(const Type& type) {
  if (type.kind == Type::Kind::kTensorList) return kUnknownWork;
  if (type.kind != Type::Kind::kTensor) return 0.0;  // a number on the host
  const std::int64_t count = element_count(type.shape);
  return count == kDynamic ? kUnknownWork : static_cast<double>(count);
}

double bytes_of(const Type& type) {
  const double count = count_of(type);
  if (count == 0) return 0.0;
  return type.dtype == DType::kUndefined ? kUnknownWork : count * info(type.dtype).bits / 8.0;
}

Cost traffic(const Operands& operands, std::span<const Type> results) {
  Cost cost;
  for (const Argument& argument : operands.node().args) {
    if (std::holds_alternative<std::vector<Int>>(argument)) continue;
    for_each_use(argument, [&](ValueId id) {
      const Type& type = operands.graph().values[id].type;
      double bytes = bytes_of(type);
      // An expanded operand is read from a smaller memory: stride 0 repeats the same elements.
      for (std::size_t i = 0; i < type.strides.size(); ++i) {
        if (type.strides[i] == 0 && type.shape[i] > 1) bytes /= static_cast<double>(type.shape[i]);
      }
      cost.bytes_read += bytes;
    });
  }
  for (const Type& result : results) cost.bytes_written += bytes_of(result);
  return cost;
}

Cost moves(const Operands& operands, std::span<const Type> results) { return traffic(operands, results); }

Cost moves_unless_view(const Operands& operands, std::span<const Type> results) {
  return !results.empty() && results[0].alias ? Cost{} : traffic(operands, results);
}

}  // namespace nongemm::rules
