#include "weights/pieces.h"

#include <fmt/format.h>

#include <cstring>

#include "base/elements.h"
#include "base/half.h"
#include "base/host_memory.h"
#include "base/parallel.h"

namespace nongemm::weights {
namespace {

std::string numbered(std::string text, std::int64_t number) {
  const std::size_t at = text.find('#');
  return at == std::string::npos ? text : text.replace(at, 1, std::to_string(number));
}

double bytes_of(const WeightSpec& spec) {
  return static_cast<double>(element_count(spec.shape)) * static_cast<double>(size_of(spec.dtype));
}

void copy(const HostTensor& piece, DType dtype, std::byte* target) {
  const auto elements = static_cast<std::size_t>(element_count(piece.shape));
  if (piece.dtype == dtype) {
    std::memcpy(target, piece.data.get(), elements * size_of(dtype));
  } else {
    convert_floating(piece.dtype, piece.data.get(), dtype, target, elements);
  }
}

}  // namespace

std::vector<std::string> piece_names(const WeightSpec& spec, const CheckpointRules& rules) {
  std::vector<std::string> names;
  for (const WeightPieces& rule : rules.pieces) {
    if (!spec.name.ends_with(rule.weight) || spec.shape.size() < 2) continue;
    const std::string stem = spec.name.substr(0, spec.name.size() - rule.weight.size());
    for (std::int64_t expert = 0; expert < spec.shape[0]; ++expert) {
      for (const std::string& piece : rule.pieces) names.push_back(stem + numbered(piece, expert));
    }
  }
  return names;
}

void check_pieces(const WeightSpec& spec, const std::vector<std::string>& names, const Pieces& pieces,
                  const Checkpoint& checkpoint, std::vector<std::string>& missing, std::vector<std::string>& wrong) {
  // The pieces are of one size, and divide the weight along its second dimension.
  const auto count = static_cast<std::int64_t>(names.size());
  Shape wanted(spec.shape.begin() + 1, spec.shape.end());
  wanted.at(0) = spec.shape[0] * spec.shape[1] / count;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto entry = pieces.find(i);
    if (entry == pieces.end()) {
      missing.push_back(names[i]);
      continue;
    }
    const HostTensor& tensor = *checkpoint.find(entry->second);
    if (tensor.shape != wanted) {
      wrong.push_back(fmt::format("{} is {}, {} is wanted", entry->second, to_string(tensor.shape), to_string(wanted)));
    } else if (!is_floating(tensor.dtype)) {
      wrong.push_back(fmt::format("{} is {}, {} is wanted", entry->second, name_of(tensor.dtype), name_of(spec.dtype)));
    }
  }
}

std::size_t join_pieces(const std::vector<WeightSpec>& specs, const std::vector<Pieces>& pieces,
                        const Checkpoint& checkpoint, NamedTensors& tensors, int threads) {
  double needed = 0;
  for (std::size_t i = 0; i < specs.size(); ++i) needed += pieces[i].empty() ? 0.0 : bytes_of(specs[i]);
  require_memory("putting the experts' weights together", needed, "leave the weights out to use synthetic ones");
  std::size_t converted = 0;
  for (std::size_t i = 0; i < specs.size(); ++i) {
    if (pieces[i].empty()) continue;
    auto [joined, bytes] = HostTensor::allocate(specs[i].dtype, specs[i].shape);
    const std::size_t stride = joined.byte_size() / pieces[i].size();
    std::vector<const HostTensor*> parts;
    for (const auto& [number, entry] : pieces[i]) parts.push_back(checkpoint.find(entry));
    if (parts.front()->dtype != specs[i].dtype) ++converted;
    std::byte* const target = bytes;
    parallel_for(parts.size(), threads,
                 [&](std::size_t part) { copy(*parts[part], specs[i].dtype, target + part * stride); });
    tensors[i].second = std::move(joined);
  }
  return converted;
}

}  // namespace nongemm::weights
