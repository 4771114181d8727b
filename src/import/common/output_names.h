// Names of a program's results from the description of what the original returned.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace nongemm::pt2 {

/// One per result, None included: keys and positions joined by dots ("logits", "past.0.1"), "output" for a single one.
/// Empty when the file does not say.
std::vector<std::string> output_names(const nlohmann::json& graph_module);

}  // namespace nongemm::pt2
