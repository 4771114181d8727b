// Reference cases: folders with a tiny model of the original library (config.json, model, inputs and outputs as
// .safetensors), written by tests/reference/make_numerics.py.
#pragma once

#include <filesystem>
#include <ostream>
#include <string>
#include <vector>

namespace nongemm {

struct ReferenceCase {
  std::filesystem::path folder;

  /// What a test of it may be called.
  std::string identifier() const;
  /// The stream of operators that the original dispatched: operators.json of the folder, or of the shared families
  /// tests/data/opstreams/families. The file may be missing.
  std::filesystem::path stream() const;
};

std::ostream& operator<<(std::ostream& out, const ReferenceCase& reference);

/// Those in shared/ and in tests/data/numerics, and in the folder that NONGEMM_REFERENCE_CASES names: for comparing
/// more of them by hand. A new folder needs no edit anywhere.
std::vector<ReferenceCase> reference_cases();

/// Those of them that have a stream.
std::vector<ReferenceCase> cases_with_streams();

}  // namespace nongemm
