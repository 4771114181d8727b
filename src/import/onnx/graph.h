// An ONNX model as a graph.
#pragma once

#include <filesystem>

#include "graph/graph.h"
#include "import/common/model_file.h"
#include "import/onnx/model.h"

namespace nongemm::onnx {

/// Nodes become operators of the table where a rule says how; others stay what they are ("onnx.LSTM.default"), with
/// what the file says of their results. Free sizes that nobody says are 1.
/// @param path of the file, for runtimes that run it themselves (Graph::source)
/// @throws Error naming the node or input (not the file)
Graph build_graph(const ReadModel& model, const std::filesystem::path& path, const ImportOptions& options);

}  // namespace nongemm::onnx
