#include "flows/tensorrt/export.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <numeric>
#include <system_error>
#include <utility>

#include "base/file.h"
#include "base/json.h"

namespace nongemm::tensorrt {

Exporter::Exporter(std::filesystem::path folder, std::string model)
    : folder_(std::move(folder)), model_(std::move(model)) {
  for (char& letter : model_) {
    if (letter == '/') letter = '_';
  }
  std::error_code error;  // writing says what is wrong
  if (enabled()) std::filesystem::create_directories(folder_, error);
}

std::filesystem::path Exporter::path(const std::string& kind) const {
  return folder_ / (model_ + "." + kind + ".json");
}

void Exporter::write_layers(const std::string& json) const {
  if (enabled()) write_file_atomically(path("layers"), json);
}

void Exporter::write_profile(const RuntimeProgram& program, const std::vector<double>& seconds, int inferences) const {
  if (!enabled() || inferences == 0) return;
  const double sum = std::accumulate(seconds.begin(), seconds.end(), 0.0);
  std::string text = fmt::format("[\n  {{ \"count\" : {} }}\n", inferences);
  for (std::size_t i = 0; i < program.nodes.size(); ++i) {
    const std::string name = dump_json(Json(program.nodes[i].name));
    text +=
        fmt::format(", {{ \"name\" : {}, \"timeMs\" : {:.6f}, \"averageMs\" : {:.6f}, \"percentage\" : {:.4f} }}\n",
                    name, seconds[i] * 1e3, seconds[i] * 1e3 / inferences, sum > 0 ? 100.0 * seconds[i] / sum : 0.0);
  }
  write_file_atomically(path("profile"), text + "]\n");
}

}  // namespace nongemm::tensorrt
