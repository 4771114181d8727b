#include "microbench/presets.h"

#include <map>

#include "base/error.h"
#include "base/text.h"
#include "microbench/call_graph.h"
#include "ops/foreign.h"
#include "prepare/model.h"

namespace nongemm::microbench {
namespace {

Group group_of_node(const Graph& graph, const Node& node) {
  const Op* op = table_entry(node);
  return op != nullptr ? group_of(graph, node, *op) : guess_group(node.op);
}

/// Distinct calls in the order in which they come.
class Collection {
 public:
  void add(ModelCall call) {
    const auto [at, is_new] = index_.emplace(key_of(call.call), calls_.size());
    if (is_new) {
      calls_.push_back(std::move(call));
    } else {
      calls_[at->second].nodes += call.nodes;
    }
  }
  std::vector<ModelCall> take() { return std::move(calls_); }

 private:
  std::map<std::string, std::size_t> index_;
  std::vector<ModelCall> calls_;
};

bool is_nongemm(Group group) { return !counts_as_gemm(group) && group != Group::kControl; }

}  // namespace

std::vector<ModelCall> calls_of(const Graph& graph, const std::function<bool(Group)>& wanted,
                                const SchemaSource& runtime) {
  Collection calls;
  const NodeCalls node_calls(graph, runtime);
  for (const Node& node : graph.nodes) {
    if (!is_operator_call(node) || !wanted(group_of_node(graph, node))) continue;
    try {
      calls.add({node_calls.call_of(node), graph.name, 1});
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kUnsupported) throw;
    }
  }
  return calls.take();
}

std::vector<ModelCall> preset_calls(const std::string& preset, const ModelOptions& options, const SchemaSource& runtime,
                                    std::vector<std::string>& skipped) {
  const std::optional<Group> group = parse_group(preset);
  std::vector<std::string> names = registered_names();
  if (preset != "all" && !group) {
    std::vector<std::string> known = names;
    for (const std::string& id : group_ids()) known.push_back(id);
    known.emplace_back("all");
    try {
      find_model(preset);  // a folder or a file of the user's own is as good
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kUsage) throw;
      throw Error(ErrorKind::kUsage, "unknown preset '" + preset + "'", did_you_mean(preset, known));
    }
    names = {preset};
  }
  Collection calls;
  for (const std::string& name : names) {
    Graph graph;
    try {
      graph = build_graph(find_model(name), options);
    } catch (const Error& error) {
      if (names.size() == 1) throw;
      skipped.push_back(name + ": " + error.what());
      continue;
    }
    const auto wanted = [&](Group of_node) { return group ? of_node == *group : is_nongemm(of_node); };
    for (ModelCall& call : calls_of(graph, wanted, runtime)) {
      call.model = name;
      calls.add(std::move(call));
    }
  }
  return calls.take();
}

}  // namespace nongemm::microbench
