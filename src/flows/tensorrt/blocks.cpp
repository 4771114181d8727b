#include "flows/tensorrt/blocks.h"

#include <algorithm>
#include <iterator>
#include <set>

#include "onnx/names.h"

namespace nongemm::tensorrt {
namespace {

std::vector<NodeId> common(const std::vector<NodeId>& a, const std::vector<NodeId>& b) {
  std::vector<NodeId> both;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  return both;
}

/// By step: the ranges that mention its nodes, and those without a node that follow one of them.
std::vector<std::vector<RuntimeNode>> inner_steps(const RuntimeProgram& program,
                                                  const std::vector<std::string>& ranges) {
  std::set<std::string> known;
  for (const RuntimeNode& step : program.nodes) known.insert(step.name);
  std::vector<std::vector<RuntimeNode>> inner(program.nodes.size());
  std::size_t current = SIZE_MAX;
  for (const std::string& range : ranges) {
    if (!known.insert(range).second) continue;
    const std::vector<NodeId> nodes = onnx::graph_nodes_in(range);
    for (std::size_t i = 0; i < program.nodes.size() && !nodes.empty(); ++i) {
      if (program.nodes[i].opaque && !common(program.nodes[i].covers, nodes).empty()) {
        current = i;
        break;
      }
    }
    if (current == SIZE_MAX) continue;
    RuntimeNode step;
    step.name = range;
    step.type = "Myelin kernel";
    step.covers = common(program.nodes[current].covers, nodes);
    step.opaque = step.covers.empty();
    inner[current].push_back(std::move(step));
  }
  return inner;
}

}  // namespace

RuntimeProgram with_ranges(const RuntimeProgram& program, const std::vector<std::string>& ranges) {
  const std::vector<std::vector<RuntimeNode>> inner = inner_steps(program, ranges);
  RuntimeProgram result{{}, program.folded};
  for (std::size_t i = 0; i < program.nodes.size(); ++i) {
    RuntimeNode step = program.nodes[i];
    std::set<NodeId> told;
    for (const RuntimeNode& kernel : inner[i]) told.insert(kernel.covers.begin(), kernel.covers.end());
    if (!told.empty()) {
      std::erase_if(step.covers, [&](NodeId node) { return told.contains(node); });
      if (step.covers.empty()) step.role = RuntimeRole::kOther;
      step.opaque = !step.covers.empty();
    }
    result.nodes.push_back(std::move(step));
    result.nodes.insert(result.nodes.end(), inner[i].begin(), inner[i].end());
  }
  return result;
}

}  // namespace nongemm::tensorrt
