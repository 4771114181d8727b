// What quantization put in the place of products, told by cause.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/analysis.h"

namespace nongemm {

enum class QuantizationCause : std::uint8_t {
  kProducts,
  kQuantize,
  kDequantize,
  kOutlierSearch,
  kOutlierGather,
  kOutlierProduct,
  kHostDecision,
  kOther,
};

/// A model's nodes of one cause, as it is and quantized. Per inference.
struct CauseRow {
  QuantizationCause cause = QuantizationCause::kOther;
  std::string_view title;
  std::int64_t nodes_before = 0;
  std::int64_t nodes = 0;
  double kernels_before = 0;
  double kernels = 0;  // NaN where they were not recorded
  double time_before_s = 0;
  double time_s = 0;
  double gap_s = 0;   // the device waited for these nodes; NaN where the host is the device
  double wait_s = 0;  // the host waited for the device in these nodes; likewise
  double host_s = 0;
  /// The latency without them: what their kernels take and what the device waits for them.
  double without_s = 0;
};

/// A model as it is: what its quantized form is held against.
struct Unquantized {
  double latency_s = 0;
  std::optional<double> peak_bytes;
  double weight_bytes = 0;
  Analysis analysis;
  std::optional<double> perplexity = {};  // of a text, where one was given
  std::int64_t perplexity_tokens = 0;
};

struct QuantizationFigures {
  double latency_before_s = 0;
  double latency_s = 0;
  std::optional<double> peak_before_bytes;
  std::optional<double> peak_bytes;
  double weights_before_bytes = 0;
  double weights_bytes = 0;
  /// Root mean square of the outputs' difference, relative to that of the outputs; absent where they were not compared.
  std::optional<double> output_error = {};
  std::optional<double> largest_error = {};  // absolute
  std::optional<double> perplexity_before = {};
  std::optional<double> perplexity = {};
  std::int64_t perplexity_tokens = 0;
  CauseRow total = {};
  /// Non-GEMM operators' share of the host's and the device's times added up, as the paper counts it, and of the work.
  double paper_share_before = 0;
  double paper_share = 0;
  double share_before = 0;
  double share = 0;
  std::vector<CauseRow> causes = {};  // those that have nodes, in the enumerators' order
};

QuantizationCause cause_of(const NodeRow& row);

/// Of what was measured of both. The outputs' error is the caller's to fill in.
QuantizationFigures quantization_figures(const Unquantized& before, const Unquantized& after);

}  // namespace nongemm
