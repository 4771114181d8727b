// The operator graph: what PyTorch eager would dispatch for one inference, in order, as plain data.
//
// SSA: every value is defined once, by a node, as a graph input, a weight or a constant. Nodes stand in program
// order inside blocks; block 0 is the graph's body, further blocks belong to control nodes (a loop body).
// Nothing here knows operators beyond their names (that is ops/) or a framework (that is flows/).
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/dtype.h"
#include "base/init_spec.h"
#include "base/tensor.h"

namespace nongemm {

using ValueId = std::uint32_t;
using NodeId = std::uint32_t;
using ScopeId = std::uint32_t;
using BlockId = std::uint32_t;

inline constexpr std::uint32_t kNoId = UINT32_MAX;
/// The scope of nodes outside any module, and the root of all scopes.
inline constexpr ScopeId kRootScope = 0;
inline constexpr BlockId kBodyBlock = 0;

/// What is known of a value before the run.
struct Type {
  /// kTensorList: tensors of one dtype and shape whose number only the run knows; dtype and shape are the elements'.
  enum class Kind : std::uint8_t { kTensor, kInt, kFloat, kBool, kTensorList };

  Kind kind = Kind::kTensor;
  DType dtype = DType::kUndefined;
  /// Unknown dimensions are kDynamic.
  Shape shape;
  /// In elements; empty means row-major contiguous.
  Shape strides;
  /// Shares the storage of the node's first tensor operand: the node moved no data.
  bool alias = false;

  bool operator==(const Type&) const = default;
};

/// A use of a value as an operand. kNoId stands for an absent element of a list (x[:, idx] has an absent first index).
struct Use {
  ValueId value = kNoId;
  bool operator==(const Use&) const = default;
};

/// An integer operand that is either known or computed by a node (the size of a crop, taken from a box).
struct Int {
  std::int64_t value = 0;
  ValueId ref = kNoId;

  Int() = default;
  Int(std::int64_t known) : value(known) {}  // NOLINT: numbers are written as numbers in builders
  static Int of(ValueId ref) {
    Int result(kDynamic);
    result.ref = ref;
    return result;
  }
  bool known() const { return ref == kNoId; }
  bool operator==(const Int&) const = default;
};

/// One operand, in the position its schema gives it. monostate is None. A number where the schema wants a Tensor is
/// a Python number (`x * 0.5`): it takes part in type promotion as a scalar does. Devices, layouts and memory formats
/// are strings ("cpu", "channels_last"); an absent device means the device of the run.
using Argument = std::variant<std::monostate, Use, std::vector<Use>, std::int64_t, std::vector<Int>, double, bool,
                              std::string, DType, std::vector<double>, std::vector<bool>>;

struct Value {
  Type type;
  /// The defining node, kNoId for inputs, weights, constants and block parameters.
  NodeId producer = kNoId;
};

struct Node {
  /// Schema name and overload: "aten.layer_norm.default", "aten.add.Tensor".
  std::string op;
  /// All of the schema's arguments, defaults filled in. Of an operator that the table does not know, those that were
  /// given: `arg_names` says which they are.
  std::vector<Argument> args;
  /// One per result; a result that is a list (split, unbind) has one value per element, or a single value of kind
  /// kTensorList when only the run knows how many there are.
  std::vector<ValueId> outputs;
  ScopeId scope = kRootScope;
  /// Bodies of a control node: {then, else} of nongemm.if.default, the body of nongemm.foreach.default. A block may use
  /// values of the blocks around it.
  std::vector<BlockId> blocks;
  /// Names of `args` in the operator's schema, which only the runtime has; empty for operators of the table.
  std::vector<std::string> arg_names;
};

/// A module of the original: where a node came from.
struct Scope {
  ScopeId parent = kRootScope;
  std::string name;  // its name in the parent: "ln_1"
  std::string type;  // its class: "LayerNorm"
};

struct Block {
  /// One element of each list that nongemm.foreach.default walks; none in other blocks.
  std::vector<ValueId> parameters;
  std::vector<NodeId> nodes;
  std::vector<ValueId> results;
};

/// What an input holds, so that synthetic data can be drawn for it.
struct InputKind {
  enum class Content : std::uint8_t { kTokens, kMask, kPixels, kImage, kOther };
  Content content = Content::kOther;
  /// Tokens are drawn from [0, limit).
  std::int64_t limit = 0;

  bool operator==(const InputKind&) const = default;
};

struct Input {
  ValueId value = kNoId;
  std::string name;  // the keyword or position in the original's forward()
  InputKind kind;
};

/// A parameter or buffer of the original.
struct Weight {
  ValueId value = kNoId;
  std::string name;  // in the state dict
  InitSpec init;     // how synthetic weights are drawn
  /// Further names under which checkpoints may hold the same tensor (tied weights).
  std::vector<std::string> aliases;
  /// Recorded statistics and the like: part of the state dict, not counted as parameters.
  bool buffer = false;
};

struct Constant {
  ValueId value = kNoId;
  HostTensor tensor;
  /// Stays in host memory whatever the device, as the number of `x[a:b] = 3` does.
  bool on_host = false;
};

struct Output {
  ValueId value = kNoId;
  std::string name;
};

/// A weight that checkpoints hold in pieces: transformers keeps all experts of a layer in one tensor, published
/// checkpoints keep each by itself.
struct WeightPieces {
  /// The end of the weight's name: ".experts.gate_up_proj". Its first dimension counts the experts.
  std::string weight;
  /// The ends of the pieces' names, `#` for the expert's number; an expert's pieces lie one after the other:
  /// ".experts.#.gate_proj.weight", ".experts.#.up_proj.weight".
  std::vector<std::string> pieces;
};

/// What an architecture knows of the checkpoints published for it.
struct CheckpointRules {
  /// Glob patterns of entries that are not needed ("*.attn.bias").
  std::vector<std::string> ignored;
  /// Prefixes that a checkpoint may lack or add ("transformer.").
  std::vector<std::string> optional_prefixes;
  /// {old, new} pieces of names ("LayerNorm.gamma" -> "LayerNorm.weight").
  std::vector<std::pair<std::string, std::string>> renames;
  /// Names after the renames.
  std::vector<WeightPieces> pieces = {};
};

/// The ONNX file that a graph was read from, for runtimes that run such files themselves.
struct SourceFile {
  std::filesystem::path path;
  /// By node of the file, those of its bodies after it: the graph's nodes that it became. None where the graph has
  /// numbers instead of what the node computes, or nothing has to be done.
  std::vector<std::vector<NodeId>> nodes;
};

/// The attribute of a graph that is a compiled package, which keeps its weights to itself: the device it is for.
inline constexpr const char* kCompiledFor = "compiled for";

struct Graph {
  std::string name;
  /// What the graph was built for, for reports: "batch", "sequence", "dtype", "attention".
  std::map<std::string, std::string> attributes;

  std::vector<Value> values;
  std::vector<Node> nodes;
  std::vector<Block> blocks{Block{}};
  std::vector<Scope> scopes{Scope{}};

  std::vector<Input> inputs;
  std::vector<Weight> weights;
  std::vector<Constant> constants;
  std::vector<Output> outputs;
  CheckpointRules checkpoint_rules;
  /// Not set where the graph is no longer what the file says.
  std::shared_ptr<const SourceFile> source;
  /// Where weights are made from those of a checkpoint (quantized, transposed): a graph over the checkpoint's, run once
  /// at load. Its outputs are the weights of this graph that have their names; the others are taken as they are.
  std::shared_ptr<const Graph> preparation;

  /// The weights that a checkpoint gives: the preparation's where there is one.
  const std::vector<Weight>& stored_weights() const { return preparation != nullptr ? preparation->weights : weights; }
  /// The graph that has them, and says of what types they are.
  const Graph& stored() const { return preparation != nullptr ? *preparation : *this; }

  /// "h.0.ln_1"; empty for the root.
  std::string scope_path(ScopeId scope) const;
};

/// Calls `visit(ValueId)` for every value an argument uses, those of lists and of computed integers included.
template <typename Visit>
void for_each_use(const Argument& argument, Visit&& visit) {
  if (const auto* use = std::get_if<Use>(&argument)) {
    if (use->value != kNoId) visit(use->value);
  } else if (const auto* uses = std::get_if<std::vector<Use>>(&argument)) {
    for (const Use& element : *uses) {
      if (element.value != kNoId) visit(element.value);
    }
  } else if (const auto* ints = std::get_if<std::vector<Int>>(&argument)) {
    for (const Int& element : *ints) {
      if (!element.known()) visit(element.ref);
    }
  }
}

/// Row-major strides of a dense tensor.
Shape contiguous_strides(const Shape& shape);

/// True when the elements lie in row-major order without holes; dimensions of size 1 do not count.
bool is_contiguous(const Type& type);

}  // namespace nongemm
