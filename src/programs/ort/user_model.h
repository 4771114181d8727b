// An ONNX file of the user's, as the runtime takes it.
#pragma once

#include <string>

#include "graph/graph.h"
#include "programs/ort/dataflow.h"

namespace nongemm::ort_flow {

struct UserModel {
  /// With the graph nodes that each of its nodes became.
  Dataflow dataflow;
  /// Empty where every node of the file has a plain name of its own, by which the runtime's profile tells what ran.
  /// Otherwise the same model in which nodes without one have one; weights beside the file are still there.
  std::string named;
};

/// @throws Error (kBadInput) when the file is no longer what the graph was read from
UserModel read_user_model(const SourceFile& source);

}  // namespace nongemm::ort_flow
