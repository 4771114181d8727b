#include "models/parts/named_inputs.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"

namespace nongemm {
namespace {

const InputBinding* find(const ModelOptions& options, std::string_view name) {
  const auto found = std::find_if(options.inputs.begin(), options.inputs.end(),
                                  [&](const InputBinding& binding) { return binding.name == name; });
  return found == options.inputs.end() ? nullptr : &*found;
}

}  // namespace

Shape input_shape(const ModelOptions& options, std::string_view name, std::initializer_list<Shape> patterns,
                  const Shape& usual) {
  const InputBinding* given = find(options, name);
  if (given == nullptr) return usual;
  const auto fits = [&](const Shape& pattern) {
    return std::equal(
        given->shape.begin(), given->shape.end(), pattern.begin(), pattern.end(),
        [](std::int64_t size, std::int64_t wanted) { return size >= 1 && (wanted == kDynamic || wanted == size); });
  };
  if (std::any_of(patterns.begin(), patterns.end(), fits)) return given->shape;
  std::string wanted;
  for (const Shape& pattern : patterns) wanted += (wanted.empty() ? "" : " or ") + to_string(pattern);
  throw Error(ErrorKind::kUsage, "input '" + std::string(name) + "' is given as " + to_string(given->shape),
              "the model takes " + wanted);
}

DType input_dtype(const ModelOptions& options, std::string_view name, DType usual) {
  const InputBinding* given = find(options, name);
  return given != nullptr ? given->dtype.value_or(usual) : usual;
}

void check_input_names(const ModelOptions& options, std::initializer_list<std::string_view> known) {
  const std::vector<std::string> names(known.begin(), known.end());
  for (const InputBinding& binding : options.inputs) {
    if (std::find(names.begin(), names.end(), binding.name) != names.end()) continue;
    throw Error(ErrorKind::kUsage, "the model takes no input '" + binding.name + "'",
                did_you_mean(binding.name, names));
  }
}

}  // namespace nongemm
