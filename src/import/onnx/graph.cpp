// A model's inputs, outputs and sizes.
#include "import/onnx/graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "import/common/describe_inputs.h"
#include "import/onnx/importer.h"
#include "import/onnx/validity.h"

namespace nongemm::onnx {

Importer::Importer(const ReadModel& model, const ImportOptions& options)
    : model_(model),
      options_(options),
      builder_("", DType::kFloat32),
      scopes_(builder_.graph()),
      nodes_of_file_(model.nodes) {
  const auto opset = model.opsets.find("");
  opset_ = opset == model.opsets.end() ? 1 : opset->second;
}

Graph Importer::build() {
  constexpr std::int64_t kOldest = 7;
  // A model of functions and other domains alone need not name ONNX's own operators.
  if (opset_ < kOldest && model_.opsets.contains("")) {
    throw Error(ErrorKind::kUnsupported, fmt::format("is of opset {}, 11 to 21 are known", opset_),
                "export the model again");
  }
  note_uses(model_.graph);
  for (const auto& [key, function] : model_.functions) note_uses(function.graph);
  const OnnxNames::Guard frame = names_.enter(model_.graph);
  add_inputs();
  for (const ReadNode& node : model_.graph.nodes) read(node);
  add_outputs();
  Graph graph = builder_.finish();
  graph.attributes["exported by"] = model_.producer;
  graph.attributes["opset"] = std::to_string(opset_);
  describe_inputs(graph);
  return graph;
}

const InputBinding* Importer::binding_of(const std::string& name) const {
  const auto at = std::find_if(options_.inputs.begin(), options_.inputs.end(),
                               [&](const InputBinding& binding) { return binding.name == name; });
  return at == options_.inputs.end() ? nullptr : &*at;
}

/// Free sizes of one name are the same everywhere.
std::int64_t Importer::bind(const std::string& input, const ReadValue& value, std::size_t dim,
                            const InputBinding* binding) {
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

void Importer::add_inputs() {
  const std::vector<std::string>& inputs = model_.graph.inputs;
  check_binding_names(options_.inputs, inputs);
  // What is given comes first, so that the others' sizes of the same name follow it.
  std::map<std::string, Shape> shapes;
  for (const bool given : {true, false}) {
    for (const std::string& name : inputs) {
      const InputBinding* binding = binding_of(name);
      if ((binding != nullptr) == given) shapes[name] = input_shape(name, binding);
    }
  }
  for (const std::string& name : inputs) {
    names_.inner().tensors[name] = builder_.input(name, model_.graph.values.at(name).dtype, shapes.at(name), {});
  }
}

Shape Importer::input_shape(const std::string& name, const InputBinding* binding) {
  ReadValue value = model_.graph.values.at(name);
  if (value.dtype == DType::kUndefined) {
    throw Error(ErrorKind::kUnsupported, "input '" + name + "' is no tensor of a type that is handled");
  }
  if (!value.has_shape) {
    if (binding == nullptr) {
      throw Error(ErrorKind::kUnsupported, "the file does not say the shape of input '" + name + "'",
                  "give it: --input " + name + "=1x3x224x224");
    }
    value.shape.assign(binding->shape.size(), kDynamic);
    value.dim_names.resize(value.shape.size());
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

void Importer::add_outputs() {
  for (const std::string& name : model_.graph.outputs) builder_.output(name, tensor_named(name));
  if (model_.graph.outputs.empty()) throw Error(ErrorKind::kBadInput, "gives nothing");
}

Graph build_graph(const ReadModel& model, const std::filesystem::path& path, const ImportOptions& options) {
  check_functions(model);
  Importer importer(model, options);
  Graph graph = importer.build();
  graph.source = std::make_shared<const SourceFile>(SourceFile{path, importer.nodes_of_file()});
  return graph;
}

}  // namespace nongemm::onnx
