#include "import/common/model_file.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"

namespace nongemm {

void check_binding_names(const std::vector<InputBinding>& bindings, const std::vector<std::string>& inputs) {
  for (const InputBinding& binding : bindings) {
    if (std::find(inputs.begin(), inputs.end(), binding.name) != inputs.end()) continue;
    throw Error(ErrorKind::kUsage, "the model has no input '" + binding.name + "'", did_you_mean(binding.name, inputs));
  }
}

}  // namespace nongemm
