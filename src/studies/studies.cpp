#include <fmt/format.h>

#include <array>

#include "base/error.h"
#include "base/text.h"
#include "studies/all_studies.h"

namespace nongemm {

std::span<const Study* const> studies() {
  static const std::array kAll = {
      &acceleration_study(), &dominant_operators_study(),
      &operators_study(),    &runtimes_study(),
      &fusion_study(),       &quantization_study(),
      &launch_study(),       &headroom_study(),
      &scaling_study(),      &decode_study(),
  };
  return kAll;
}

const Study& find_study(const std::string& name) {
  std::vector<std::string> known;
  for (const Study* study : studies()) {
    if (study->name == name) return *study;
    known.emplace_back(study->name);
  }
  throw Error(ErrorKind::kUsage, "there is no study '" + name + "'", did_you_mean(name, known));
}

std::string studies_text() {
  std::string text;
  for (const Study* study : studies()) {
    text += fmt::format("{:<20} {} ({})\n", study->name, study->asks,
                        study->paper.empty() ? "beyond the paper" : study->paper);
  }
  return text;
}

}  // namespace nongemm
