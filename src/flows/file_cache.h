// What preparing a model leaves on disk: engines, times of kernels that were tried, compiled packages.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nongemm {

class FileCache {
 public:
  /// @param setting of the user: a folder, "off", or empty for the user's cache folder
  /// @param flow whose files they are: the name of the folder in the user's
  FileCache(const std::string& setting, std::string_view flow);

  bool enabled() const { return !folder_.empty(); }
  /// What `what` (an engine's options, the device, TensorRT's version) and the model file, and its weights beside it,
  /// say together: any change gives another key.
  static std::string key_of(const std::vector<std::filesystem::path>& files, std::string_view what);

  /// Where what is kept under that name is to lie; empty when nothing is kept.
  std::filesystem::path path_of(const std::string& name) const {
    return enabled() ? folder_ / name : std::filesystem::path();
  }
  /// Absent when nothing was kept under that name, or it cannot be read.
  std::optional<std::string> read(const std::string& name) const;
  /// A folder that cannot be written to is no error: the engine is built again next time.
  void write(const std::string& name, std::string_view bytes) const;

 private:
  std::filesystem::path folder_;
};

}  // namespace nongemm
