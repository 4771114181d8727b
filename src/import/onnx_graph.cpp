#include "import/onnx_graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/error.h"
#include "import/describe_inputs.h"
#include "import/onnx_call.h"
#include "import/scopes.h"

namespace nongemm::onnx {
namespace {

class Importer {
 public:
  Importer(const ReadModel& model, const ImportOptions& options)
      : model_(model), options_(options), builder_("", DType::kFloat32), scopes_(builder_.graph()) {
    const auto opset = model.opsets.find("");
    opset_ = opset == model.opsets.end() ? 1 : opset->second;
  }

  Graph build() {
    constexpr std::int64_t kOldest = 7;
    if (opset_ < kOldest) {
      throw Error(ErrorKind::kUnsupported, fmt::format("is of opset {}, 11 to 21 are known", opset_),
                  "export the model again");
    }
    for (const auto& [name, tensor] : model_.initializers) {
      names_.initializers[name] = &tensor;
      if (std::optional<KnownValue> value = known_value(tensor)) names_.known[name] = std::move(*value);
    }
    add_inputs();
    for (const ReadNode& node : model_.nodes) read(node);
    add_outputs();
    Graph graph = builder_.finish();
    graph.attributes["exported by"] = model_.producer;
    graph.attributes["opset"] = std::to_string(opset_);
    describe_inputs(graph);
    return graph;
  }

 private:
  const InputBinding* binding_of(const std::string& name) const {
    const auto at = std::find_if(options_.inputs.begin(), options_.inputs.end(),
                                 [&](const InputBinding& binding) { return binding.name == name; });
    return at == options_.inputs.end() ? nullptr : &*at;
  }

  /// Free sizes of one name are the same everywhere.
  std::int64_t bind(const std::string& input, const ReadValue& value, std::size_t dim, const InputBinding* binding) {
    const std::string& name = value.dim_names[dim];
    const std::int64_t stated = value.shape[dim];
    const auto known = sizes_.find(name);
    std::int64_t size = stated != kDynamic ? stated : known != sizes_.end() && !name.empty() ? known->second : kDynamic;
    const std::optional<std::int64_t> wanted = binding != nullptr ? std::optional(binding->shape[dim])
                                               : dim == 0         ? options_.batch
                                                                  : std::nullopt;
    if (size != kDynamic && wanted && *wanted != size) {
      throw Error(ErrorKind::kUsage,
                  fmt::format("input '{}': dimension {} is {}, the model takes {}", input, dim, *wanted, size),
                  "a dimension is free only if it was exported as one");
    }
    if (size == kDynamic) size = wanted.value_or(1);
    if (!name.empty()) sizes_[name] = size;
    return size;
  }

  void add_inputs() {
    check_binding_names(options_.inputs, model_.inputs);
    // What is given comes first, so that the others' sizes of the same name follow it.
    std::map<std::string, Shape> shapes;
    for (const bool given : {true, false}) {
      for (const std::string& name : model_.inputs) {
        const InputBinding* binding = binding_of(name);
        if ((binding != nullptr) == given) shapes[name] = input_shape(name, binding);
      }
    }
    for (const std::string& name : model_.inputs) {
      names_.tensors[name] = builder_.input(name, model_.values.at(name).dtype, shapes.at(name), {});
    }
  }

  Shape input_shape(const std::string& name, const InputBinding* binding) {
    const ReadValue& value = model_.values.at(name);
    if (value.dtype == DType::kUndefined || !value.has_shape) {
      throw Error(ErrorKind::kUnsupported, "input '" + name + "' is no tensor of a known type and shape");
    }
    if (binding != nullptr && binding->shape.size() != value.shape.size()) {
      throw Error(ErrorKind::kUsage, fmt::format("input '{}' has {} dimensions, {} are given", name, value.shape.size(),
                                                 binding->shape.size()));
    }
    if (binding != nullptr && binding->dtype && *binding->dtype != value.dtype) {
      throw Error(ErrorKind::kUsage, fmt::format("input '{}' is {}", name, name_of(value.dtype)),
                  "types are fixed in the file");
    }
    Shape shape;
    double elements = 1;
    for (std::size_t i = 0; i < value.shape.size(); ++i) {
      shape.push_back(bind(name, value, i, binding));
      elements *= static_cast<double>(std::max<std::int64_t>(shape.back(), 1));
    }
    constexpr double kMostElements = 1e15;
    if (elements > kMostElements) throw Error(ErrorKind::kBadInput, "input '" + name + "' is absurdly large");
    return shape;
  }

  void read(const ReadNode& node) {
    OnnxCall call(builder_, names_, node, opset_);
    if (folds(call, node)) return;
    const std::size_t before = builder_.graph().nodes.size();
    const OnnxRule* rule = find_rule(node);
    bool mapped = rule != nullptr;
    try {
      if (mapped) rule->map(call);
    } catch (const NotMapped&) {
      mapped = false;
    } catch (const std::exception&) {  // the operands do not fit the rule
      mapped = false;
    }
    if (!mapped) {
      take_back(before);
      keep(call, node);
    }
    const ScopeId scope = scope_of(node);
    for (std::size_t i = before; i < builder_.graph().nodes.size(); ++i) builder_.graph().nodes[i].scope = scope;
  }

  bool folds(const OnnxCall& call, const ReadNode& node) {
    if (node.outputs.size() != 1) return false;
    std::vector<const KnownValue*> inputs;
    bool any_unknown = false;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      inputs.push_back(call.known(i));
      any_unknown = any_unknown || (call.has(i) && inputs.back() == nullptr);
    }
    if (any_unknown) return false;
    try {
      std::optional<KnownValue> value = fold(node, inputs, opset_);
      if (value) names_.known[node.outputs[0]] = std::move(*value);
      return value.has_value();
    } catch (const std::exception&) {  // a list that is too short
      return false;
    }
  }

  /// Nodes that a rule had added before it gave up.
  void take_back(std::size_t count) {
    Graph& graph = builder_.graph();
    for (std::size_t i = count; i < graph.nodes.size(); ++i) {
      for (const ValueId value : graph.nodes[i].outputs) graph.values[value].producer = kNoId;
    }
    graph.nodes.resize(count);
    std::erase_if(graph.blocks[kBodyBlock].nodes, [&](NodeId id) { return id >= count; });
  }

  /// As an operator that the table does not know.
  void keep(OnnxCall& call, const ReadNode& node) {
    Graph& graph = builder_.graph();
    Node kept;
    kept.op = "onnx." + (node.domain.empty() ? "" : node.domain + "::") + node.type + ".default";
    std::replace(kept.op.begin() + 5, kept.op.end() - 8, '.', '_');  // com.microsoft
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      if (!call.has(i)) continue;
      kept.arg_names.push_back("input_" + std::to_string(i));
      kept.args.emplace_back(Use{call.tensor(i).id()});
    }
    const auto id = static_cast<NodeId>(graph.nodes.size());
    for (const std::string& name : node.outputs) {
      const auto stated = model_.values.find(name);
      Type type;
      if (stated != model_.values.end()) {
        type.dtype = stated->second.dtype;
        type.shape = stated->second.shape;
        for (std::size_t i = 0; i < type.shape.size(); ++i) {
          const auto size = sizes_.find(stated->second.dim_names[i]);
          if (type.shape[i] == kDynamic && size != sizes_.end()) type.shape[i] = size->second;
        }
      }
      kept.outputs.push_back(static_cast<ValueId>(graph.values.size()));
      graph.values.push_back({std::move(type), id});
      names_.tensors[name] = Tensor(&builder_, kept.outputs.back());
    }
    if (kept.arg_names.empty()) {  // what marks it as an operator outside the table
      kept.arg_names.emplace_back("none");
      kept.args.emplace_back();
    }
    graph.blocks[kBodyBlock].nodes.push_back(id);
    graph.nodes.push_back(std::move(kept));
  }

  /// The dynamo exporter notes modules; the TorchScript exporter puts their path into the node's name.
  ScopeId scope_of(const ReadNode& node) {
    std::string stack;
    const auto add = [&](const std::string& path, const std::string& type) {
      stack += (stack.empty() ? "m," : ";m,") + path + "," + type;
    };
    for (const auto& [path, type] : node.modules) add(path, type);
    if (node.modules.empty() && node.name.starts_with('/')) {
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

  void add_outputs() {
    for (const std::string& name : model_.outputs) {
      ReadNode node;
      node.inputs = {name};
      builder_.output(name, OnnxCall(builder_, names_, node, opset_).tensor(0));
    }
    if (model_.outputs.empty()) throw Error(ErrorKind::kBadInput, "gives nothing");
  }

  const ReadModel& model_;
  const ImportOptions& options_;
  Builder builder_;
  pt2::Scopes scopes_;
  OnnxNames names_;
  std::map<std::string, std::int64_t> sizes_;
  std::int64_t opset_ = 0;
};

}  // namespace

Graph build_graph(const ReadModel& model, const ImportOptions& options) { return Importer(model, options).build(); }

}  // namespace nongemm::onnx
