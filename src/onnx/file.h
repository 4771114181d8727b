// ONNX files: the model, and beside it, where the weights are large, their bytes as external data.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

#include "base/tensor.h"
#include "onnx/onnx_model.h"

namespace nongemm::onnx {

/// Gives a weight of the graph by its position: mapped from a checkpoint or drawn. Asked once for each use, in the
/// order of the initializers; what it returns is let go before the next is asked for.
using GiveWeight = std::function<HostTensor(std::size_t weight)>;

struct WrittenModel {
  std::filesystem::path model;
  std::filesystem::path data;  // empty when the weights are in the model's file
  std::uint64_t bytes = 0;     // of both
};

/// Writes `path`, and `path`.data when the weights exceed `most_inline` bytes. Both appear complete or not at all, and
/// no more than one weight is held in memory besides what `give` holds itself.
/// @throws Error (kIo) naming the file
WrittenModel write_model(const ModelDef& model, const std::filesystem::path& path, const GiveWeight& give,
                         std::uint64_t most_inline = std::uint64_t{1} << 30);

/// An initializer as the model declares it: the weight itself, sharing its bytes, or transposed, or the constant.
HostTensor tensor_of(const Initializer& initializer, const GiveWeight& give);

}  // namespace nongemm::onnx
