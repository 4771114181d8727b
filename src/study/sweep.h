// One point after another: progress, a journal that has each point as it ends, and an interrupt that keeps what was
// measured.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "report/document.h"
#include "spec/request.h"
#include "study/build.h"
#include "study/journal.h"

namespace nongemm {

/// A point of a sweep, or one of the processes that measure it.
struct SweepPoint {
  std::string name;  // what progress calls it
  std::string key;   // journals know it by this and the process
  std::string flow;  // whose runtime measures it
  int process = 0;   // as Point has it
};

using PointEnded = std::function<void(std::size_t i, Point point)>;
using PointTells = std::function<void(std::size_t i, const std::string& what)>;
/// Measures the points with these indices, one after another or several at once, and tells of each that ended; stops
/// when it is interrupted.
using MeasurePoints =
    std::function<void(const std::vector<std::size_t>& wanted, const PointEnded& ended, const PointTells& tells)>;

struct Sweep {
  std::vector<SweepPoint> points;
  MeasurePoints measure;
  /// "[3/40] gpt2: measuring, 5 min left"; an empty text clears the line.
  Progress say;
  /// Where points are kept; nullptr for nowhere.
  Journal* journal = nullptr;
  /// Go on with what the journal has.
  bool resume = false;
  /// Of a flow's runtime as it is now; asked for when resuming.
  std::function<std::string(const std::string& flow)> runtime_version;
};

/// Adds the points to the document, in the sweep's order. What was left out after an interrupt is no row.
/// @param document with its context
/// A point that cannot be kept in the journal is told and tried again; it ends nothing. Throws Error(kIo) when the
/// journal cannot even be begun.
void run_sweep(const Sweep& sweep, Document& document);

/// The same with the journal that the options ask for: a file of its own, or one in the output folder for more than one
/// point. Throws Error(kUsage) for resuming without one, and for a sweep that would be lost.
void run_sweep_with_journal(const Request& request, Sweep sweep, Document& document);

/// Measures points in this process. One that throws is a row with its reason.
MeasurePoints in_this_process(std::function<Point(std::size_t i, const Progress& progress)> measure);

}  // namespace nongemm
