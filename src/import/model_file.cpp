#include "import/model_file.h"

#include "import/onnx/file.h"
#include "import/pt2/file.h"
#include "import/pt2/package_file.h"
#include "pt2/package.h"

namespace nongemm {

bool is_model_file(const std::filesystem::path& path) {
  return path.extension() == ".pt2" || path.extension() == ".onnx";
}

std::shared_ptr<const ModelFile> open_model_file(const std::filesystem::path& path) {
  const std::shared_ptr<const MappedFile> file = MappedFile::open(path);
  if (path.extension() == ".onnx") return onnx::open_onnx(file);
  return pt2::is_package(path) ? pt2::open_package(file) : pt2::open_pt2(file);
}

}  // namespace nongemm
