// How the products of a quantized model ran: kernels for few bits take some types and sizes only, and what they do not
// take is filled up or runs otherwise.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/analysis.h"
#include "record/kernel_sums.h"

namespace nongemm {

/// Products that ran alike. Per inference.
struct ProductRow {
  std::string way;     // "int8, cuBLASLt"
  std::string reason;  // why not as they are; empty where they did
  std::int64_t products = 0;
  double time_s = 0;
  std::vector<Type> operands;  // of the one that took longest

  double longest_s = -1;
};

/// All products of the group GEMM, in the order of their first use.
/// @param graph of the quantized model
/// @param analysis of its run; steps of a runtime of its own are told by their names
/// @param kernels of the node pass; what they do not tell follows from sizes and types
std::vector<ProductRow> quantized_products(const Graph& graph, const Analysis& analysis,
                                           const std::vector<KernelSum>& kernels);

}  // namespace nongemm
