// What building an engine leaves on disk: the engine, and the times of kernels that were tried.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nongemm::tensorrt {

class EngineCache {
 public:
  /// @param setting of the user: a folder, "off", or empty for the user's cache folder
  explicit EngineCache(const std::string& setting);

  bool enabled() const { return !folder_.empty(); }
  /// What `what` (an engine's options, the device, TensorRT's version) and the model file, and its weights beside it,
  /// say together: any change gives another key.
  static std::string key_of(const std::vector<std::filesystem::path>& files, std::string_view what);

  /// Absent when nothing was kept under that name, or it cannot be read.
  std::optional<std::string> read(const std::string& name) const;
  /// A folder that cannot be written to is no error: the engine is built again next time.
  void write(const std::string& name, std::string_view bytes) const;

 private:
  std::filesystem::path folder_;
};

}  // namespace nongemm::tensorrt
