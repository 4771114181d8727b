// Builds a graph operator by operator, as the original's forward() would dispatch them.
// Types are inferred as nodes are added, so a model can read x.size(1) the way the original does.
#pragma once

#include <functional>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"
#include "ops/op.h"

namespace nongemm {

class Builder;

/// A value under construction: a tensor, a host number or a list. Default-constructed it is None.
class Tensor {
 public:
  Tensor() = default;
  Tensor(Builder* builder, ValueId id) : builder_(builder), id_(id) {}

  explicit operator bool() const { return builder_ != nullptr; }
  Builder& builder() const { return *builder_; }
  ValueId id() const { return id_; }
  const Type& type() const;
  const Shape& shape() const { return type().shape; }
  DType dtype() const { return type().dtype; }
  std::int64_t rank() const { return static_cast<std::int64_t>(shape().size()); }
  /// Counted from the end when negative; kDynamic when only the run knows it.
  std::int64_t size(std::int64_t dim) const;

 private:
  Builder* builder_ = nullptr;
  ValueId id_ = kNoId;
};

inline constexpr std::monostate kNone{};

/// Anything an operator takes.
struct Arg {
  Argument value;

  Arg(std::monostate) {}       // NOLINT: written as in Python
  Arg(const Tensor& tensor) {  // NOLINT
    if (tensor) value = Use{tensor.id()};
  }
  Arg(const std::vector<Tensor>& tensors) {  // NOLINT
    std::vector<Use> uses;
    for (const Tensor& tensor : tensors) uses.push_back(Use{tensor ? tensor.id() : kNoId});
    value = std::move(uses);
  }
  Arg(int number) : value(static_cast<std::int64_t>(number)) {}                     // NOLINT
  Arg(std::int64_t number) : value(number) {}                                       // NOLINT
  Arg(double number) : value(number) {}                                             // NOLINT
  Arg(bool flag) : value(flag) {}                                                   // NOLINT
  Arg(const char* text) : value(std::string(text)) {}                               // NOLINT
  Arg(std::string text) : value(std::move(text)) {}                                 // NOLINT
  Arg(DType dtype) : value(dtype) {}                                                // NOLINT
  Arg(const Shape& sizes) : value(std::vector<Int>(sizes.begin(), sizes.end())) {}  // NOLINT
  Arg(std::vector<Int> sizes) : value(std::move(sizes)) {}                          // NOLINT
  Arg(std::vector<double> numbers) : value(std::move(numbers)) {}                   // NOLINT
};

struct NamedArg {
  std::string_view name;
  Arg value;
};

class Builder {
 public:
  /// @param dtype of parameters and of activations where the original leaves it to the weights
  Builder(std::string name, DType dtype);

  DType dtype() const { return dtype_; }

  /// Opens a module; closed when the returned object dies. `name` may be a path ("h.0").
  class ScopeGuard {
   public:
    ScopeGuard(Builder& builder, ScopeId outer) : builder_(builder), outer_(outer) {}
    ScopeGuard(const ScopeGuard&) = delete;
    ScopeGuard& operator=(const ScopeGuard&) = delete;
    ~ScopeGuard() { builder_.scope_ = outer_; }

   private:
    Builder& builder_;
    ScopeId outer_;
  };
  [[nodiscard]] ScopeGuard scope(std::string name, std::string type);

  /// Adds nodes to this block and module until the returned object dies.
  class PlaceGuard {
   public:
    PlaceGuard(Builder& builder, BlockId block, ScopeId scope)
        : builder_(builder), block_(builder.block_), scope_(builder.scope_) {
      builder.block_ = block;
      builder.scope_ = scope;
    }
    PlaceGuard(const PlaceGuard&) = delete;
    PlaceGuard& operator=(const PlaceGuard&) = delete;
    ~PlaceGuard() {
      builder_.block_ = block_;
      builder_.scope_ = scope_;
    }

   private:
    Builder& builder_;
    BlockId block_;
    ScopeId scope_;
  };
  [[nodiscard]] PlaceGuard place(BlockId block, ScopeId scope) { return {*this, block, scope}; }

  Tensor input(std::string name, DType dtype, Shape shape, InputKind kind);
  /// A parameter of the module in scope, in the model's dtype. Asking again for the same name gives the same tensor.
  Tensor parameter(const std::string& name, Shape shape, InitSpec init);
  /// One that the original keeps in a type of its own.
  Tensor parameter(const std::string& name, DType dtype, Shape shape, InitSpec init);
  /// A buffer with a dtype of its own.
  Tensor buffer(const std::string& name, DType dtype, Shape shape, InitSpec init);
  /// A tensor that the original computes when it is constructed. `name`, if the state dict holds it, is not read.
  Tensor constant(HostTensor tensor, const std::string& name = "");
  /// One that stays in host memory: a Python number where an operator takes a tensor.
  Tensor host_constant(HostTensor tensor);
  /// Another name of the same tensor in checkpoints (tied weights), from the root.
  void tie(const Tensor& weight, std::string full_name);

  void output(std::string name, const Tensor& tensor);

  /// Adds a node and returns its first (or only) result. Positional arguments first, then by name; what is left out
  /// takes the schema's default. Throws Error(kBadInput) when arguments do not fit the schema or the shapes.
  Tensor call(std::string_view op, std::initializer_list<Arg> args, std::initializer_list<NamedArg> named = {});
  /// The same, with all results.
  std::vector<Tensor> call_all(std::string_view op, std::initializer_list<Arg> args,
                               std::initializer_list<NamedArg> named = {});

  /// `then() if condition else otherwise()`; both give the same number of results. A dimension in which they differ is
  /// only known at run time.
  /// @param expected how often the condition holds, 0 to 1, for what is said of the graph before a run
  std::vector<Tensor> branch(const Tensor& condition, double expected, const std::function<std::vector<Tensor>()>& then,
                             const std::function<std::vector<Tensor>()>& otherwise);
  /// Runs `body` for the elements of lists of one length, side by side; each of its results becomes a list.
  /// @param expected the lists' length, for what is said of the graph before a run
  std::vector<Tensor> foreach (const std::vector<Tensor>& lists, std::int64_t expected,
                               const std::function<std::vector<Tensor>(const std::vector<Tensor>&)>& body);

  Graph& graph() { return graph_; }
  /// To which nodes are added now: the body, or a block of branch() or foreach().
  BlockId block() const { return block_; }
  /// The finished graph; the builder and its tensors are not to be used afterwards.
  Graph finish() { return std::move(graph_); }

 private:
  std::string full_name(const std::string& name) const;
  ValueId add_value(Type type, NodeId producer);
  BlockId build_block(std::vector<ValueId> parameters, const std::function<std::vector<Tensor>()>& content);
  std::vector<Tensor> add_control(Node node, std::vector<Type> results);
  Tensor add_weight(const std::string& name, DType dtype, Shape shape, InitSpec init);

  Graph graph_;
  DType dtype_;
  ScopeId scope_ = kRootScope;
  BlockId block_ = kBodyBlock;
  std::map<std::string, ValueId> weights_;
};

}  // namespace nongemm
