#include "import/onnx/file.h"

#include <map>
#include <utility>

#include "base/error.h"
#include "import/onnx/graph.h"
#include "import/onnx/model.h"

namespace nongemm::onnx {
namespace {

class OnnxFile : public ModelFile {
 public:
  explicit OnnxFile(std::shared_ptr<const MappedFile> file) : path_(file->path()) {
    named([&] { model_ = read_model(file); });
    for (const auto& [name, tensor] : model_.graph.initializers) tensors_[name] = &tensor;
  }

  Graph build(const ImportOptions& options) const override {
    Graph graph;
    named([&] { graph = build_graph(model_, path_, options); });
    graph.name = path_.stem().string();
    return graph;
  }

  std::vector<HostTensor> weights(const Graph& graph) const override {
    std::vector<HostTensor> tensors;
    for (const Weight& weight : graph.weights) tensors.push_back(*tensors_.at(weight.name));
    return tensors;
  }

 private:
  template <typename Action>
  void named(const Action& action) const {
    try {
      action();
    } catch (const Error& error) {
      throw Error(error.kind(), path_.string() + ": " + error.what());
    }
  }

  std::filesystem::path path_;
  ReadModel model_;
  std::map<std::string, const HostTensor*> tensors_;
};

}  // namespace

std::shared_ptr<const ModelFile> open_onnx(std::shared_ptr<const MappedFile> file) {
  return std::make_shared<OnnxFile>(std::move(file));
}

}  // namespace nongemm::onnx
