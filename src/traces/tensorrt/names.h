// Names as TensorRT decorates and joins them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nongemm::traces {

/// Files of trtexec are not longer.
inline constexpr std::uint64_t kMostExportBytes = std::uint64_t{512} << 20;

/// A name without the suffix that layers and tensors of further optimization profiles carry: "conv1 [profile 2]" is
/// "conv1" of profile 2. Names without one belong to profile 0.
struct ProfiledName {
  std::string name;
  int profile = 0;
};
ProfiledName split_profile(std::string_view name);

/// The ONNX nodes in a layer's metadata, in its order: "[ONNX Layer: a]<U+001E>[ONNX Layer: b]" gives a and b.
std::vector<std::string> onnx_layers_in(std::string_view metadata);

/// The names that a layer's name is made of: "a + b", "a || b", "PWN(a, PWN(b))" and "{ForeignNode[a...b + c]}", where
/// those between the first and the last are not written. Pieces that TensorRT made up are given out, too.
std::vector<std::string> parts_of_name(std::string_view name);

/// "{ForeignNode[...]}": a block compiled by Myelin, of which the engine tells no more.
bool is_foreign_node(std::string_view name);

}  // namespace nongemm::traces
