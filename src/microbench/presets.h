// Calls as models make them: derived from the graphs that are built, never from a list of ours.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "microbench/call.h"
#include "microbench/operators.h"
#include "spec/model_options.h"

namespace nongemm::microbench {

/// A distinct call of one or several models.
struct ModelCall {
  Call call;
  std::string model;  // the first that makes it
  std::int64_t nodes = 0;
};

/// Every distinct call of a graph whose operator is in a wanted group, in order of first use. Calls with an operand
/// that only the run knows are left out.
/// @param wanted decides by the operator's group
std::vector<ModelCall> calls_of(const Graph& graph, const std::function<bool(Group)>& wanted,
                                const SchemaSource& runtime);

/// "all": the non-GEMM operators of all models of the registry; a model: its non-GEMM operators; a group
/// ("activation"): the operators of all models in it. Throws Error(kUsage) with the nearest names.
/// @param options what the models are built for
/// @param skipped models among many that cannot be built for these options, with the reason
std::vector<ModelCall> preset_calls(const std::string& preset, const ModelOptions& options, const SchemaSource& runtime,
                                    std::vector<std::string>& skipped);

}  // namespace nongemm::microbench
