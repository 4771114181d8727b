// What the tests of this folder share.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "prepare/model.h"

namespace nongemm {

/// @param config the configuration's JSON object
inline Graph build(const Architecture& architecture, std::string_view config, const ModelOptions& options = {}) {
  Model model;
  model.name = "model";
  model.architecture = &architecture;
  model.config = Config::parse(config, "config.json");
  return build_graph(model, options);
}

/// Buffers left out, as model sizes are usually given.
inline std::int64_t parameter_count(const Graph& graph) {
  std::int64_t count = 0;
  for (const Weight& weight : graph.weights) {
    if (!weight.buffer) count += element_count(graph.values[weight.value].type.shape);
  }
  return count;
}

/// The message of the error that `call` throws.
template <typename Call>
std::string refusal(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was refused";
}

}  // namespace nongemm
