#include "programs/ort/user_model.h"

#include <unordered_set>

#include "base/error.h"
#include "base/file.h"
#include "onnx/name_nodes.h"

namespace nongemm::ort_flow {

UserModel read_user_model(const SourceFile& source) {
  const auto file = MappedFile::open(source.path);
  const std::string_view bytes(reinterpret_cast<const char*>(file->bytes().data()), file->bytes().size());
  UserModel model;
  model.named = onnx::with_named_nodes(bytes);
  model.dataflow = read_dataflow(model.named.empty() ? bytes : model.named, source.path.string());
  if (model.dataflow.nodes.size() != source.nodes.size()) {
    throw Error(ErrorKind::kBadInput, source.path.string() + " has changed since it was read");
  }
  for (std::size_t i = 0; i < source.nodes.size(); ++i) model.dataflow.nodes[i].graph_nodes = source.nodes[i];
  return model;
}

}  // namespace nongemm::ort_flow
