// Collectives. Those of the functional kind (torch.distributed._functional_collectives) give a result that must be
// waited for; torch.distributed.all_reduce(tensor), which is no operator that a graph could name (its group is an
// object), adds up in place. Ranks are those of the group that is named.
#include <array>

#include "base/error.h"
#include "ops/entries.h"
#include "ops/rules.h"

namespace nongemm {
namespace {

using namespace rules;

std::vector<Type> infer_all_reduce(const Operands& operands) {
  const Type& input = operands.tensor(0);
  return {tensor_type(input.dtype, input.shape)};
}

std::int64_t group_size(const Operands& operands, std::size_t position) {
  const std::int64_t ranks = operands.integer(position);
  if (ranks < 1) throw Error(ErrorKind::kBadInput, operands.node().op + ": a group of " + std::to_string(ranks));
  return ranks;
}

/// The ranks' tensors one after another in the first dimension.
std::vector<Type> infer_all_gather(const Operands& operands) {
  const Type& input = operands.tensor(0, 1);
  Type result = tensor_type(input.dtype, input.shape);
  if (result.shape[0] != kDynamic) result.shape[0] *= group_size(operands, 1);
  return {result};
}

/// The sum's part of the rank in the first dimension.
std::vector<Type> infer_reduce_scatter(const Operands& operands) {
  const Type& input = operands.tensor(0, 1);
  const std::int64_t ranks = group_size(operands, 2);
  Type result = tensor_type(input.dtype, input.shape);
  if (result.shape[0] != kDynamic && result.shape[0] % ranks != 0) {
    throw Error(ErrorKind::kBadInput, operands.node().op + ": " + std::to_string(result.shape[0]) +
                                          " rows do not divide by " + std::to_string(ranks) + " ranks");
  }
  if (result.shape[0] != kDynamic) result.shape[0] /= ranks;
  return {result};
}

/// As many rows as the other ranks send.
std::vector<Type> infer_all_to_all(const Operands& operands) {
  const Type& input = operands.tensor(0, 1);
  Type result = tensor_type(input.dtype, input.shape);
  std::int64_t rows = 0;
  for (const std::int64_t size : operands.integers(1))
    rows = size == kDynamic || rows == kDynamic ? kDynamic : rows + size;
  result.shape[0] = rows;
  return {result};
}

/// The tensor itself, complete.
std::vector<Type> infer_wait(const Operands& operands) {
  Type result = operands.tensor(0);
  result.alias = true;
  return {result};
}

/// One addition for each element of the other ranks, which only the group knows; of two, one. What crosses the link is
/// told by the limits of collectives, bytes here are those of the rank's memory.
constexpr OpEntry entry(std::string_view schema, std::string_view variant, InferRule infer, CostRule cost,
                        Traits traits) {
  return {.schema = schema,
          .group = Group::kCommunication,
          .variant = variant,
          .traits = traits,
          .infer = infer,
          .cost = cost};
}

constexpr Traits kMoves = {.single_operation = true, .single_operand = true};
constexpr Traits kReduces = {.single_operand = true, .reduction = true};

constexpr std::array kEntries = {
    entry("_c10d_functional::all_reduce(Tensor input, str reduce_op, str group_name) -> Tensor", "AllReduce",
          infer_all_reduce, per_output<1>, kReduces),
    entry("nongemm::all_reduce_(Tensor(a!) input, str reduce_op, str group_name) -> Tensor(a!)", "AllReduce", in_place,
          per_output<1>, kReduces),
    entry("_c10d_functional::all_gather_into_tensor(Tensor input, int group_size, str group_name) -> Tensor",
          "AllGather", infer_all_gather, moves, kMoves),
    entry("_c10d_functional::reduce_scatter_tensor(Tensor input, str reduce_op, int group_size, str group_name) -> "
          "Tensor",
          "ReduceScatter", infer_reduce_scatter, per_output<1>, kReduces),
    entry("_c10d_functional::all_to_all_single(Tensor input, SymInt[] output_split_sizes, SymInt[] input_split_sizes, "
          "str group_name) -> Tensor",
          "AllToAll", infer_all_to_all, moves, kMoves),
    entry("_c10d_functional::wait_tensor(Tensor tensor) -> Tensor", "Wait", infer_wait, moves_unless_view, kMoves),
};

}  // namespace

std::span<const OpEntry> communication_entries() { return kEntries; }

}  // namespace nongemm
