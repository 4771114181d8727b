// Which modules of a model are cut among ranks, and how.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nongemm::passes {

/// How a linear layer is cut. The names are those of transformers' tensor-parallel plans.
enum class Cut : std::uint8_t {
  kColumns,   // colwise: each rank has some of the outputs
  kRows,      // rowwise: each rank has some of the inputs; the results are summed over all ranks
  kGathered,  // colwise_gather_output: as columns, and every rank gets all outputs
  kWhole,     // each rank has all of it
};

struct PlanRow {
  /// The end of a module's path, or of a parameter's; `*` stands for one name: "layers.*.self_attn.q_proj".
  std::string module;
  Cut cut = Cut::kWhole;
};

struct ParallelPlan {
  std::string source;  // for messages: "llama", or a file
  std::vector<PlanRow> rows;

  /// The row that a module falls under; nullptr for none.
  const PlanRow* find(std::string_view module) const;
};

/// The built-in plan of an architecture (config.json's model_type).
/// @throws Error (kUnsupported) for one that has none, naming those that do
ParallelPlan plan_of(std::string_view architecture);

/// A TOML file: a table [plan] of modules and cuts. @throws Error (kIo, kBadInput) naming file and row
ParallelPlan read_plan_file(const std::string& path);

/// Architectures with a plan.
std::vector<std::string> planned_architectures();

}  // namespace nongemm::passes
