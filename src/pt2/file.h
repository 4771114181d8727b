// Writing an archive that torch.export.load reads.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <vector>

#include "base/tensor.h"
#include "pt2/program.h"

namespace nongemm::pt2 {

/// Gives a weight by its position in Program::weights; asked once for each, in their order, and let go before the next.
using GiveWeight = std::function<HostTensor(std::size_t weight)>;

/// Appears complete or not at all. Weights that lie within the bytes of one that was written before (tied weights,
/// views of one storage) refer to those.
/// @param inputs the sample inputs, in the order of Program::inputs
/// @returns the archive's bytes
/// @throws Error (kIo) naming the file
std::uint64_t write_program(const Program& program, const std::filesystem::path& path, const GiveWeight& give,
                            const std::vector<HostTensor>& inputs);

/// TensorMeta of the schema, on the host, row-major where `strides` is empty.
nlohmann::json tensor_meta(DType dtype, const Shape& shape, const Shape& strides, std::int64_t offset);

}  // namespace nongemm::pt2
