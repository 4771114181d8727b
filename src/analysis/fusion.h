// What a runtime's optimiser made of the graph: which operators ran fused with others, which vanished, which were
// added, and what that did to the time outside GEMM. The same definitions for every runtime that says what its steps
// cover (record/runtime_program.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/analysis.h"

namespace nongemm {

/// What kind of nodes one step does together. Views and other nodes that do no work are not counted.
enum class FusionPattern : std::uint8_t {
  kNone,              // one node, or a part of one
  kAttention,         // products around a softmax
  kGemmElementwise,   // a product with what follows or precedes it
  kReductionChain,    // normalization, softmax and the like with their neighbours
  kElementwiseChain,  // element-wise operators and copies
};
std::string_view title_of(FusionPattern pattern);

/// How the nodes of one operator fared.
struct OperatorFate {
  std::string op;
  Group group = Group::kOther;
  std::int64_t nodes = 0;
  std::int64_t fused_into_gemm = 0;
  std::int64_t fused_among_nongemm = 0;
  std::int64_t folded = 0;
  std::int64_t alone = 0;
  double alone_s = 0;  // time of the steps that are such a node alone
};

/// What became of one graph node.
struct NodeFate {
  enum class Kind : std::uint8_t { kNotFound, kFolded, kNoWork, kAlone, kAmongNongemm, kIntoGemm };
  const NodeRow* node = nullptr;  // of Analysis::graph_nodes
  Kind kind = Kind::kNotFound;
  NodeId step = kNoId;  // the first that covers it
  /// That cover it: several where it is computed in parts, or again because that is cheaper than keeping it.
  std::int64_t steps = 0;
};
std::string_view title_of(NodeFate::Kind kind);

struct PatternSum {
  FusionPattern pattern = FusionPattern::kNone;
  std::int64_t steps = 0;
  std::int64_t nodes = 0;  // that they cover
  double time_s = 0;
};

/// One operator group without fusion (the baseline) and with it.
struct GroupChange {
  Group group = Group::kOther;
  std::int64_t nodes = 0;  // of the graph that do work
  std::int64_t fused = 0;  // of these
  double before_s = 0;
  double after_s = 0;
};

/// One step as the report shows it.
struct StepRow {
  NodeRow row;
  std::string name;
  std::string provider;
  FusionPattern pattern = FusionPattern::kNone;
  std::string covers;  // "addmm, gelu (2), add"
  std::int64_t nodes = 0;
  std::int64_t repeated = 0;  // of these, those that a step before it covers, too
  bool opaque = false;
  bool added = false;
};

struct FusionAnalysis {
  // Graph nodes that do work and do not count as GEMM (AnalysisOptions).
  std::int64_t nongemm_nodes = 0;
  std::int64_t folded_nodes = 0;  // of these: computed at load, or dropped
  std::int64_t fused_into_gemm = 0;
  std::int64_t fused_among_nongemm = 0;
  std::int64_t in_several_steps = 0;  // of these

  std::int64_t steps = 0;
  std::int64_t added_steps = 0;
  double added_s = 0;
  std::int64_t copies_to_device = 0;
  std::int64_t copies_to_host = 0;
  double copied_bytes = 0;
  double copy_s = 0;

  double step_s = 0;    // of all steps
  double opaque_s = 0;  // inside fused blocks of which the runtime says nothing
  /// Shares of the steps that were not added, and of their time, whose graph nodes are known.
  double mapped_steps = 1;
  double mapped_time = 1;
  /// Share of graph nodes that some step covers or that were folded.
  double found_nodes = 1;

  double nongemm_s = 0;
  std::optional<double> baseline_nongemm_s;

  std::vector<OperatorFate> operators;  // non-GEMM, most nodes first
  std::vector<PatternSum> patterns;     // in the order of FusionPattern, those that occur
  std::vector<GroupChange> groups;      // in the order of Group, those that occur
  std::vector<StepRow> program;
  std::vector<NodeFate> nodes;  // by NodeId; valid as long as the analysis

  /// Share of non-GEMM nodes that do work at run time and ran in a step with another such node, or with a GEMM.
  double rate() const;
};

/// @param analysis of a measurement with a program (its `nodes` are the steps)
/// @param baseline the same graph in a flow that runs node by node; absent when there is none
FusionAnalysis analyse_fusion(const RuntimeProgram& program, const Analysis& analysis, const AnalysisOptions& options,
                              const Analysis* baseline = nullptr);

}  // namespace nongemm
