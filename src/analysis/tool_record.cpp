#include "analysis/tool_record.h"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <set>
#include <tuple>
#include <utility>

#include "analysis/busy_time.h"
#include "analysis/tool_operands.h"
#include "ops/foreign.h"
#include "ops/op.h"

namespace nongemm {
namespace {

constexpr double kSecond = 1e-9;  // of a ns

/// "aten.addmm" of "aten::addmm", "onnx.Gemm" of ONNX Runtime's "Gemm".
std::string node_name(const ToolTrace& trace, const ToolNode& node) {
  std::string name = trace.trace.names.at(node.name);
  if (trace.kind == "onnxruntime") return "onnx." + name;
  if (const std::size_t colons = name.find("::"); colons != std::string::npos) name.replace(colons, 2, ".");
  // Our own traces have overloads, which say that there are operands.
  if (OpTable::get().find(name) != nullptr) name.resize(name.rfind('.'));
  return name;
}

bool is_copy(const DeviceRecord& record) { return record.kind != DeviceRecord::Kind::kKernel; }

std::string_view copy_name(DeviceRecord::Kind kind) {
  static constexpr std::array<std::string_view, 5> kNames = {"", "host_to_device", "device_to_host", "device_to_device",
                                                             "fill"};
  return kNames[static_cast<std::size_t>(kind)];
}

/// What an operator's name says of the kernels that it launches. Views launch none, and of an operator that does its
/// own name is no word on them; neither are names that only mark a place ("Torch-Compiled Region: 0/1").
GroupedBy told_by(const std::string& name) {
  const std::optional<NamedGroup> named = named_group(name);
  const bool has_library = name.find('.') != std::string::npos;
  const Group group = named ? named->group : has_library ? guess_group(name) : Group::kOther;
  const bool says = group != Group::kOther && group != Group::kMemoryLayout && group != Group::kControl &&
                    group != Group::kSynchronisation;
  if (!says) return GroupedBy::kNothing;
  return named ? named->by : GroupedBy::kOperator;
}

/// Whether the table knows it, so that its name is sure to speak for all that it does inside.
bool is_known(const std::string& name, GroupedBy by) {
  return by == GroupedBy::kOperator && named_group(name).has_value();
}

class Builder {
 public:
  explicit Builder(const ToolTrace& trace) : trace_(trace) {}

  ToolRecord build() {
    Graph graph;
    graph.name = trace_.kind;
    graph.scopes.clear();
    for (const ToolScope& scope : trace_.scopes) graph.scopes.push_back({scope.parent, scope.name, scope.type});
    graph_ = &graph;
    bool names_only = true;
    for (const ToolNode& node : trace_.nodes) {
      const std::string name = node_name(trace_, node);
      const NodeId id = add_node(name, node.scope, told_by(name));
      if (add_operands(trace_, node, graph, graph.nodes[id])) names_only = false;
      const NodeId caller = node.caller != kNoId ? callers_[node.caller] : kNoId;
      callers_.push_back(caller == kNoId && is_known(name, result_.by[id]) ? id : caller);
      times_[home_of(id)].host_s += static_cast<double>(node.host_ns) * kSecond;
      if (home_of(id) == id) times_[id].calls = static_cast<double>(node.calls);
    }
    add_activities();
    Record& record = result_.record;
    Entry& entry = record.entries.emplace_back();
    entry.names_only = names_only;
    for (NodeId id = 0; id < callers_.size(); ++id) entry.part_of.push_back(home_of(id) == id ? kNoId : home_of(id));
    entry.part_of.resize(graph.nodes.size(), kNoId);
    entry.graph = std::make_shared<const Graph>(std::move(graph));
    const bool on_device = !trace_.trace.device.empty();
    record.devices.emplace_back().is_host = !on_device;
    Phase& phase = record.phases.emplace_back();
    for (const std::int64_t run_ns : trace_.run_ns) {
      phase.latency.samples_s.push_back(static_cast<double>(run_ns) * kSecond);
    }
    phase.devices.emplace_back().nodes = on_device ? device_pass() : host_pass();
    return std::move(result_);
  }

 private:
  NodeId add_node(std::string name, ScopeId scope, GroupedBy by) {
    const auto id = static_cast<NodeId>(graph_->nodes.size());
    Node node;
    node.op = std::move(name);
    node.scope = scope;
    graph_->nodes.push_back(std::move(node));
    graph_->blocks[kBodyBlock].nodes.push_back(id);
    times_.emplace_back();
    result_.by.push_back(by);
    return id;
  }

  /// The operator that the program called: the outermost that is known, which is the one that a session of ours has as
  /// a node, with all that it calls inside.
  NodeId home_of(NodeId id) const { return callers_[id] != kNoId ? callers_[id] : id; }

  /// The node for what stands for itself: a kernel by its name, a copy by its direction.
  NodeId own_node(const DeviceRecord& record, ScopeId scope) {
    const std::uint32_t what = is_copy(record) ? static_cast<std::uint32_t>(record.kind) : record.name;
    const auto [at, is_new] = own_.try_emplace({is_copy(record), what, scope}, kNoId);
    if (!is_new) return at->second;
    std::string name(is_copy(record) ? kCopyPrefix : kKernelPrefix);
    name += is_copy(record) ? copy_name(record.kind) : std::string_view(trace_.trace.names.at(record.name));
    const GroupedBy by = named_group(name)->by;
    return at->second = add_node(std::move(name), scope, by);
  }

  NodeId node_of(const DeviceRecord& record) {
    if (record.node == kNoId) return own_node(record, kRootScope);
    const NodeId home = home_of(record.node);
    if (!is_copy(record) && result_.by[home] != GroupedBy::kNothing) return home;
    return own_node(record, trace_.nodes[record.node].scope);
  }

  void add_activities() {
    busy_ = busy_time(trace_.trace.device);
    for (std::size_t i = 0; i < trace_.trace.device.size(); ++i) {
      const NodeId node = node_of(trace_.trace.device[i]);
      result_.node_of.push_back(node);
      NodeTime& time = times_[node];
      time.device_s += static_cast<double>(busy_.charged_ns[i]) * kSecond;
      time.gap_s += static_cast<double>(busy_.gap_before_ns[i]) * kSecond;
      time.kernels += 1;
      // What has a node of its own was called as often as it ran.
      if (node >= trace_.nodes.size()) time.calls += 1;
    }
    for (const SynchronisationRecord& wait : trace_.trace.synchronisations) {
      if (wait.node == kNoId) continue;
      times_[home_of(wait.node)].wait_s += static_cast<double>(wait.end_ns - wait.begin_ns) * kSecond;
    }
  }

  NodePass device_pass() {
    NodePass pass;
    pass.averaged = 1;
    pass.kernel_records = true;
    pass.device_busy_s = static_cast<double>(busy_.busy_ns) * kSecond;
    pass.mean_wall_s = static_cast<double>(busy_.last_ns - busy_.first_ns) * kSecond;
    pass.recorded_s = pass.mean_wall_s;
    pass.gap_s = pass.mean_wall_s - pass.device_busy_s;
    pass.outside_s = 0;  // each activity has a node
    pass.how = "activities of the device as " + trace_.kind + " recorded them, the whole file";
    pass.nodes = std::move(times_);
    return pass;
  }

  NodePass host_pass() {
    NodePass pass;
    const std::size_t runs = trace_.run_ns.size();
    pass.averaged = runs > 0 ? static_cast<int>(runs) : 1;
    std::int64_t wall_ns = runs > 0 ? 0 : trace_.trace.end_ns - trace_.trace.begin_ns;
    for (const std::int64_t run_ns : trace_.run_ns) wall_ns += run_ns;
    pass.mean_wall_s = static_cast<double>(wall_ns) * kSecond / pass.averaged;
    pass.outside_s = pass.mean_wall_s;
    for (NodeTime& time : times_) {
      time.host_s /= pass.averaged;
      time.calls /= pass.averaged;
      pass.outside_s -= time.host_s;
    }
    pass.how =
        "host times as " + trace_.kind + " recorded them, " + (runs > 0 ? "mean of the inferences" : "the whole file");
    pass.nodes = std::move(times_);
    return pass;
  }

  const ToolTrace& trace_;
  Graph* graph_ = nullptr;
  ToolRecord result_;
  std::vector<NodeTime> times_;
  std::vector<NodeId> callers_;  // by node of the trace: the outermost known operator around it or itself, or kNoId
  BusyTime busy_;
  std::map<std::tuple<bool, std::uint32_t, ScopeId>, NodeId> own_;
};

}  // namespace

ToolRecord record_of(const ToolTrace& trace) { return Builder(trace).build(); }

Timeline timeline_of(const ToolTrace& trace, const ToolRecord& record, std::size_t most) {
  Timeline timeline = timeline_of(trace.trace, most);
  timeline.left_out += trace.calls_left_out;
  std::set<std::int64_t> numbers;
  for (const ToolStream& stream : trace.streams) numbers.insert(stream.stream);
  // Streams of several devices may have the same number, and are told apart by their place then.
  const bool numbered = numbers.size() == trace.streams.size();
  for (TimelineRecord& row : timeline.device) {
    row.node = record.node_of[row.record];
    if (numbered && row.stream < trace.streams.size()) {
      row.stream = static_cast<std::uint32_t>(trace.streams[row.stream].stream);
    }
  }
  return timeline;
}

}  // namespace nongemm
