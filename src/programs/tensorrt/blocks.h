// What happens inside blocks that Myelin compiled: it announces its kernels under names that contain those of the ONNX
// nodes, and these begin with the ids of graph nodes.
#pragma once

#include <string>
#include <vector>

#include "programs/tensorrt/ranges.h"
#include "record/runtime_program.h"

namespace nongemm::tensorrt {

/// Names of all ranges, in the order in which they begin.
class RangeNames : public RangeListener {
 public:
  void push(const char* name) noexcept override { names_.emplace_back(name); }
  void pop() noexcept override {}
  const std::vector<std::string>& names() const { return names_; }

 private:
  std::vector<std::string> names_;
};

/// The program with a step for each range inside an opaque one. A range that mentions no node stays opaque; it covers
/// those nodes of the block that no range mentions and that can have run at its place: after everything that they need
/// and before everything that needs them; where there are none, its operators are what its name says it does. The
/// block's own step stays, before them, for the nodes that are left; it is
/// opaque no more when there are none.
/// @param ranges of one inference, in the order of launching
RuntimeProgram with_ranges(const Graph& graph, const RuntimeProgram& program, const std::vector<std::string>& ranges);

}  // namespace nongemm::tensorrt
