// What a run of a program may note of itself (Program::run calls before() and after() around each operator).
#pragma once

#include <ATen/core/ivalue.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "flows/device/device.h"
#include "flows/device/tracing.h"
#include "flows/torch/bridge/values.h"
#include "flows/torch/cuda/graph.h"
#include "flows/torch/program.h"
#include "record/trace.h"

namespace nongemm::torch_flow {

struct WatchNothing {
  void before(const Instruction&) {}
  void after(const Instruction&, const std::vector<c10::IValue>&) {}
};

/// A span ends when the operands that nobody needs any more are freed: returning a large activation to the system takes
/// milliseconds, and eager PyTorch does it at the same place.
class WatchSpans {
 public:
  explicit WatchSpans(std::vector<NodeSpan>& spans) : spans_(spans) {}
  void before(const Instruction&) { begin_ = now_ns(); }
  void after(const Instruction&, const std::vector<c10::IValue>&) {}
  void released(const Instruction& instruction) { spans_.push_back({instruction.node, begin_, now_ns()}); }

 private:
  std::vector<NodeSpan>& spans_;
  std::int64_t begin_ = 0;
};

/// Spans without pauses: one begins where the one before ends, so that the clock is read once for each. For inferences
/// whose launches something waits for.
class WatchSteps {
 public:
  WatchSteps(std::vector<NodeSpan>& spans, std::int64_t begin_ns) : spans_(spans), last_(begin_ns) {}
  void before(const Instruction&) {}
  void after(const Instruction&, const std::vector<c10::IValue>&) {}
  void released(const Instruction& instruction) {
    const std::int64_t now = now_ns();
    spans_.push_back({instruction.node, last_, now});
    last_ = now;
  }

 private:
  std::vector<NodeSpan>& spans_;
  std::int64_t last_;
};

/// Spans, and the tracer told of each, so that it knows which span launched a kernel.
class WatchLaunches {
 public:
  WatchLaunches(std::vector<NodeSpan>& spans, device::Tracer& tracer) : spans_(spans), tracer_(tracer) {}
  void before(const Instruction&) {
    tracer_.push(static_cast<std::uint32_t>(spans_.size()));
    begin_ = now_ns();
  }
  void after(const Instruction&, const std::vector<c10::IValue>&) {}
  void released(const Instruction& instruction) {
    spans_.push_back({instruction.node, begin_, now_ns()});
    tracer_.pop();
  }

 private:
  std::vector<NodeSpan>& spans_;
  device::Tracer& tracer_;
  std::int64_t begin_ = 0;
};

/// Records are on within the window alone. They must be on when the run begins if the window does, else paused.
class WatchWindow {
 public:
  WatchWindow(const Window& window, device::Tracer& tracer) : window_(window), tracer_(tracer) {}
  void before(const Instruction&) {
    if (position_ == window_.first) tracer_.resume();
  }
  void after(const Instruction&, const std::vector<c10::IValue>&) {
    if (position_++ == window_.last) tracer_.pause();
  }

 private:
  Window window_;
  device::Tracer& tracer_;
  std::uint32_t position_ = 0;
};

/// For each kernel, copy and fill that is captured, in order, the node it came from.
class WatchCapture {
 public:
  WatchCapture(GraphCapture& capture, std::vector<NodeId>& nodes) : capture_(capture), nodes_(nodes) {}
  void before(const Instruction&) {}
  void after(const Instruction& instruction, const std::vector<c10::IValue>&) {
    nodes_.resize(std::max(nodes_.size(), capture_.captured_activities()), instruction.node);
  }

 private:
  GraphCapture& capture_;
  std::vector<NodeId>& nodes_;
};

/// Notes results whose shapes only the run knows.
class WatchTypes {
 public:
  WatchTypes(const Graph& graph, std::vector<ObservedTypes>& observed) : graph_(graph), observed_(observed) {}
  void before(const Instruction&) {}
  void after(const Instruction& instruction, const std::vector<c10::IValue>& results) {
    ObservedTypes row{instruction.node, {}};
    for (const c10::IValue& result : results) {
      if (!result.isTensorList()) {
        row.results.push_back(type_of(result));
        continue;
      }
      for (const at::Tensor& element : result.toTensorVector()) row.results.push_back(type_of(element));
    }
    check(instruction, row);
    const auto unknown = [&](ValueId id) {
      const Shape& shape = graph_.values[id].type.shape;
      return std::find(shape.begin(), shape.end(), kDynamic) != shape.end();
    };
    if (std::any_of(instruction.outputs.begin(), instruction.outputs.end(), unknown))
      observed_.push_back(std::move(row));
  }

 private:
  /// Work and bytes follow from the sizes that the graph states: a file whose sizes are others than those of the run
  /// would be reported with work that nobody did.
  void check(const Instruction& instruction, const ObservedTypes& row) const {
    if (row.results.size() != instruction.outputs.size()) return;  // a list of a length that only the run knows
    for (std::size_t i = 0; i < row.results.size(); ++i) {
      const Type& stated = graph_.values[instruction.outputs[i]].type;
      const Type& real = row.results[i];
      if (stated.kind != Type::Kind::kTensor || real.dtype == DType::kUndefined) continue;
      const auto fits = [](std::int64_t a, std::int64_t b) { return a == b || a == kDynamic; };
      if (std::equal(stated.shape.begin(), stated.shape.end(), real.shape.begin(), real.shape.end(), fits)) continue;
      // Of an operator that the table does not know not even the number of dimensions was known.
      const bool open = std::find(stated.shape.begin(), stated.shape.end(), kDynamic) != stated.shape.end();
      if (open && stated.shape.size() != real.shape.size()) continue;
      const Node& node = graph_.nodes[instruction.node];
      const std::string scope = graph_.scope_path(node.scope);
      throw Error(ErrorKind::kBadInput,
                  node.op + (scope.empty() ? "" : " in " + scope) + " gave " + to_string(real.shape) +
                      " where the model says " + to_string(stated.shape),
                  "the sizes that the model's file states are wrong: write it again");
    }
  }

  const Graph& graph_;
  std::vector<ObservedTypes>& observed_;
};

}  // namespace nongemm::torch_flow
