#include "import/pt2/package_file.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "pt2/package.h"

namespace nongemm::pt2 {
namespace {

/// "aten.linear" of "linear_3" and of "n12_linear".
std::string operator_of(const std::string& node) {
  const std::size_t end = node.find('_');
  if (node.starts_with('n') && end != std::string::npos && end > 1) {
    const std::string number = node.substr(1, end - 1);
    if (number.find_first_not_of("0123456789") == std::string::npos) return "aten." + node.substr(end + 1);
  }
  const std::size_t last = node.find_last_not_of("0123456789");
  const bool numbered = last != std::string::npos && last > 0 && last + 1 < node.size() && node[last] == '_';
  return "aten." + (numbered ? node.substr(0, last) : node);
}

class PackageFile : public ModelFile {
 public:
  explicit PackageFile(std::filesystem::path path) : path_(std::move(path)), package_(read_package(path_)) {
    if (!package_.inputs.empty() && !package_.outputs.empty()) return;
    throw Error(ErrorKind::kUnsupported, path_.string() + ": the package does not say what it takes and gives",
                "compile it with a torch from 2.8 to 2.11 and keep the wrapper's source in it");
  }

  Graph build(const ImportOptions& options) const override {
    std::vector<std::string> names;
    for (const PackageInput& input : package_.inputs) names.push_back(input.name);
    check_binding_names(options.inputs, names);
    Graph graph;
    graph.name = path_.stem().string();
    graph.attributes[kCompiledFor] = package_.device;
    Node call;
    call.op = kPackageOperator;
    call.args.emplace_back(path_.string());
    call.arg_names.emplace_back("package");
    for (const PackageInput& input : package_.inputs) {
      graph.values.push_back({Type{.dtype = input.dtype, .shape = shape_of(input, options), .strides = {}}, kNoId});
      const auto value = static_cast<ValueId>(graph.values.size() - 1);
      graph.inputs.push_back({value, input.name, {}});
      call.args.emplace_back(Use{value});
      call.arg_names.push_back(input.name);
    }
    for (const std::string& name : package_.outputs) {
      call.outputs.push_back(add_result(graph));
      graph.outputs.push_back({call.outputs.back(), name});
    }
    add_node(graph, std::move(call));
    for (const std::string& name : source_nodes_of(package_)) {
      Node node;
      node.op = operator_of(name);
      node.outputs.push_back(add_result(graph));
      add_node(graph, std::move(node));
    }
    return graph;
  }

  std::vector<HostTensor> weights(const Graph& /*graph*/) const override { return {}; }

 private:
  /// Of a type that only the run knows.
  static ValueId add_result(Graph& graph) {
    graph.values.push_back({Type{.shape = {kDynamic}, .strides = {}}, static_cast<NodeId>(graph.nodes.size())});
    return static_cast<ValueId>(graph.values.size() - 1);
  }

  static void add_node(Graph& graph, Node node) {
    graph.blocks[kBodyBlock].nodes.push_back(static_cast<NodeId>(graph.nodes.size()));
    graph.nodes.push_back(std::move(node));
  }

  const Shape* wanted_shape(const PackageInput& input, const ImportOptions& options) const {
    for (const InputBinding& binding : options.inputs) {
      if (binding.name == input.name) return &binding.shape;
    }
    return nullptr;
  }

  Shape shape_of(const PackageInput& input, const ImportOptions& options) const {
    Shape shape = input.shape;
    const Shape* wanted = wanted_shape(input, options);
    for (std::size_t i = 0; i < shape.size(); ++i) {
      if (shape[i] != kDynamic) continue;
      if (wanted != nullptr && i < wanted->size()) {
        shape[i] = (*wanted)[i];
      } else if (i == 0 && options.batch) {
        shape[i] = *options.batch;
      } else {
        throw Error(ErrorKind::kUsage,
                    path_.string() + ": the package leaves size " + std::to_string(i) + " of '" + input.name + "' open",
                    "say it: --input " + input.name + "=SHAPE");
      }
    }
    if (wanted == nullptr || *wanted == shape) return shape;
    throw Error(ErrorKind::kUsage,
                path_.string() + ": input '" + input.name + "' was compiled for " + to_string(shape) + ", not for " +
                    to_string(*wanted),
                "compile the package for other sizes");
  }

  std::filesystem::path path_;
  CompiledPackage package_;
};

}  // namespace

std::shared_ptr<const ModelFile> open_package(const std::shared_ptr<const MappedFile>& file) {
  return std::make_shared<PackageFile>(file->path());
}

}  // namespace nongemm::pt2
