#include "ops/check_graph.h"

#include <algorithm>

#include "base/error.h"
#include "ops/op.h"

namespace nongemm {
namespace {

class Checker {
 public:
  explicit Checker(const Graph& graph) : graph_(graph), defined_(graph.values.size(), false) {}

  std::vector<std::string> check() {
    for (const Input& input : graph_.inputs) define(input.value, "input '" + input.name + "'");
    for (const Weight& weight : graph_.weights) define(weight.value, "weight '" + weight.name + "'");
    for (const Constant& constant : graph_.constants) define(constant.value, "a constant");
    check_block(kBodyBlock);
    for (const Output& output : graph_.outputs) {
      if (!is_defined(output.value)) report("output '" + output.name + "' has no definition");
    }
    if (graph_.preparation != nullptr) check_preparation(*graph_.preparation);
    return std::move(problems_);
  }

 private:
  void report(std::string problem) { problems_.push_back(std::move(problem)); }

  bool is_defined(ValueId id) const { return id < defined_.size() && defined_[id]; }

  void define(ValueId id, const std::string& what) {
    if (id >= defined_.size()) return report(what + " defines value " + std::to_string(id) + ", which does not exist");
    if (defined_[id]) report(what + " defines value " + std::to_string(id) + " once more");
    defined_[id] = true;
  }

  void check_preparation(const Graph& preparation) {
    for (const std::string& problem : problems_of(preparation)) report("preparation of weights: " + problem);
    const auto type_in = [&](const std::string& name) -> const Type* {
      for (const Output& made : preparation.outputs) {
        if (made.name == name) return &preparation.values[made.value].type;
      }
      for (const Weight& stored : preparation.weights) {
        if (stored.name == name) return &preparation.values[stored.value].type;
      }
      return nullptr;
    };
    for (const Weight& weight : graph_.weights) {
      const Type* type = type_in(weight.name);
      const Type& stated = graph_.values[weight.value].type;
      if (type == nullptr) {
        report("nothing makes the weight '" + weight.name + "'");
      } else if (type->shape != stated.shape || type->dtype != stated.dtype) {
        report("the weight '" + weight.name + "' is stated as " + to_string(stated.shape) + ", it is made as " +
               to_string(type->shape));
      }
    }
  }

  std::string place(NodeId id) const {
    const Node& node = graph_.nodes[id];
    const std::string scope = graph_.scope_path(node.scope);
    return "node " + std::to_string(id) + " (" + node.op + (scope.empty() ? "" : " in " + scope) + ")";
  }

  void check_block(BlockId block) {
    for (const ValueId id : graph_.blocks[block].parameters) define(id, "a block");
    for (const NodeId id : graph_.blocks[block].nodes) check_node(id);
    for (const ValueId id : graph_.blocks[block].results) {
      if (!is_defined(id)) report("a block's result " + std::to_string(id) + " has no definition");
    }
  }

  void check_node(NodeId id) {
    const Node& node = graph_.nodes[id];
    for (const Argument& argument : node.args) {
      for_each_use(argument, [&](ValueId used) {
        if (!is_defined(used)) report(place(id) + " uses value " + std::to_string(used) + " before its definition");
      });
    }
    for (const BlockId block : node.blocks) check_block(block);
    check_against_table(id, node);
    for (const ValueId output : node.outputs) define(output, place(id));
  }

  void check_against_table(NodeId id, const Node& node) {
    if (!node.arg_names.empty()) return check_foreign(id, node);
    const Op* op = OpTable::get().find(node.op);
    if (op == nullptr) return report(place(id) + ": the operator is not in the table");
    if (node.args.size() != op->schema.args.size()) {
      return report(place(id) + " has " + std::to_string(node.args.size()) + " arguments, its schema " +
                    std::to_string(op->schema.args.size()));
    }
    for (std::size_t i = 0; i < node.args.size(); ++i) {
      if (!accepts(op->schema.args[i], node.args[i])) {
        report(place(id) + ": argument '" + op->schema.args[i].name + "' has the wrong kind");
      }
    }
    if (!node.blocks.empty()) return;  // results of control nodes come from their blocks
    try {
      const std::vector<Type> types = infer_types(graph_, node, *op);
      if (types.size() != node.outputs.size()) {
        return report(place(id) + " has " + std::to_string(node.outputs.size()) + " results, its rule gives " +
                      std::to_string(types.size()));
      }
      for (std::size_t i = 0; i < types.size(); ++i) {
        const Type& stated = graph_.values[node.outputs[i]].type;
        if (types[i].shape != stated.shape || types[i].dtype != stated.dtype || types[i].kind != stated.kind) {
          report(place(id) + ": result " + std::to_string(i) + " is stated as " + to_string(stated.shape) +
                 ", its rule gives " + to_string(types[i].shape));
        }
      }
    } catch (const std::exception& error) {
      report(place(id) + ": " + error.what());
    }
  }

  /// Only the runtime knows the schemas of operators outside the table.
  void check_foreign(NodeId id, const Node& node) {
    if (node.args.size() != node.arg_names.size()) report(place(id) + " has not as many names as arguments");
  }

  const Graph& graph_;
  std::vector<bool> defined_;
  std::vector<std::string> problems_;
};

}  // namespace

std::vector<std::string> problems_of(const Graph& graph) { return Checker(graph).check(); }

void verify(const Graph& graph) {
  const std::vector<std::string> problems = problems_of(graph);
  if (problems.empty()) return;
  constexpr std::size_t kMost = 10;
  std::string text = "graph '" + graph.name + "' is not sound:";
  for (std::size_t i = 0; i < std::min(kMost, problems.size()); ++i) text += "\n  " + problems[i];
  if (problems.size() > kMost) text += "\n  and " + std::to_string(problems.size() - kMost) + " more";
  throw Error(ErrorKind::kBadInput, text);
}

}  // namespace nongemm
