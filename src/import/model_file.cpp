#include "import/model_file.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "import/onnx/file.h"
#include "import/pt2/file.h"

namespace nongemm {
void check_binding_names(const std::vector<InputBinding>& bindings, const std::vector<std::string>& inputs) {
  for (const InputBinding& binding : bindings) {
    if (std::find(inputs.begin(), inputs.end(), binding.name) != inputs.end()) continue;
    throw Error(ErrorKind::kUsage, "the model has no input '" + binding.name + "'", did_you_mean(binding.name, inputs));
  }
}

bool is_model_file(const std::filesystem::path& path) {
  return path.extension() == ".pt2" || path.extension() == ".onnx";
}

std::shared_ptr<const ModelFile> open_model_file(const std::filesystem::path& path) {
  const std::shared_ptr<const MappedFile> file = MappedFile::open(path);
  return path.extension() == ".onnx" ? onnx::open_onnx(file) : pt2::open_pt2(file);
}

}  // namespace nongemm
