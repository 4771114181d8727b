// Where fuzz targets put the database that SQLite shall open.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace nongemm::traces {

/// A file that is gone with this. In memory where there is such a folder; not one without a name: SQLite asks what a
/// path really is, and would open what is not there.
class FuzzFile {
 public:
  explicit FuzzFile(std::string_view bytes) {
    const std::filesystem::path memory = "/dev/shm";
    path_ = std::filesystem::is_directory(memory) ? memory : std::filesystem::temp_directory_path();
    path_ /= "nongemm-nsys-fuzz-" + std::to_string(getpid()) + ".sqlite";
    written_ =
        std::ofstream(path_, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size())).good();
  }
  ~FuzzFile() { std::filesystem::remove(path_); }
  FuzzFile(const FuzzFile&) = delete;
  FuzzFile& operator=(const FuzzFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  bool written() const { return written_; }

 private:
  std::filesystem::path path_;
  bool written_ = false;
};

}  // namespace nongemm::traces
