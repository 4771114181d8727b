// Session on a TensorRT engine.
#pragma once

#include <memory>

#include "flows/flow.h"
#include "flows/tensorrt/engine.h"
#include "flows/tensorrt/export.h"
#include "flows/tensorrt/model.h"

namespace nongemm::tensorrt {

/// @param model what the engine was built from
/// @param exporter gets the layers now, and their times whenever they are taken
/// @param allows_tf32 what the engine was built with
std::unique_ptr<Session> make_session(const Graph& graph, const EngineModel& model, std::unique_ptr<Engine> engine,
                                      int device, Exporter exporter, bool allows_tf32);

}  // namespace nongemm::tensorrt
