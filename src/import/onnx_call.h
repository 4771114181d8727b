// One ONNX node on its way into the graph, and the rules that say which operators it becomes.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "import/onnx_model.h"
#include "import/onnx_values.h"
#include "ops/builder.h"

namespace nongemm::onnx {

/// Tensors of the graph and known numbers by their names in the file.
struct OnnxNames {
  std::map<std::string, Tensor> tensors;
  std::map<std::string, KnownValue> known;
  std::map<std::string, const HostTensor*> initializers;
};

/// Thrown by rules for what they do not map; the node is then kept as it is in the file.
struct NotMapped {};

class OnnxCall {
 public:
  OnnxCall(Builder& builder, OnnxNames& names, const ReadNode& node, std::int64_t opset)
      : builder_(builder), names_(names), node_(node), opset_(opset) {}

  const ReadNode& node() const { return node_; }
  std::int64_t opset() const { return opset_; }
  std::size_t inputs() const { return node_.inputs.size(); }

  bool has(std::size_t i) const { return i < node_.inputs.size() && !node_.inputs[i].empty(); }
  /// An input as a tensor of the graph: initializers become weights, known numbers constants.
  Tensor tensor(std::size_t i);
  /// None when it is left out.
  Tensor optional_tensor(std::size_t i) { return has(i) ? tensor(i) : Tensor(); }
  /// nullptr when only the run knows it.
  const KnownValue* known(std::size_t i) const;
  /// A number that takes part in arithmetic as Python's do, where the input is one and known; otherwise the tensor.
  Arg operand(std::size_t i);

  std::int64_t integer(std::string_view name, std::int64_t otherwise) const;
  double number(std::string_view name, double otherwise) const;
  std::string text(std::string_view name, std::string_view otherwise) const;
  std::optional<std::vector<std::int64_t>> integers(std::string_view name) const;
  /// An attribute of older opsets that is an input of later ones (axes). @throws NotMapped when only the run knows it
  std::optional<std::vector<std::int64_t>> integers(std::string_view name, std::size_t input) const;

  Tensor call(std::string_view op, std::initializer_list<Arg> args, std::initializer_list<NamedArg> named = {}) {
    return builder_.call(op, args, named);
  }
  std::vector<Tensor> call_all(std::string_view op, std::initializer_list<Arg> args) {
    return builder_.call_all(op, args);
  }
  Tensor constant(const HostTensor& tensor) { return builder_.constant(tensor); }
  void give(const Tensor& result, std::size_t output = 0);
  void give_known(KnownValue value, std::size_t output = 0);

 private:
  Builder& builder_;
  OnnxNames& names_;
  const ReadNode& node_;
  std::int64_t opset_;
};

struct OnnxRule {
  std::string_view type;
  void (*map)(OnnxCall& call);
};

/// Rules by kind of operator; a type stands in one of them.
std::span<const OnnxRule> elementwise_rules();
std::span<const OnnxRule> layout_rules();
std::span<const OnnxRule> layer_rules();

/// nullptr when the operator has no rule.
const OnnxRule* find_rule(const ReadNode& node);

}  // namespace nongemm::onnx
