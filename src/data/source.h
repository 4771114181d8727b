// Between dataset.cpp and the kinds of sources: one maker each.
#pragma once

#include <filesystem>
#include <memory>

#include "base/clock.h"
#include "data/dataset.h"

namespace nongemm::data {

std::unique_ptr<Source> open_images(const std::filesystem::path& path, const InputSpec& spec);
std::unique_ptr<Source> open_text(const std::filesystem::path& path, const InputSpec& spec);

}  // namespace nongemm::data
