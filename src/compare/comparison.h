// Two reports side by side.
#pragma once

#include <optional>

#include "compare/estimate.h"
#include "report/document.h"

namespace nongemm {

struct CompareOptions {
  double tolerance = 0.03;
  double confidence = 0.95;
  /// The gate: an inference that is surely slower by more than this fails it. None without.
  std::optional<double> fail_above;
  /// Processes of both sides ran in turns.
  bool in_turns = false;
};

struct Comparison {
  /// First what differs between the reports and every inference as a whole, then a point for each pair of points with
  /// its groups and operators.
  Document document;
  bool comparable = false;  // some pair of points has figures on both sides
  bool decided = false;     // of every inference it is known whether it is faster, slower or the same
  bool gate_failed = false;
};

Comparison compare_documents(const Document& base, const Document& fresh, const CompareOptions& options);

}  // namespace nongemm
