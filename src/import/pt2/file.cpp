#include "import/pt2/file.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.h"
#include "base/json.h"
#include "import/pt2/archive.h"
#include "import/pt2/program.h"

namespace nongemm::pt2 {
namespace {

class Pt2File : public ModelFile {
 public:
  explicit Pt2File(std::shared_ptr<const MappedFile> file)
      : archive_(std::move(file)),
        program_(parse_json(archive_.program(), archive_.path().string() + ": its program")) {}

  Graph build(const ImportOptions& options) const override {
    try {
      Graph graph = read_program(program_, archive_, options);
      graph.name = archive_.path().stem().string();
      return graph;
    } catch (const Error& error) {
      throw Error(error.kind(), archive_.path().string() + ": " + error.what());
    }
  }

  std::vector<HostTensor> weights(const Graph& graph) const override {
    std::vector<HostTensor> tensors;
    for (const Weight& weight : graph.weights) tensors.push_back(*archive_.find(weight.name));  // build() looked
    return tensors;
  }

 private:
  Pt2Archive archive_;
  Json program_;
};

}  // namespace

std::shared_ptr<const ModelFile> open_pt2(std::shared_ptr<const MappedFile> file) {
  return std::make_shared<Pt2File>(std::move(file));
}

}  // namespace nongemm::pt2
