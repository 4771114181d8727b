// Between dataset.cpp and the kinds of sources: one maker each.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>

#include "data/dataset.h"

namespace nongemm::data {

std::unique_ptr<Source> open_images(const std::filesystem::path& path, const InputSpec& spec);
std::unique_ptr<Source> open_text(const std::filesystem::path& path, const InputSpec& spec);

/// Seconds since it was made or last read.
class Stopwatch {
 public:
  double lap() {
    const auto now = std::chrono::steady_clock::now();
    const std::chrono::duration<double> passed = now - start_;
    start_ = now;
    return passed.count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace nongemm::data
