#include "analysis/fusion.h"

#include <algorithm>
#include <array>
#include <map>

#include "analysis/steps.h"

namespace nongemm {
namespace {

/// "aten.layer_norm.default" as people say it: "layer_norm".
std::string short_name(const std::string& op) {
  const std::size_t first = op.find('.');
  if (first == std::string::npos) return op;
  const std::size_t second = op.find('.', first + 1);
  return op.substr(first + 1, second == std::string::npos ? second : second - first - 1);
}

class FusionCount {
 public:
  FusionCount(const RuntimeProgram& program, const Analysis& analysis, const AnalysisOptions& options)
      : program_(program),
        analysis_(analysis),
        options_(options),
        fates_(analysis.graph_nodes.size(), Fate::kNotFound),
        steps_(fates_.size(), kNoId),
        times_covered_(fates_.size(), 0) {}

  FusionAnalysis count(const Analysis* baseline) {
    for (const NodeId id : program_.folded) fates_[id] = Fate::kFolded;
    for (std::size_t i = 0; i < program_.nodes.size(); ++i) count_step(program_.nodes[i], analysis_.nodes[i]);
    for (NodeId id = 0; id < fates_.size(); ++id) count_node(id);
    finish(baseline);
    return std::move(result_);
  }

 private:
  /// What became of a graph node; where several steps share it the last in this order counts.
  using Fate = NodeFate::Kind;

  bool is_gemm(const NodeRow& node) const { return counts_as_gemm(node.group, options_.attention_is_gemm); }

  /// The covered nodes that do work.
  std::vector<NodeId> workers(const RuntimeNode& step) const {
    std::vector<NodeId> nodes;
    for (const NodeId id : step.covers) {
      if (is_compute(analysis_.graph_nodes[id])) nodes.push_back(id);
    }
    return nodes;
  }

  FusionPattern pattern_of(const std::vector<NodeId>& nodes, const NodeRow& step) const {
    if (nodes.size() < 2) return FusionPattern::kNone;
    if (step.group == Group::kAttention) return FusionPattern::kAttention;
    if (is_gemm(step)) return FusionPattern::kGemmElementwise;
    const bool reduction = std::any_of(nodes.begin(), nodes.end(), [&](NodeId id) {
      const NodeRow& node = analysis_.graph_nodes[id];
      return node.traits.reduction || node.group == Group::kNormalization || node.group == Group::kReduction;
    });
    return reduction ? FusionPattern::kReductionChain : FusionPattern::kElementwiseChain;
  }

  std::string covers_of(const RuntimeNode& step) const {
    std::vector<std::pair<std::string, int>> names;
    for (const NodeId id : step.covers) {
      std::string name = short_name(analysis_.graph_nodes[id].op);
      const auto same = [&](const auto& entry) { return entry.first == name; };
      const auto known = std::find_if(names.begin(), names.end(), same);
      if (known != names.end()) {
        ++known->second;
      } else {
        names.emplace_back(std::move(name), 1);
      }
    }
    std::string text;
    for (const auto& [name, times] : names) {
      text += (text.empty() ? "" : ", ") + name + (times > 1 ? " (" + std::to_string(times) + ")" : "");
    }
    return text;
  }

  void count_step(const RuntimeNode& step, const NodeRow& row) {
    const std::vector<NodeId> nodes = workers(step);
    const bool with_gemm = is_gemm(row);
    std::int64_t repeated = 0;
    for (const NodeId id : step.covers) {
      steps_[id] = std::min(steps_[id], row.id);
      repeated += times_covered_[id]++ > 0 ? 1 : 0;
    }
    for (const NodeId id : nodes) {
      Fate fate = Fate::kAlone;
      if (nodes.size() > 1) fate = with_gemm ? Fate::kIntoGemm : Fate::kAmongNongemm;
      fates_[id] = std::max(fates_[id], fate);
      if (nodes.size() == 1) alone_s_[id] += row.time_s;
    }
    StepRow shown;
    shown.row = row;
    shown.name = step.name;
    shown.provider = step.provider;
    shown.pattern = pattern_of(nodes, row);
    shown.covers = covers_of(step);
    shown.nodes = static_cast<std::int64_t>(step.covers.size());
    shown.repeated = repeated;
    shown.opaque = step.opaque;
    shown.added = step.role != RuntimeRole::kCompute && step.role != RuntimeRole::kSizes;
    count_times(step, shown);
    PatternSum& sum = patterns_[shown.pattern];
    sum.pattern = shown.pattern;
    if (!shown.added) {
      ++sum.steps;
      sum.nodes += static_cast<std::int64_t>(nodes.size());
      sum.time_s += row.time_s;
    }
    result_.program.push_back(std::move(shown));
  }

  void count_times(const RuntimeNode& step, const StepRow& shown) {
    const double time_s = shown.row.time_s;
    ++result_.steps;
    result_.step_s += time_s;
    if (step.opaque) result_.opaque_s += time_s;
    if (!shown.added) {
      ++own_steps_;
      own_s_ += time_s;
      if (step.covers.empty() && step.role != RuntimeRole::kSizes) return;
      ++mapped_;
      mapped_s_ += time_s;
      return;
    }
    ++result_.added_steps;
    result_.added_s += time_s;
    if (step.role != RuntimeRole::kCopyToDevice && step.role != RuntimeRole::kCopyToHost) return;
    (step.role == RuntimeRole::kCopyToDevice ? result_.copies_to_device : result_.copies_to_host) += 1;
    result_.copied_bytes += static_cast<double>(step.bytes);
    result_.copy_s += time_s;
  }

  void count_node(NodeId id) {
    const NodeRow& node = analysis_.graph_nodes[id];
    const Fate fate = fates_[id];
    const bool works = is_compute(node);
    result_.nodes.push_back({&node, works ? fate : Fate::kNoWork, steps_[id], times_covered_[id]});
    if (!works) return;
    if (fate != Fate::kNotFound) ++found_;
    ++workers_;
    const bool fused = fate == Fate::kIntoGemm || fate == Fate::kAmongNongemm;
    GroupChange& group = groups_[node.group];
    group.group = node.group;
    ++group.nodes;
    group.fused += fused ? 1 : 0;
    if (is_gemm(node)) return;
    ++result_.nongemm_nodes;
    result_.folded_nodes += fate == Fate::kFolded ? 1 : 0;
    result_.fused_into_gemm += fate == Fate::kIntoGemm ? 1 : 0;
    result_.fused_among_nongemm += fate == Fate::kAmongNongemm ? 1 : 0;
    result_.in_several_steps += times_covered_[id] > 1 ? 1 : 0;
    OperatorFate& row = operators_[{node.group, node.op}];
    row.op = node.op;
    row.group = node.group;
    ++row.nodes;
    row.fused_into_gemm += fate == Fate::kIntoGemm ? 1 : 0;
    row.fused_among_nongemm += fate == Fate::kAmongNongemm ? 1 : 0;
    row.folded += fate == Fate::kFolded ? 1 : 0;
    row.alone += fate == Fate::kAlone ? 1 : 0;
    if (fate == Fate::kAlone) row.alone_s += alone_s_[id];
  }

  void finish(const Analysis* baseline) {
    const auto share = [](double part, double whole) { return whole > 0 ? part / whole : 1.0; };
    result_.mapped_steps = share(static_cast<double>(mapped_), static_cast<double>(own_steps_));
    result_.mapped_time = share(mapped_s_, own_s_);
    result_.found_nodes = share(static_cast<double>(found_), static_cast<double>(workers_));
    result_.nongemm_s = analysis_.nongemm_s;
    if (baseline != nullptr && baseline->measured) {
      result_.baseline_nongemm_s = baseline->nongemm_s;
      for (const Bucket& bucket : baseline->groups) group_row(bucket.group).before_s = bucket.time_s;
    }
    for (const Bucket& bucket : analysis_.groups) group_row(bucket.group).after_s = bucket.time_s;
    for (const auto& [group, row] : groups_) result_.groups.push_back(row);
    for (const auto& [pattern, sum] : patterns_) {
      if (sum.steps > 0) result_.patterns.push_back(sum);
    }
    for (const auto& [key, row] : operators_) result_.operators.push_back(row);
    std::stable_sort(result_.operators.begin(), result_.operators.end(),
                     [](const OperatorFate& a, const OperatorFate& b) { return a.nodes > b.nodes; });
  }

  GroupChange& group_row(Group group) {
    groups_[group].group = group;
    return groups_[group];
  }

  const RuntimeProgram& program_;
  const Analysis& analysis_;
  const AnalysisOptions& options_;
  FusionAnalysis result_;
  std::vector<Fate> fates_;    // by NodeId
  std::vector<NodeId> steps_;  // by NodeId: the first that covers it
  std::vector<std::int64_t> times_covered_;
  std::map<NodeId, double> alone_s_;
  std::map<std::pair<Group, std::string>, OperatorFate> operators_;
  std::map<FusionPattern, PatternSum> patterns_;
  std::map<Group, GroupChange> groups_;
  std::int64_t own_steps_ = 0;
  std::int64_t mapped_ = 0;
  double own_s_ = 0;
  double mapped_s_ = 0;
  std::int64_t workers_ = 0;
  std::int64_t found_ = 0;
};

}  // namespace

std::string_view title_of(FusionPattern pattern) {
  static constexpr std::array<std::string_view, 5> kTitles = {"not fused", "attention block", "GEMM with neighbours",
                                                              "reduction chain", "element-wise chain"};
  return kTitles[static_cast<std::size_t>(pattern)];
}

std::string_view title_of(NodeFate::Kind kind) {
  static constexpr std::array<std::string_view, 6> kTitles = {"not found", "folded at load",    "no work",
                                                              "alone",     "fused with others", "fused into GEMM"};
  return kTitles[static_cast<std::size_t>(kind)];
}

double FusionAnalysis::rate() const {
  const std::int64_t ran = nongemm_nodes - folded_nodes;
  return ran > 0 ? static_cast<double>(fused_into_gemm + fused_among_nongemm) / static_cast<double>(ran) : 0.0;
}

FusionAnalysis analyse_fusion(const RuntimeProgram& program, const Analysis& analysis, const AnalysisOptions& options,
                              const Analysis* baseline) {
  return FusionCount(program, analysis, options).count(baseline);
}

}  // namespace nongemm
