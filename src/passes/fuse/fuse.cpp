#include "passes/fuse/fuse.h"

#include <array>
#include <set>
#include <string>
#include <utility>

#include "base/error.h"

namespace nongemm::passes {
namespace {

/// Of the places that were found those that can be: where two want the same node, the first.
std::vector<Place> possible(const Search& search, std::vector<Place> found) {
  std::vector<Place> places;
  std::set<NodeId> taken;
  for (Place& place : found) {
    std::set<NodeId> nodes(place.gone.begin(), place.gone.end());
    for (const auto& [node, replacement] : place.replaced) nodes.insert(node);
    bool free = true;
    for (const NodeId node : nodes) free = free && !taken.contains(node);
    if (!free || !search.can_go(place)) continue;
    taken.merge(nodes);
    places.push_back(std::move(place));
  }
  return places;
}

/// @return how many places there were
std::size_t put_in_place(const Fusion& fusion, Graph& graph) {
  std::map<NodeId, Replacement> replaced;
  std::set<NodeId> gone;
  std::size_t count = 0;
  {
    const Search search(graph);
    for (Place& place : possible(search, fusion.find(search))) {
      replaced.merge(place.replaced);
      gone.insert(place.gone.begin(), place.gone.end());
      ++count;
    }
  }
  // What types results have follows from the operands: the graph's own is not asked for.
  if (count > 0) graph = replace_nodes(std::move(graph), DType::kFloat32, replaced, gone);
  return count;
}

[[noreturn]] void refuse(const Graph& graph, FuseKind kind) {
  for (const Fusion& fusion : fusions()) {
    if (fusion.kind != kind) continue;
    throw Error(ErrorKind::kUsage, graph.name + ": there is nothing that --fuse " + std::string(fusion.id) + " fits",
                "leave it out, or see docs/fuse.md for what it takes in");
  }
  throw Error(ErrorKind::kUsage, graph.name + ": there is nothing that --fuse fits",
              "leave it out, or see docs/fuse.md for what it takes in");
}

}  // namespace

std::span<const Fusion> fusions() {
  static constexpr std::array kFusions = {
      Fusion{FuseKind::kGelu, "gelu", find_gelus},         Fusion{FuseKind::kGate, "gate", find_gates},
      Fusion{FuseKind::kNorm, "norm", find_norms},         Fusion{FuseKind::kFrozenNorm, "frozen", find_frozen_norms},
      Fusion{FuseKind::kRotary, "rotary", find_rotations},
  };
  return kFusions;
}

Graph fuse(Graph graph, FuseKind kind) {
  if (kind == FuseKind::kNone) return graph;
  std::size_t places = 0;
  for (const Fusion& fusion : fusions()) {
    if (kind != FuseKind::kAll && kind != fusion.kind) continue;
    const std::size_t count = put_in_place(fusion, graph);
    if (count > 0) graph.attributes["fused." + std::string(fusion.id)] = std::to_string(count);
    places += count;
  }
  if (places == 0) refuse(graph, kind);
  return graph;
}

}  // namespace nongemm::passes
