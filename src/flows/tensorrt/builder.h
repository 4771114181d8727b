// From an ONNX file to a serialized engine.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "base/dtype.h"
#include "base/tensor.h"
#include "flows/file_cache.h"
#include "flows/tensorrt/library.h"

namespace nongemm::tensorrt {

/// What the engine may do. Types of the graph are types of the engine; these allow faster ones.
struct BuildOptions {
  DType dtype = DType::kFloat32;  // of the graph's weights
  bool allow_tf32 = false;
  bool fp16 = false;
  bool int8 = false;
  /// The model says itself what is int8, and with which scales.
  bool quantized = false;
  /// 0 to 5; -1 leaves TensorRT's own choice.
  int level = -1;

  /// "float16 level 1", part of a cache's key.
  std::string text() const;
};

/// @param settings "tensorrt.precision" (fp16, int8), "tensorrt.level" (0 to 5)
/// @throws Error (kUsage) for other values
BuildOptions build_options(DType dtype, bool allow_tf32, const std::map<std::string, std::string>& settings);

/// @param inputs shapes, for models that leave sizes open
/// @param timing_cache name within `cache`
/// @param say told about once a second what goes on; may be empty
/// @throws Error (kUnsupported) with the parser's or builder's reason
std::string build_engine(const Library& library, const std::filesystem::path& model,
                         const std::map<std::string, Shape>& inputs, const BuildOptions& options,
                         const FileCache& cache, const std::string& timing_cache,
                         const std::function<void(const std::string&)>& say);

}  // namespace nongemm::tensorrt
