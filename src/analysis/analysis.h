// From a record to where the time goes. Where nothing was run the same rows carry static figures only.
#pragma once

#include <cstddef>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "analysis/group_rules.h"
#include "graph/graph.h"
#include "ops/op.h"
#include "record/record.h"

namespace nongemm {

struct AnalysisOptions {
  /// Count a node inside a composite module (LlamaRMSNorm) to that module's group; otherwise by its operator alone.
  bool by_module = true;
  bool attention_is_gemm = true;
  /// The user's own groups; they come before everything else.
  std::shared_ptr<const GroupRules> rules = {};
};

/// One node, classified and costed: of the graph, or a step of a runtime's program.
struct NodeRow {
  NodeId id = kNoId;  // NodeId or position in the program
  /// The node inside which it ran, whose row holds its time and work; such rows are in no sum. kNoId for others.
  NodeId part_of = kNoId;
  std::string op;  // schema name, or the step's type
  std::string scope;
  std::string module;  // class of the innermost module
  Group group = Group::kOther;
  std::string variant;
  Traits traits;
  std::vector<Type> operands;  // values that it reads, lists of sizes left out
  std::vector<Type> results;
  /// What is read: of its first tensor operand.
  DType operand_dtype = DType::kUndefined;
  /// What its arithmetic runs in: the widest floating-point type among its operands, otherwise the widest type.
  DType compute_dtype = DType::kUndefined;
  /// It multiplies fp32 operands rounded to TF32.
  bool in_tf32 = false;
  /// A runtime's step that holds more than what it counts as, and does not say what (RuntimeNode::opaque).
  bool opaque = false;
  std::int64_t parameters = 0;
  Cost cost;
  /// That it stands for: a row of another tool's trace is all calls alike, each of which was a node.
  std::int64_t nodes = 1;
  double calls = 1;
  double host_s = 0;
  double device_s = 0;
  double gap_s = 0;   // the device waited for the host
  double wait_s = 0;  // the host waited for the device
  /// Per inference; NaN where it was not recorded.
  double kernels = std::numeric_limits<double>::quiet_NaN();

  /// Time on the device that does the work: the node's kernels, or its call where the host is the device.
  double time_s = 0;
  /// Least time of one call at the device's measured limits (time_at_limit in roofline.h). NaN without limits.
  double limit_s = std::numeric_limits<double>::quiet_NaN();
  /// Weights and values that are alive when it ends, bytes; NaN for steps of a runtime, and where a size is not known.
  double alive_bytes = std::numeric_limits<double>::quiet_NaN();

  /// Time above the limit of all calls; none where operands stay in a cache. NaN without limits.
  double wasted_s() const {
    const double over = time_s - limit_s * calls;
    return over < 0 ? 0.0 : over;
  }
  /// Of its first result.
  DType dtype() const { return results.empty() ? DType::kUndefined : results.front().dtype; }
};

/// Sums over nodes that share a key.
struct Bucket {
  std::string name;  // group id or operator name
  Group group = Group::kOther;
  std::string variant;
  Traits traits;
  std::vector<Type> operands;       // of the costliest node
  DType dtype = DType::kUndefined;  // of its first result
  std::string module;
  std::int64_t nodes = 0;
  double calls = 0;
  double time_s = 0;
  double host_s = 0;
  double gap_s = 0;   // the device waited for the host
  double wait_s = 0;  // the host waited for the device
  double kernels = 0;
  std::int64_t parameters = 0;
  CostSum work;
  double limit_s = 0;       // all calls at the device's limits; NaN without limits
  double wasted_s = 0;      // of the nodes, each by itself (NodeRow::wasted_s)
  double share = 0;         // of the latency; 0 when not measured
  double costliest_s = -1;  // time of the example
};

struct Analysis {
  bool measured = false;
  bool attention_is_gemm = true;  // as AnalysisOptions said
  /// The times are of a device beside the host, with its own clock of work.
  bool on_device = false;
  /// Wall time that the parts below divide: the node pass's.
  double wall_s = 0;
  double gemm_s = 0;
  double nongemm_s = 0;
  double gap_s = 0;
  double head_s = 0;
  double tail_s = 0;
  double outside_s = 0;
  /// What the times are of: the graph's nodes, or the steps of the runtime's program.
  std::vector<NodeRow> nodes;
  /// The graph's nodes beside a program's steps; empty when `nodes` are those.
  std::vector<NodeRow> graph_nodes;
  std::vector<Bucket> groups;     // by group, largest first
  std::vector<Bucket> operators;  // by operator within group and module variant, largest first
  std::vector<Bucket> workload;   // by operator, shapes and dtype, in order of first use
  std::vector<Bucket> variants;   // by group and variant
  std::vector<Bucket> calls;      // by group, operator, variant, shapes and dtype, of what was timed; largest first
  std::vector<Bucket> modules;    // by module, with all that is inside; `name` is the path, the whole model comes first
  std::optional<Group> dominant;  // the non-GEMM group with the most time
  std::int64_t parameters = 0;
  double weight_bytes = 0;
  CostSum total;
};

/// Which part of a record is meant. Where nothing was run both are 0.
struct RecordPart {
  std::size_t phase = 0;   // of Record::phases
  std::size_t device = 0;  // of Record::devices
};

Analysis analyse(const Record& record, const AnalysisOptions& options, RecordPart part = {});

}  // namespace nongemm
