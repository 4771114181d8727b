// Which images a folder holds. One line in image_list.cpp for each kind of folder.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace nongemm::data {

struct ImageList {
  std::string kind;  // "COCO folder"
  std::vector<std::filesystem::path> images;
  std::size_t missing = 0;  // named by annotations, not there
};

/// Throws Error(kBadInput) or Error(kIo) naming the path when there are no images.
ImageList list_images(const std::filesystem::path& path);

}  // namespace nongemm::data
