#include "prepare/given_inputs.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <utility>

#include "weights/safetensors.h"

namespace nongemm {
namespace {

/// 12 of "input_12"; -1 without a number.
std::int64_t number_at_end(const std::string& name) {
  std::size_t begin = name.size();
  while (begin > 0 && std::isdigit(static_cast<unsigned char>(name[begin - 1])) != 0) --begin;
  return begin == name.size() ? -1 : std::atoll(name.c_str() + begin);
}

/// In the order of the numbers at their ends; empty when some have none.
std::vector<std::string> in_order(std::vector<std::string> names) {
  if (names.size() == 1) return names;
  const bool numbered = std::all_of(names.begin(), names.end(), [](const auto& n) { return number_at_end(n) >= 0; });
  if (!numbered) return {};
  std::stable_sort(names.begin(), names.end(),
                   [](const auto& a, const auto& b) { return number_at_end(a) < number_at_end(b); });
  return names;
}

bool knows_any(const std::vector<std::string>& names, const NamedTensors& tensors) {
  return std::any_of(tensors.begin(), tensors.end(),
                     [&](const auto& row) { return std::find(names.begin(), names.end(), row.first) != names.end(); });
}

/// Names of the tensors that a model file takes.
NamedTensors inputs_of(const Model& model, const ModelOptions& options) {
  const Graph graph = build_graph(model, options);
  NamedTensors inputs;
  for (const Input& input : graph.inputs) inputs.emplace_back(input.name, HostTensor());
  return inputs;
}

}  // namespace

void rename_by_position(NamedTensors& tensors, const std::vector<std::string>& wanted) {
  const std::vector<std::string> ordered = in_order(wanted);
  if (knows_any(wanted, tensors) || ordered.size() != tensors.size()) return;
  for (std::size_t i = 0; i < ordered.size(); ++i) tensors[i].first = ordered[i];
}

DataBatch read_inputs(const Model& model, const std::filesystem::path& path, const ModelOptions& options) {
  DataBatch batch;
  batch.tensors = weights::read_safetensors(path);
  batch.source = path.string();
  batch.named = true;
  if (model.file == nullptr) return batch;
  const NamedTensors inputs = inputs_of(model, options);
  std::vector<std::string> given;
  for (const auto& [name, tensor] : batch.tensors) given.push_back(name);
  if (knows_any(given, inputs)) return batch;
  NamedTensors renamed = inputs;
  rename_by_position(renamed, given);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    for (auto& [name, tensor] : batch.tensors) {
      if (name == renamed[i].first) name = inputs[i].first;
    }
  }
  return batch;
}

ModelOptions options_for_file(const Model& model, const NamedTensors& inputs, ModelOptions options) {
  const NamedTensors tensors = inputs_of(model, options);
  for (const auto& [name, tensor] : inputs) {
    InputBinding binding{name, tensor.shape, tensor.dtype};
    const bool is_tensor =
        std::any_of(tensors.begin(), tensors.end(), [&key = name](const auto& row) { return row.first == key; });
    if (!is_tensor && tensor.dtype == DType::kInt64 && element_count(tensor.shape) == 1) {
      binding.shape = {*tensor.as<std::int64_t>()};  // a number that the program takes: the value says its size
    }
    options.inputs.push_back(std::move(binding));
  }
  return options;
}

}  // namespace nongemm
