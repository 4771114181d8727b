#include "import/onnx/validity.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "ops/rules.h"

namespace nongemm::onnx {
namespace {

class FunctionCounter {
 public:
  explicit FunctionCounter(const ReadModel& model) : model_(model) {}

  /// Nodes of the graph with functions in the place of their calls.
  double nodes_of(const ReadGraph& graph) {
    double count = 0;
    for (const ReadNode& node : graph.nodes) {
      count += 1;
      const auto function = model_.functions.find({node.domain, node.type, node.overload});
      if (function != model_.functions.end() && (!node.domain.empty() || find_rule(node) == nullptr)) {
        count += nodes_of(function->first, function->second);
      }
      for (const auto& [name, body] : node.bodies) count += nodes_of(*body);
    }
    return count;
  }

 private:
  double nodes_of(const FunctionKey& key, const ReadFunction& function) {
    constexpr double kBeingCounted = -1;
    constexpr double kMost = 1 << 22;
    const std::string& name = std::get<1>(key);
    const auto [at, is_new] = counts_.try_emplace(key, kBeingCounted);
    if (!is_new && at->second == kBeingCounted) {
      throw Error(ErrorKind::kBadInput, "function '" + name + "' calls itself");
    }
    if (!is_new) return at->second;
    const double count = nodes_of(function.graph);
    if (count > kMost) {
      throw Error(ErrorKind::kBadInput,
                  fmt::format("function '{}' becomes {:.3g} nodes when its calls are replaced, at most {:.3g} can be",
                              name, count, kMost));
    }
    return counts_[key] = count;
  }

  const ReadModel& model_;
  std::map<FunctionKey, double> counts_;
};

constexpr std::array<std::string_view, 16> kBroadcasting = {
    "Add",   "Sub",  "Mul", "Div", "Mod",     "And",         "Or",    "Xor",
    "Equal", "Less", "Max", "Min", "Greater", "LessOrEqual", "Where", "GreaterOrEqual"};

/// Nothing where it is not known.
std::optional<Shape> shape_of(OnnxCall& call, std::size_t i) {
  if (const KnownValue* known = call.known(i)) return known->shape;
  const Tensor tensor = call.any_tensor(call.node().inputs[i]);
  if (!tensor) return std::nullopt;
  const Shape shape = tensor.shape();
  if (std::find(shape.begin(), shape.end(), kDynamic) != shape.end()) return std::nullopt;
  return shape;
}

[[noreturn]] void refuse(const OnnxCall& call, const std::string& what) {
  throw Error(ErrorKind::kBadInput, describe(call.node()) + ": " + what);
}

void check_broadcast(OnnxCall& call) {
  std::optional<Shape> all;
  for (std::size_t i = 0; i < call.inputs(); ++i) {
    const std::optional<Shape> shape = call.has(i) ? shape_of(call, i) : std::nullopt;
    if (!shape) return;
    try {
      all = all ? rules::broadcast(*all, *shape) : *shape;
    } catch (const Error& error) {
      refuse(call, error.what());
    }
  }
}

void check_product(OnnxCall& call) {
  if (call.inputs() != 2 || !call.has(0) || !call.has(1)) return;
  const std::optional<Shape> a = shape_of(call, 0);
  const std::optional<Shape> b = shape_of(call, 1);
  if (!a || !b || a->empty() || b->empty()) return;
  const std::int64_t rows = b->size() == 1 ? b->back() : (*b)[b->size() - 2];
  if (a->back() == rows) return;
  refuse(call, fmt::format("shapes {} and {} cannot be multiplied", to_string(*a), to_string(*b)));
}

/// Processors fault on both.
void check_division(const OnnxCall& call) {
  if (call.inputs() != 2) return;
  const KnownValue* divisor = call.known(1);
  if (divisor == nullptr || is_floating(divisor->dtype)) return;
  const auto holds = [](const KnownValue& value, double number) {
    return std::find(value.numbers.begin(), value.numbers.end(), number) != value.numbers.end();
  };
  if (holds(*divisor, 0)) refuse(call, "divides by a constant zero");
  const KnownValue* dividend = call.known(0);
  if (dividend == nullptr || !holds(*divisor, -1)) return;
  const double least = dividend->dtype == DType::kInt32 ? std::numeric_limits<std::int32_t>::min()
                                                        : static_cast<double>(std::numeric_limits<std::int64_t>::min());
  if (holds(*dividend, least)) refuse(call, fmt::format("{:.0f} divided by -1 is no number of its type", least));
}

/// Whether nothing in the body ends the loop: its condition is handed on as it came.
bool always_goes_on(const ReadGraph& body) {
  if (body.outputs.empty() || body.inputs.size() < 2) return false;
  std::string name = body.outputs[0];
  for (auto node = body.nodes.rbegin(); node != body.nodes.rend(); ++node) {
    if (std::find(node->outputs.begin(), node->outputs.end(), name) == node->outputs.end()) continue;
    if (node->type != "Identity" || node->inputs.size() != 1) return false;
    name = node->inputs[0];
  }
  return name == body.inputs[1];
}

/// Exporters write the largest number for `while`, whose body decides when it ends.
void check_loop(const OnnxCall& call) {
  constexpr double kMostTurns = 1e9;  // of which a runtime takes a tenth of a microsecond for each, or more
  const ReadGraph* body = call.node().body("body");
  const KnownValue* turns = call.known(0);
  const KnownValue* begin = call.known(1);
  if (body == nullptr || turns == nullptr || turns->numbers.size() != 1 || !(turns->numbers[0] > kMostTurns)) return;
  const bool begins = !call.has(1) || (begin != nullptr && begin->numbers.size() == 1 && begin->numbers[0] != 0);
  if (!begins || !always_goes_on(*body)) return;
  refuse(call,
         fmt::format("a loop of {:.0f} turns, which nothing ends before: no inference would end", turns->numbers[0]));
}

}  // namespace

std::string describe(const ReadNode& node) {
  std::string name = node.name;
  if (name.empty() && !node.outputs.empty()) name = node.outputs[0];
  return fmt::format("node '{}' ({})", name, node.type);
}

void check_functions(const ReadModel& model) { FunctionCounter(model).nodes_of(model.graph); }

void check_operands(OnnxCall& call) {
  const ReadNode& node = call.node();
  if (!node.domain.empty()) return;
  if (node.type == "Div" || node.type == "Mod") check_division(call);
  if (std::find(kBroadcasting.begin(), kBroadcasting.end(), node.type) != kBroadcasting.end()) check_broadcast(call);
  if (node.type == "MatMul") check_product(call);
  if (node.type == "Loop") check_loop(call);
}

}  // namespace nongemm::onnx
