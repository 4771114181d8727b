// Nodes that contain others. A branch whose condition is known is the branch that is taken, a loop whose turns are
// known is unrolled, a function stands in the place of its call. Other branches become nodes with blocks; other loops
// stay what they are in the file.
#include <algorithm>
#include <functional>
#include <set>
#include <utility>

#include "base/error.h"
#include "import/onnx/importer.h"
#include "onnx/messages.h"

namespace nongemm::onnx {
namespace {

/// Nodes that bodies and functions may add beyond what stands in the file, in all.
constexpr std::size_t kMostSpent = std::size_t{1} << 18;
constexpr std::size_t kMostDepth = 3 * static_cast<std::size_t>(kMostNestedBodies);

/// A list attribute with one entry per scan input or output; all zero when it is left out.
std::vector<std::int64_t> per_scan(const OnnxCall& call, std::string_view name, std::size_t count) {
  std::vector<std::int64_t> values = call.integers(name).value_or(std::vector<std::int64_t>());
  values.resize(count, 0);
  return values;
}

std::size_t nodes_in(const ReadGraph& graph) {
  std::size_t count = graph.nodes.size();
  for (const ReadNode& node : graph.nodes) {
    for (const auto& [name, body] : node.bodies) count += nodes_in(*body);
  }
  return count;
}

}  // namespace

void Importer::spend(std::size_t nodes) {
  if (names_.depth() > kMostDepth || nodes > kMostSpent - std::min(spent_, kMostSpent)) throw NotMapped();
  spent_ += nodes;
}

bool Importer::expand(OnnxCall& call, const ReadNode& node) {
  const auto function = model_.functions.find({node.domain, node.type, node.overload});
  if (function != model_.functions.end() && (!node.domain.empty() || find_rule(node) == nullptr)) {
    inline_function(call, node, function->second);
    return true;
  }
  if (!node.domain.empty()) return false;
  if (node.type == "If") {
    branch(call, node);
  } else if (node.type == "Loop") {
    loop(call, node);
  } else if (node.type == "Scan") {
    scan(call, node);
  } else {
    return false;
  }
  return true;
}

void Importer::read_body(const ReadGraph& body) {
  for (const ReadNode& node : body.nodes) read(node);
}

Importer::Bound Importer::look_up(const std::string& name) {
  const auto [frame, known_as] = names_.find(name);
  if (frame == nullptr) throw Error(ErrorKind::kBadInput, "uses '" + name + "' before its definition");
  if (const auto known = frame->known.find(*known_as); known != frame->known.end()) return {{}, known->second};
  return {tensor_named(name), std::nullopt};
}

Tensor Importer::tensor_named(const std::string& name) {
  ReadNode node;
  node.inputs = {name};
  const Tensor tensor = OnnxCall(builder_, names_, node, opset_).any_tensor(name);
  if (!tensor) throw Error(ErrorKind::kUnsupported, "gives '" + name + "', a tensor of a type that is not handled");
  return tensor;
}

void Importer::give(OnnxCall& call, Bound bound, std::size_t output) {
  if (bound.known) {
    call.give_known(std::move(*bound.known), output);
  } else {
    call.give(bound.tensor, output);
  }
}

void Importer::branch(OnnxCall& call, const ReadNode& node) {
  const ReadGraph* then = node.body("then_branch");
  const ReadGraph* otherwise = node.body("else_branch");
  if (then == nullptr || otherwise == nullptr) throw NotMapped();
  if (const KnownValue* condition = call.known(0)) {
    const ReadGraph& taken = condition->numbers.at(0) != 0 ? *then : *otherwise;
    std::vector<Bound> results;
    {
      const OnnxNames::Guard frame = names_.enter(taken);
      read_body(taken);
      for (const std::string& name : taken.outputs) results.push_back(look_up(name));
    }
    for (std::size_t i = 0; i < results.size(); ++i) give(call, std::move(results[i]), i);
    return;
  }
  const auto block = [&](const ReadGraph& body) {
    return [&] {
      std::vector<Tensor> results;
      const OnnxNames::Guard frame = names_.enter(body);
      read_body(body);
      for (const std::string& name : body.outputs) {
        results.push_back(tensor_named(name));
        if (results.back().dtype() == DType::kUndefined) throw NotMapped();
      }
      return results;
    };
  };
  constexpr double kAsLikelyAsNot = 0.5;
  const Tensor condition = call.call("aten.is_nonzero.default", {call.tensor(0)});
  const std::vector<Tensor> results = builder_.branch(condition, kAsLikelyAsNot, block(*then), block(*otherwise));
  for (std::size_t i = 0; i < results.size(); ++i) call.give(results[i], i);
}

void Importer::loop(OnnxCall& call, const ReadNode& node) {
  const ReadGraph* body = node.body("body");
  const KnownValue* most = call.known(0);
  const KnownValue* begin = call.known(1);
  if (body == nullptr || node.inputs.size() < 2 || (call.has(0) && most == nullptr) ||
      (call.has(1) && begin == nullptr)) {
    throw NotMapped();
  }
  const std::size_t carried_count = node.inputs.size() - 2;
  if (body->inputs.size() != carried_count + 2 || body->outputs.size() < carried_count + 1) throw NotMapped();
  const std::size_t scans = body->outputs.size() - carried_count - 1;
  std::vector<Bound> carried;
  std::vector<std::vector<Tensor>> parts(scans);
  bool goes_on = begin == nullptr || begin->numbers.at(0) != 0;
  const std::size_t size = nodes_in(*body) + 1;
  const std::int64_t turns = most != nullptr ? most->integers().at(0) : INT64_MAX;
  for (std::int64_t turn = 0; goes_on && turn < turns; ++turn) {
    spend(size);
    const OnnxNames::Guard frame = names_.enter(*body);
    OnnxNames::Frame& inner = names_.inner();
    inner.known[body->inputs[0]] = {DType::kInt64, {}, {static_cast<double>(turn)}};
    inner.known[body->inputs[1]] = {DType::kBool, {}, {1.0}};
    for (std::size_t i = 0; i < carried_count; ++i) {
      const std::string& name = body->inputs[i + 2];
      if (turn == 0) {
        inner.aliases[name] = node.inputs[i + 2];
      } else if (carried[i].known) {
        inner.known[name] = std::move(*carried[i].known);
      } else {
        inner.tensors[name] = carried[i].tensor;
      }
    }
    read_body(*body);
    const Bound condition = look_up(body->outputs[0]);
    if (!condition.known) throw NotMapped();
    goes_on = condition.known->numbers.at(0) != 0;
    carried.clear();
    for (std::size_t i = 0; i < carried_count; ++i) carried.push_back(look_up(body->outputs[i + 1]));
    for (std::size_t i = 0; i < scans; ++i) parts[i].push_back(tensor_named(body->outputs[carried_count + 1 + i]));
  }
  if (carried.empty()) {  // not a single turn
    for (std::size_t i = 0; i < carried_count; ++i) carried.push_back(look_up(node.inputs[i + 2]));
  }
  for (std::size_t i = 0; i < carried_count; ++i) give(call, std::move(carried[i]), i);
  for (std::size_t i = 0; i < scans; ++i) {
    if (parts[i].empty()) throw NotMapped();
    call.give(call.call("aten.stack.default", {parts[i], 0}), carried_count + i);
  }
}

void Importer::scan(OnnxCall& call, const ReadNode& node) {
  const ReadGraph* body = node.body("body");
  const auto scanned = static_cast<std::size_t>(std::max<std::int64_t>(call.integer("num_scan_inputs", 0), 0));
  constexpr std::int64_t kFirstOpset = 9;  // before, there was a batch dimension
  if (body == nullptr || opset_ < kFirstOpset || scanned == 0 || node.inputs.size() < scanned) throw NotMapped();
  const std::size_t states = node.inputs.size() - scanned;
  if (body->inputs.size() != node.inputs.size() || body->outputs.size() < states) throw NotMapped();
  const std::size_t scans = body->outputs.size() - states;
  const auto axes = per_scan(call, "scan_input_axes", scanned);
  const auto backwards = per_scan(call, "scan_input_directions", scanned);
  const auto result_axes = per_scan(call, "scan_output_axes", scans);
  const auto results_backwards = per_scan(call, "scan_output_directions", scans);
  std::vector<Tensor> sequences;
  for (std::size_t i = 0; i < scanned; ++i) sequences.push_back(call.tensor(states + i));
  const std::int64_t length = sequences[0].size(axes[0]);
  if (length < 1) throw NotMapped();
  std::vector<Bound> carried;
  std::vector<std::vector<Tensor>> parts(scans);
  const std::size_t size = nodes_in(*body) + scanned;
  for (std::int64_t turn = 0; turn < length; ++turn) {
    spend(size);
    const OnnxNames::Guard frame = names_.enter(*body);
    OnnxNames::Frame& inner = names_.inner();
    for (std::size_t i = 0; i < states; ++i) {
      if (turn == 0) {
        inner.aliases[body->inputs[i]] = node.inputs[i];
      } else if (carried[i].known) {
        inner.known[body->inputs[i]] = std::move(*carried[i].known);
      } else {
        inner.tensors[body->inputs[i]] = carried[i].tensor;
      }
    }
    for (std::size_t i = 0; i < scanned; ++i) {
      const std::int64_t at = backwards[i] != 0 ? length - 1 - turn : turn;
      inner.tensors[body->inputs[states + i]] = call.call("aten.select.int", {sequences[i], axes[i], at});
    }
    read_body(*body);
    carried.clear();
    for (std::size_t i = 0; i < states; ++i) carried.push_back(look_up(body->outputs[i]));
    for (std::size_t i = 0; i < scans; ++i) parts[i].push_back(tensor_named(body->outputs[states + i]));
  }
  for (std::size_t i = 0; i < states; ++i) give(call, std::move(carried[i]), i);
  for (std::size_t i = 0; i < scans; ++i) {
    if (results_backwards[i] != 0) std::reverse(parts[i].begin(), parts[i].end());
    call.give(call.call("aten.stack.default", {parts[i], result_axes[i]}), states + i);
  }
}

void Importer::inline_function(OnnxCall& call, const ReadNode& node, const ReadFunction& function) {
  spend(nodes_in(function.graph) + 1);
  std::vector<Attribute> attributes = node.attributes;
  for (const Attribute& attribute : function.defaults) {
    if (node.find(attribute.name) == nullptr) attributes.push_back(attribute);
  }
  const std::string name = node.name.empty() ? node.type : node.name;
  std::string scope = function_scope_ + (function_scope_.empty() ? "m," : ";m,") + name + "," + node.type;
  std::vector<Bound> results;
  const std::int64_t opset = std::exchange(opset_, function.opset > 0 ? function.opset : opset_);
  std::swap(function_scope_, scope);
  const auto restore = [&] {
    opset_ = opset;
    std::swap(function_scope_, scope);
  };
  try {
    const OnnxNames::Guard frame = names_.enter(function.graph, &attributes);
    for (std::size_t i = 0; i < function.graph.inputs.size(); ++i) {
      names_.inner().aliases[function.graph.inputs[i]] = i < node.inputs.size() ? node.inputs[i] : "";
    }
    read_body(function.graph);
    for (const std::string& output : function.graph.outputs) results.push_back(look_up(output));
  } catch (...) {
    restore();
    throw;
  }
  restore();
  for (std::size_t i = 0; i < results.size(); ++i) give(call, std::move(results[i]), i);
}

std::vector<std::string> Importer::captured(const ReadNode& node) {
  std::vector<std::string> names;
  std::set<std::string> seen(node.inputs.begin(), node.inputs.end());
  const std::function<void(const ReadGraph&)> visit = [&](const ReadGraph& graph) {
    seen.insert(graph.inputs.begin(), graph.inputs.end());
    for (const auto& [name, tensor] : graph.initializers) seen.insert(name);
    for (const ReadNode& inner : graph.nodes) {
      for (const std::string& input : inner.inputs) {
        if (!input.empty() && seen.insert(input).second && names_.find(input).first != nullptr) names.push_back(input);
      }
      for (const auto& [name, body] : inner.bodies) visit(*body);
      seen.insert(inner.outputs.begin(), inner.outputs.end());
    }
  };
  for (const auto& [name, body] : node.bodies) visit(*body);
  return names;
}

}  // namespace nongemm::onnx
