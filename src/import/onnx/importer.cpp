// One node of the file after the other.
#include "import/onnx/importer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "import/onnx/validity.h"
#include "onnx/fold.h"

namespace nongemm::onnx {

void Importer::read(const ReadNode& node) {
  const std::vector<Attribute>* given = names_.attributes();
  if (node.references.empty() || given == nullptr) return read_resolved(node);
  ReadNode resolved = node;
  for (const auto& [name, reference] : node.references) {
    for (const Attribute& attribute : *given) {
      if (attribute.name == reference) resolved.attributes.push_back({name, attribute.value});
    }
  }
  read_resolved(resolved);
}

void Importer::read_resolved(const ReadNode& node) {
  OnnxCall call(builder_, names_, node, opset_);
  if (names_.depth() == 1) check_operands(call);  // what a body never runs may be wrong
  if (folds(call, node)) return;
  Graph& graph = builder_.graph();
  const std::size_t first = graph.nodes.size();
  const std::size_t blocks = graph.blocks.size();
  bool mapped = false;
  try {
    map(call, node);
    mapped = true;
  } catch (const NotMapped&) {
  } catch (const std::exception&) {  // the operands do not fit the rule
  }
  if (!mapped) {
    // A rule that gives up takes as long as some that do not, and in a loop it does so in each turn.
    constexpr std::size_t kCostOfGivingUp = 8;
    take_back(first, blocks);
    if (names_.depth() > 1) spend(kCostOfGivingUp);
    keep(call, node);
  }
  const ScopeId scope = scope_of(node);
  for (std::size_t i = first; i < graph.nodes.size(); ++i) {
    if (graph.nodes[i].scope == kRootScope) graph.nodes[i].scope = scope;
  }
  note_origin(node, first);
}

void Importer::map(OnnxCall& call, const ReadNode& node) {
  if (expand(call, node)) return;
  const OnnxRule* rule = find_rule(node);
  if (rule == nullptr) throw NotMapped();
  rule->map(call);
  if (!all_given(node)) throw NotMapped();
}

bool Importer::all_given(const ReadNode& node) {
  const OnnxNames::Frame& inner = names_.inner();
  return std::all_of(node.outputs.begin(), node.outputs.end(), [&](const std::string& name) {
    return name.empty() || !used_.contains(name) || inner.tensors.contains(name) || inner.known.contains(name);
  });
}

void Importer::note_uses(const ReadGraph& graph) {
  used_.insert(graph.outputs.begin(), graph.outputs.end());
  for (const ReadNode& node : graph.nodes) {
    used_.insert(node.inputs.begin(), node.inputs.end());
    for (const auto& [name, body] : node.bodies) note_uses(*body);
  }
}

bool Importer::folds(const OnnxCall& call, const ReadNode& node) {
  if (node.outputs.size() != 1 || !node.bodies.empty() || !node.domain.empty()) return false;
  std::vector<const KnownValue*> inputs;
  bool any_unknown = false;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    inputs.push_back(call.known(i));
    any_unknown = any_unknown || (call.has(i) && inputs.back() == nullptr);
  }
  if (any_unknown) return false;
  try {
    std::optional<KnownValue> value = fold({node.type, node.attributes, opset_}, inputs);
    // Lists that are computed from each other could make any amount of memory of a small file.
    constexpr std::size_t kMostNumbers = std::size_t{1} << 22;
    if (!value || (folded_numbers_ += value->numbers.size()) > kMostNumbers) return false;
    names_.inner().known[node.outputs[0]] = std::move(*value);
    return true;
  } catch (const std::exception&) {  // a list that is too short
    return false;
  }
}

/// Nodes and blocks that a rule had added before it gave up.
void Importer::take_back(std::size_t nodes, std::size_t blocks) {
  Graph& graph = builder_.graph();
  for (std::size_t i = nodes; i < graph.nodes.size(); ++i) {
    for (const ValueId value : graph.nodes[i].outputs) graph.values[value].producer = kNoId;
  }
  graph.nodes.resize(nodes);
  graph.blocks.resize(blocks);
  // Ids rise: only the end is looked at, since a loop that is unrolled may give up once per turn.
  const auto pop = [&](std::vector<NodeId>& ids) {
    while (!ids.empty() && ids.back() >= nodes) ids.pop_back();
  };
  pop(graph.blocks[builder_.block()].nodes);
  if (noted_.size() <= nodes) return;
  noted_.resize(nodes);
  for (std::vector<NodeId>& of_file : nodes_of_file_) pop(of_file);
}

/// As an operator that the table does not know.
void Importer::keep(OnnxCall& call, const ReadNode& node) {
  Graph& graph = builder_.graph();
  Node kept;
  kept.op = "onnx." + (node.domain.empty() ? "" : node.domain + "::") + node.type + ".default";
  std::replace(kept.op.begin() + 5, kept.op.end() - 8, '.', '_');  // com.microsoft
  std::vector<std::string> operands = node.inputs;
  for (std::string& name : captured(node)) operands.push_back(std::move(name));
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const Tensor operand = names_.left_out(operands[i]) ? Tensor() : call.any_tensor(operands[i]);
    if (!operand) continue;
    kept.arg_names.push_back("input_" + std::to_string(i));
    kept.args.emplace_back(Use{operand.id()});
  }
  if (kept.arg_names.empty()) {  // what marks it as an operator outside the table
    kept.arg_names.emplace_back("none");
    kept.args.emplace_back();
  }
  std::vector<Type> types;
  for (std::size_t i = 0; i < node.outputs.size(); ++i) types.push_back(type_of_kept(call, node, i));
  const auto id = static_cast<NodeId>(graph.nodes.size());
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    kept.outputs.push_back(static_cast<ValueId>(graph.values.size()));
    graph.values.push_back({std::move(types[i]), id});
    if (!node.outputs[i].empty()) names_.inner().tensors[node.outputs[i]] = Tensor(&builder_, kept.outputs.back());
  }
  graph.blocks[builder_.block()].nodes.push_back(id);
  graph.nodes.push_back(std::move(kept));
  // What the bodies do is a part of it.
  const std::function<void(const ReadNode&)> note_bodies = [&](const ReadNode& outer) {
    for (const auto& [name, body] : outer.bodies) {
      for (const ReadNode& inner : body->nodes) {
        if (inner.position != ReadNode::kNowhere) nodes_of_file_[inner.position].push_back(id);
        note_bodies(inner);
      }
    }
  };
  note_bodies(node);
  noted_.resize(graph.nodes.size(), false);
}

namespace {

/// Operators without a rule whose result is like their first operand.
constexpr std::array<std::string_view, 22> kLikeFirst = {"Celu",
                                                         "Selu",
                                                         "ThresholdedRelu",
                                                         "Shrink",
                                                         "Hardmax",
                                                         "LRN",
                                                         "Softsign",
                                                         "HardSigmoid",
                                                         "PRelu",
                                                         "Dropout",
                                                         "GroupNormalization",
                                                         "LpNormalization",
                                                         "BiasGelu",
                                                         "FastGelu",
                                                         "QuickGelu",
                                                         "MeanVarianceNormalization",
                                                         "SkipLayerNormalization",
                                                         "SimplifiedLayerNormalization",
                                                         "SkipSimplifiedLayerNormalization",
                                                         "RotaryEmbedding",
                                                         "BitShift",
                                                         "ScatterND"};

/// Sizes of known names are known. Nothing when the file does not say the whole type.
std::optional<Type> stated_type(const ReadValue* stated, const std::map<std::string, std::int64_t>& sizes) {
  if (stated == nullptr || stated->dtype == DType::kUndefined || !stated->has_shape) return std::nullopt;
  Type type;
  type.dtype = stated->dtype;
  for (std::size_t i = 0; i < stated->shape.size(); ++i) {
    const auto size = sizes.find(stated->dim_names[i]);
    const bool bound = stated->shape[i] == kDynamic && !stated->dim_names[i].empty() && size != sizes.end();
    type.shape.push_back(bound ? size->second : stated->shape[i]);
  }
  return type;
}

/// What the bodies of If and Loop say of a result.
const ReadValue* stated_inside(const ReadNode& node, std::size_t output) {
  if (node.bodies.empty()) return nullptr;
  const ReadGraph& body = *node.bodies.front().second;
  if (node.type == "Loop") ++output;
  // Results behind those that a loop carries are put together from all turns.
  const bool carried = node.type == "If" || (node.type == "Loop" && output + 1 < node.inputs.size());
  if (!carried || output >= body.outputs.size()) return nullptr;
  const auto value = body.values.find(body.outputs[output]);
  return value == body.values.end() ? nullptr : &value->second;
}

/// Of matrices as layers have them: one of weights, or one for each of the first operand's; else nothing is said.
Type integer_product(const Tensor& a, const Tensor& b) {
  if (a.dtype() == DType::kUndefined || b.dtype() == DType::kUndefined || a.rank() < 2 || b.rank() < 2) return {};
  Shape shape = a.type().shape;
  const Shape right = b.type().shape;
  if (right.size() > 2 && !std::equal(shape.begin(), shape.end() - 2, right.begin(), right.end() - 2)) return {};
  shape.back() = right.back();
  return OnnxCall::dense(DType::kInt32, std::move(shape));
}

}  // namespace

/// What the file says of it, or what follows from the operator's kind; without dtype where nothing does.
Type Importer::type_of_kept(OnnxCall& call, const ReadNode& node, std::size_t output) {
  Type type;
  for (const ReadValue* stated : {names_.stated(node.outputs[output]), stated_inside(node, output)}) {
    if (std::optional<Type> known = stated_type(stated, sizes_)) return *std::move(known);
  }
  const auto operand = [&](std::size_t i) { return call.has(i) ? call.any_tensor(node.inputs[i]) : Tensor(); };
  const Tensor first = operand(0);
  // Of operand 0 its scale and its zero point, one each.
  if (node.type == "DynamicQuantizeLinear" && output > 0) {
    return OnnxCall::dense(output == 1 ? DType::kFloat32 : DType::kUInt8, {});
  }
  if (!first || output > 0 || first.dtype() == DType::kUndefined) return type;
  const auto like_first = [&](DType dtype) {
    type = first.type();
    type.dtype = dtype;
    type.strides.clear();
    type.alias = false;
    return type;
  };
  if (std::find(kLikeFirst.begin(), kLikeFirst.end(), node.type) != kLikeFirst.end()) {
    return like_first(first.dtype());
  }
  if ((node.type == "LSTM" || node.type == "GRU" || node.type == "RNN") && first.rank() == 3 && operand(2)) {
    // [sequence, directions, batch, hidden], the recurrent weights being [directions, gates * hidden, hidden]
    return OnnxCall::dense(first.dtype(), {first.size(0), operand(2).size(0), first.size(1), operand(2).size(-1)});
  }
  if (node.type == "QuantizeLinear") return like_first(operand(2) ? operand(2).dtype() : DType::kUInt8);
  if (node.type == "DynamicQuantizeLinear") return like_first(DType::kUInt8);
  if (node.type == "DequantizeLinear" && operand(1)) return like_first(operand(1).dtype());
  if (node.type == "MatMulInteger" && operand(1)) return integer_product(first, operand(1));
  if (node.type == "IsInf") return like_first(DType::kBool);
  return type;
}

/// Nodes of functions belong to the node that calls the function.
void Importer::note_origin(const ReadNode& node, std::size_t first) {
  if (node.position == ReadNode::kNowhere) return;
  const std::size_t count = builder_.graph().nodes.size();
  noted_.resize(count, false);
  for (std::size_t i = first; i < count; ++i) {
    if (!noted_[i]) nodes_of_file_[node.position].push_back(static_cast<NodeId>(i));
    noted_[i] = true;
  }
}

/// The dynamo exporter notes modules; the TorchScript exporter puts their path into the node's name.
ScopeId Importer::scope_of(const ReadNode& node) {
  std::string stack;
  const auto add = [&](const std::string& path, const std::string& type) {
    stack += (stack.empty() ? "m," : ";m,") + path + "," + type;
  };
  for (const auto& [path, type] : node.modules) add(path, type);
  if (node.modules.empty() && node.position == ReadNode::kNowhere) {
    stack = function_scope_;
  } else if (node.modules.empty() && node.name.starts_with('/')) {
    std::string path;
    std::size_t begin = 1;
    for (std::size_t end = node.name.find('/', begin); end != std::string::npos; end = node.name.find('/', begin)) {
      path += (path.empty() ? "" : ".") + node.name.substr(begin, end - begin);
      add(path, "");
      begin = end + 1;
    }
  }
  return stack.empty() ? kRootScope : scopes_.find(stack);
}

}  // namespace nongemm::onnx
