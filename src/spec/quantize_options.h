// How a model's linear layers are quantized.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace nongemm {

enum class QuantizeScheme : std::uint8_t { kNone, kLlmInt8, kW8a8, kW8, kW4, kFp8 };

/// How LLM.int8 runs. All give the same numbers within rounding.
enum class QuantizeWay : std::uint8_t {
  kPublished,   // operator for operator what bitsandbytes dispatches, the host's waits included
  kDecomposed,  // the same steps one by one, outlier columns found on the device: no wait
  kFused,       // one operator quantizes, one multiplies, scales and adds the outlier columns
};

struct QuantizeOptions {
  QuantizeScheme scheme = QuantizeScheme::kNone;
  /// Modules that stay as they are: a module's path, the end of one, or the path of a module around it; "none" alone
  /// for no module. Without a list, the original's choice: the layer of the last parameter, which is the head. Tied
  /// weights stay in any case.
  std::vector<std::string> skip = {};
  QuantizeWay way = QuantizeWay::kFused;
  /// A magnitude of at least this makes an outlier of its column; 0 for none.
  double threshold = 6.0;
};

}  // namespace nongemm
