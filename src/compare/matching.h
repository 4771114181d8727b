// Which points of two reports belong together, and which operators of two points.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "report/compare_sections.h"
#include "report/document.h"

namespace nongemm {

/// A point with the processes that measured it.
struct MeasuredPoint {
  std::string label;  // "gpt2 torch cpu fp32 batch 1"
  std::vector<const Point*> processes;

  const Point& first() const { return *processes.front(); }
};

struct PointPair {
  MeasuredPoint base;
  MeasuredPoint fresh;
};

struct PointMatching {
  std::vector<PointPair> pairs;
  std::vector<ComparisonDifference> differences;  // machines, versions, and options that set the two reports apart
  std::vector<ComparisonLeftover> leftovers;
};

/// Points are partners when all their options are equal but those that set the reports apart: options that have one
/// value in all of one and another in all of the other. The reports must outlive the result.
PointMatching match_points(const Document& base, const Document& fresh);

/// Nodes of two points by their rows in the section `nodes`: by position where the graphs agree in every operator and
/// shape, else by module, operator and shapes, in their order.
struct NodeMatching {
  bool same_graph = false;
  std::vector<std::pair<std::size_t, std::size_t>> pairs;
  std::vector<std::size_t> base_alone;
  std::vector<std::size_t> fresh_alone;
};
NodeMatching match_nodes(const Table& base, const Table& fresh);

}  // namespace nongemm
