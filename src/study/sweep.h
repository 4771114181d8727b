// One point after another: progress, a report on disk that grows, and an interrupt that keeps what was measured.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "report/document.h"
#include "study/build.h"

namespace nongemm {

struct Sweep {
  std::size_t points = 0;
  /// What progress calls the point.
  std::function<std::string(std::size_t i)> name;
  std::function<Point(std::size_t i, const Progress& progress)> measure;
  /// "[3/40] gpt2: measuring"; an empty text clears the line.
  Progress say;
  /// Told after each point; a checkpoint.
  std::function<void(const Document& document)> added;
};

/// A point that throws is a row with its reason: nothing but an interrupt ends a sweep. What was left out after that is
/// no row.
/// @param document with its context; gets the points
void run_sweep(const Sweep& sweep, Document& document);

}  // namespace nongemm
