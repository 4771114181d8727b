// Where the tests of this folder find their fixtures.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include "base/file.h"
#include "test_paths.h"

namespace nongemm::data {

inline std::filesystem::path fixture(const std::string& name) {
  return std::filesystem::path(NONGEMM_SOURCE_DIR) / "tests" / "fixtures" / "data" / name;
}

inline std::string read_fixture(const std::string& name) { return read_file(fixture(name), 16 << 20); }

}  // namespace nongemm::data
