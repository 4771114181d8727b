// What a runtime is told of a run, whichever it is.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "spec/device.h"
#include "spec/rank_place.h"

namespace nongemm {

/// Whether fp32 matrix multiplications and convolutions on CUDA may round their operands to TF32 (10 bits).
enum class Tf32 : std::uint8_t {
  kDefault,  // what the runtime does unless it is told otherwise
  kOff,
  kOn,
};

struct RuntimeOptions {
  Device device;
  /// Threads inside an operator; 0 leaves the runtime's default.
  int threads = 0;
  Tf32 tf32 = Tf32::kDefault;
  /// Of synthetic weights and inputs.
  std::uint64_t seed = 0;
  /// Operator libraries to load first: torch operators for the torch flow, custom operators for ONNX Runtime.
  std::vector<std::string> libraries;
  /// Where the process stands among those that share the model.
  RankPlace place = {};
  /// Flows' own settings by name ("ort.level" = "basic"); a flow reads its own. Defaults are absent.
  std::map<std::string, std::string> settings;

  /// Whether fp32 operands are rounded to TF32, for a runtime that does so by default or not. No host has it.
  bool allows_tf32(bool by_default) const {
    return !device.is_host() && (tf32 == Tf32::kDefault ? by_default : tf32 == Tf32::kOn);
  }
};

}  // namespace nongemm
