// A quantized model beside the same model as it is.
#pragma once

#include <vector>

#include "report/field.h"
#include "spec/request.h"
#include "study/baseline.h"
#include "study/stages.h"

namespace nongemm {

/// The points with, before the first quantized one of each kind, the same one as it is, where it is not among them.
/// None before one whose graph cannot be built (a layer to skip that the model lacks): its error is to come at once.
std::vector<Request> with_unquantized(std::vector<Request> points);

/// Keeps the run of a model as it is for those that come after it. Of a quantized model the table that says how its
/// products ran, and before it, where the model as it is ran earlier, those that hold the two beside one another.
std::vector<Table> compare_with_unquantized(const RunSpec& spec, const BuiltModel& built, const AnalysedRun& analysed,
                                            Session& session, const Progress& progress, Baseline& baseline);

}  // namespace nongemm
