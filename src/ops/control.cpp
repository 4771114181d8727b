// Operators of our own: what a graph needs beside the dispatcher's operators to say what eager Python does.
// They cost next to nothing themselves; the nodes of a loop's body are measured like all others.
#include <array>

#include "ops/entries.h"
#include "ops/onnx_rules.h"
#include "ops/rules.h"

namespace nongemm {
namespace {

using namespace rules;

std::vector<Type> host_bool(const Operands&) {
  Type type;
  type.kind = Type::Kind::kBool;
  type.dtype = DType::kBool;
  return {type};
}

std::vector<Type> host_float(const Operands&) {
  Type type;
  type.kind = Type::Kind::kFloat;
  type.dtype = DType::kFloat64;
  return {type};
}

/// The builder types the results of a control node, from its blocks (Builder::branch, Builder::foreach).
std::vector<Type> from_blocks(const Operands& operands) {
  std::vector<Type> types;
  for (const ValueId id : operands.node().outputs) types.push_back(operands.graph().values[id].type);
  return types;
}

// --- ONNX; branches and loops have blocks, which onnx/ lowers itself ---
void size(OnnxLowering& onnx) {
  const Type& self = onnx.operands().tensor(0);
  const std::size_t dim = sized_dim(onnx.operands().integer(1), self.shape);
  if (self.shape[dim] != kDynamic) return onnx.result(onnx.integer_constant(self.shape[dim]));
  onnx.result(onnx.pick(onnx.shape_of(onnx.tensor(0)), dim));
}

void count_elements(OnnxLowering& onnx) { onnx.result(onnx.add("Size", {onnx.tensor(0)})); }
void known_number(OnnxLowering& onnx) { onnx.result(onnx.integer(0)); }
void sum(OnnxLowering& onnx) { onnx.result(onnx.add("Add", {onnx.integer(0), onnx.integer(1)})); }
void difference(OnnxLowering& onnx) { onnx.result(onnx.add("Sub", {onnx.integer(0), onnx.integer(1)})); }
void product(OnnxLowering& onnx) { onnx.result(onnx.add("Mul", {onnx.integer(0), onnx.integer(1)})); }
/// ONNX rounds towards zero: the same for sizes, which are not negative.
void quotient(OnnxLowering& onnx) { onnx.result(onnx.add("Div", {onnx.integer(0), onnx.integer(1)})); }
void remainder(OnnxLowering& onnx) { onnx.result(onnx.add("Mod", {onnx.integer(0), onnx.integer(1)})); }
void smaller(OnnxLowering& onnx) { onnx.result(onnx.add("Min", {onnx.integer(0), onnx.integer(1)})); }
void larger(OnnxLowering& onnx) { onnx.result(onnx.add("Max", {onnx.integer(0), onnx.integer(1)})); }
void greater(OnnxLowering& onnx) { onnx.result(onnx.add("Greater", {onnx.integer(0), onnx.integer(1)})); }

OnnxLowering::Name floating(OnnxLowering& onnx, std::size_t i) { return onnx.tensor(i, DType::kFloat64); }
void float_of(OnnxLowering& onnx) { onnx.result(floating(onnx, 0)); }
void float_sum(OnnxLowering& onnx) { onnx.result(onnx.add("Add", {floating(onnx, 0), floating(onnx, 1)})); }
void float_difference(OnnxLowering& onnx) { onnx.result(onnx.add("Sub", {floating(onnx, 0), floating(onnx, 1)})); }
void float_product(OnnxLowering& onnx) { onnx.result(onnx.add("Mul", {floating(onnx, 0), floating(onnx, 1)})); }
void float_quotient(OnnxLowering& onnx) { onnx.result(onnx.add("Div", {floating(onnx, 0), floating(onnx, 1)})); }

void slice_cuts(OnnxLowering& onnx) {
  const Type& self = onnx.operands().tensor(0);
  const std::size_t dim = sized_dim(onnx.operands().integer(1), self.shape);
  const auto size = onnx.squeeze(onnx.size_of(onnx.tensor(0), self, dim), 0);
  const auto before = onnx.add("Greater", {onnx.integer(2), onnx.integer_constant(0)});
  onnx.result(onnx.add("Or", {before, onnx.add("Less", {onnx.integer(3), size})}));
}

constexpr OpEntry entry(std::string_view schema, std::string_view variant, InferRule infer, LowerRule lower) {
  return {.schema = schema, .group = Group::kControl, .variant = variant, .traits = {}, .infer = infer, .lower = lower};
}

constexpr std::array kEntries = {
    // Reads a dimension on the host, no device work.
    entry("aten::sym_size.int(Tensor self, int dim) -> SymInt", "Size", scalar_int, size),
    entry("aten::sym_numel(Tensor self) -> SymInt", "Size", scalar_int, count_elements),
    entry("aten::sym_stride.int(Tensor self, int dim) -> SymInt", "Size", scalar_int, nullptr),
    entry("aten::sym_storage_offset(Tensor self) -> SymInt", "Size", scalar_int, nullptr),
    entry("nongemm::numel(Tensor self) -> int", "Size", scalar_int, count_elements),
    // Python's own arithmetic on numbers that came from item().
    entry("nongemm::int_constant(int value) -> int", "HostArithmetic", scalar_int, known_number),
    entry("nongemm::int_add(int a, int b) -> int", "HostArithmetic", scalar_int, sum),
    entry("nongemm::int_sub(int a, int b) -> int", "HostArithmetic", scalar_int, difference),
    entry("nongemm::int_mul(int a, int b) -> int", "HostArithmetic", scalar_int, product),
    entry("nongemm::int_floor_divide(int a, int b) -> int", "HostArithmetic", scalar_int, quotient),
    entry("nongemm::int_remainder(int a, int b) -> int", "HostArithmetic", scalar_int, remainder),
    entry("nongemm::int_min(int a, int b) -> int", "HostArithmetic", scalar_int, smaller),
    entry("nongemm::int_max(int a, int b) -> int", "HostArithmetic", scalar_int, larger),
    entry("nongemm::int_greater(int a, int b) -> bool", "HostArithmetic", host_bool, greater),
    entry("nongemm::float(float value) -> float", "HostArithmetic", host_float, float_of),
    entry("nongemm::float_add(float a, float b) -> float", "HostArithmetic", host_float, float_sum),
    entry("nongemm::float_sub(float a, float b) -> float", "HostArithmetic", host_float, float_difference),
    entry("nongemm::float_mul(float a, float b) -> float", "HostArithmetic", host_float, float_product),
    entry("nongemm::float_divide(float a, float b) -> float", "HostArithmetic", host_float, float_quotient),
    // Whether self[start:end] leaves anything out along `dim`: if not, Python's indexing dispatches nothing.
    entry("nongemm::slice_cuts(Tensor self, int dim, int start, int end) -> bool", "HostArithmetic", host_bool,
          slice_cuts),
    // Static views of a graph (streams, figures before a run) take the first block in `expected` of all cases, and walk
    // a loop `expected` times.
    entry("nongemm::if(bool condition, float expected) -> Tensor[]", "If", from_blocks, nullptr),
    entry("nongemm::foreach(Tensor[] lists, int expected) -> Tensor[]", "ForEach", from_blocks, nullptr),
};

}  // namespace

std::span<const OpEntry> control_entries() { return kEntries; }

}  // namespace nongemm
