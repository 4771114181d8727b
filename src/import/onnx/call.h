// One ONNX node on its way into the graph, and the rules that say which operators it becomes.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "import/onnx/model.h"
#include "onnx/known_value.h"
#include "ops/builder.h"

namespace nongemm::onnx {

/// What the file's names stand for: tensors of the graph, known numbers, initializers. Bodies see the names around
/// them, functions only what they are called with.
class OnnxNames {
 public:
  struct Frame {
    const ReadGraph* graph = nullptr;
    /// What a function was called with; nullptr for other frames.
    const std::vector<Attribute>* attributes = nullptr;
    std::map<std::string, Tensor> tensors;
    std::map<std::string, KnownValue> known;
    std::map<std::string, const HostTensor*> initializers;
    /// Parameters that go by another name outside; by none where they are left out.
    std::map<std::string, std::string> aliases;
  };

  /// Opens a frame until the returned object dies.
  class Guard {
   public:
    explicit Guard(OnnxNames& names) : names_(names) {}
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;
    ~Guard() { names_.frames_.pop_back(); }

   private:
    OnnxNames& names_;
  };
  [[nodiscard]] Guard enter(const ReadGraph& graph, const std::vector<Attribute>* attributes = nullptr);

  Frame& inner() { return frames_.back(); }
  const Frame& outer() const { return frames_.front(); }
  std::size_t depth() const { return frames_.size(); }
  /// Where a name means something, and the name that it has there; nullptr when it means nothing.
  std::pair<Frame*, const std::string*> find(const std::string& name);
  /// An empty name, or a parameter of a function that the call gives nothing for.
  bool left_out(const std::string& name) const;
  /// Attributes of the function around; nullptr outside functions.
  const std::vector<Attribute>* attributes() const;
  /// What the file says of the type of a value of the innermost graph; nullptr when nothing.
  const ReadValue* stated(const std::string& name) const;

 private:
  std::deque<Frame> frames_;
};

/// Thrown by rules for what they do not map; the node is then kept as it is in the file.
struct NotMapped {};

class OnnxCall {
 public:
  OnnxCall(Builder& builder, OnnxNames& names, const ReadNode& node, std::int64_t opset)
      : builder_(builder), names_(names), node_(node), opset_(opset) {}

  const ReadNode& node() const { return node_; }
  Builder& builder() { return builder_; }
  std::int64_t opset() const { return opset_; }
  std::size_t inputs() const { return node_.inputs.size(); }

  bool has(std::size_t i) const { return i < node_.inputs.size() && !names_.left_out(node_.inputs[i]); }
  /// An input as a tensor of the graph: initializers become weights, known numbers constants.
  /// @throws NotMapped for one whose type is not known
  Tensor tensor(std::size_t i);
  /// The same, of any type; none for a tensor of the file that the graph has no type for.
  Tensor any_tensor(const std::string& name);
  /// None when it is left out.
  Tensor optional_tensor(std::size_t i) { return has(i) ? tensor(i) : Tensor(); }
  /// nullptr when only the run knows it.
  const KnownValue* known(std::size_t i) const;
  /// The same of tensors that the file stores, however large.
  std::optional<KnownValue> stored(std::size_t i) const;
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
  /// Calls an operator that the table lacks, by PyTorch's name. @param type of its result
  Tensor call_outside(std::string_view op, const std::vector<NamedArg>& args, Type type);
  /// The type of a dense tensor.
  static Type dense(DType dtype, Shape shape);
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
std::span<const OnnxRule> window_rules();
std::span<const OnnxRule> reduction_rules();
std::span<const OnnxRule> indexing_rules();
/// Of the domain com.microsoft.
std::span<const OnnxRule> microsoft_rules();

/// nullptr when the operator has no rule.
const OnnxRule* find_rule(const ReadNode& node);

}  // namespace nongemm::onnx
