// An exported program's JSON as a graph.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "graph/graph.h"
#include "import/common/model_file.h"
#include "import/pt2/archive.h"

namespace nongemm::pt2 {

/// Every inference of the graph starts from the file's state: what the program writes into buffers or inputs is gone
/// with its end.
/// @param root an ExportedProgram of torch/_export/serde/schema.py
/// @throws Error naming the node or input (not the file)
Graph read_program(const nlohmann::json& root, const Pt2Archive& archive, const ImportOptions& options);

}  // namespace nongemm::pt2
