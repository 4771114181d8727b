// The safetensors format (huggingface/safetensors, README "Format"): 8 bytes header length, a JSON header, the data.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/tensor.h"
#include "weights/checkpoint.h"

namespace nongemm::weights {

/// A header's entry, checked: `end - begin` is the byte size of `shape` in `dtype`.
struct SafetensorsEntry {
  std::string name;
  DType dtype = DType::kUndefined;
  Shape shape;
  std::uint64_t begin = 0;  // bytes, from the end of the header
  std::uint64_t end = 0;
};

/// The header of a whole file given as bytes, entries in the header's order. Everything is checked: lengths, JSON
/// structure, duplicate names, dtypes, sizes, and that the tensors fill the data without overlap or hole, as the format
/// demands.
/// @param file_name for messages only
/// @throws Error (kBadInput; kUnsupported for an element type that exists but is not handled here)
std::vector<SafetensorsEntry> parse_safetensors_header(std::span<const std::byte> file, std::string_view file_name);

/// All tensors of a file, in the header's order, pointing into its mapping (copied only where misaligned for their
/// dtype).
NamedTensors read_safetensors(const std::shared_ptr<const MappedFile>& file);
NamedTensors read_safetensors(const std::filesystem::path& path);

CheckpointFormat safetensors_format();

/// Writes atomically. Tensors are laid out so that each is aligned for its dtype; equal names are refused.
void write_safetensors(const std::filesystem::path& path, const NamedTensors& tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace nongemm::weights
