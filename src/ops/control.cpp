// Operators of our own: what a graph needs beside the dispatcher's operators to say what eager Python does.
// They cost next to nothing themselves; the nodes of a loop's body are measured like all others.
#include <array>

#include "ops/entries.h"
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

/// The builder types the results of a control node, from its blocks (Builder::branch, Builder::foreach).
std::vector<Type> from_blocks(const Operands& operands) {
  std::vector<Type> types;
  for (const ValueId id : operands.node().outputs) types.push_back(operands.graph().values[id].type);
  return types;
}

constexpr OpEntry entry(std::string_view schema, std::string_view variant, InferRule infer) {
  return {.schema = schema, .group = Group::kControl, .variant = variant, .traits = {}, .infer = infer};
}

constexpr std::array kEntries = {
    // Reads a dimension on the host, no device work.
    entry("aten::sym_size.int(Tensor self, int dim) -> SymInt", "Size", scalar_int),
    entry("nongemm::numel(Tensor self) -> int", "Size", scalar_int),
    // Python's own arithmetic on numbers that came from item().
    entry("nongemm::int_constant(int value) -> int", "HostArithmetic", scalar_int),
    entry("nongemm::int_max(int a, int b) -> int", "HostArithmetic", scalar_int),
    entry("nongemm::int_greater(int a, int b) -> bool", "HostArithmetic", host_bool),
    // Whether self[start:end] leaves anything out along `dim`: if not, Python's indexing dispatches nothing.
    entry("nongemm::slice_cuts(Tensor self, int dim, int start, int end) -> bool", "HostArithmetic", host_bool),
    // Static views of a graph (streams, figures before a run) take the first block in `expected` of all cases, and walk
    // a loop `expected` times.
    entry("nongemm::if(bool condition, float expected) -> Tensor[]", "If", from_blocks),
    entry("nongemm::foreach(Tensor[] lists, int expected) -> Tensor[]", "ForEach", from_blocks),
};

}  // namespace

std::span<const OpEntry> control_entries() { return kEntries; }

}  // namespace nongemm
