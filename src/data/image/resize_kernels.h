// The two inner loops of resize: plain C++, and AVX2 where the processor has it. Same results bit for bit.
#pragma once

#include <cstddef>
#include <cstdint>

#include "data/image/resize.h"

namespace nongemm::data {

/// One row of pixels to out, weights.starts.size() pixels. Up to Image::kSlack bytes behind the row are read.
void resample_row(const std::uint8_t* row, const ResampleWeights& weights, std::uint8_t* out);

/// `bytes` bytes of row `y` of the result; rows[weights.starts[y] * stride] is the first byte that enters. Up to
/// Image::kSlack bytes behind the last row are read; nothing behind the out row is written.
void resample_column(const std::uint8_t* rows, std::size_t stride, std::size_t bytes, const ResampleWeights& weights,
                     int y, std::uint8_t* out);

/// The plain versions, for tests.
void resample_row_plain(const std::uint8_t* row, const ResampleWeights& weights, std::uint8_t* out);
void resample_column_plain(const std::uint8_t* rows, std::size_t stride, std::size_t bytes,
                           const ResampleWeights& weights, int y, std::uint8_t* out);

}  // namespace nongemm::data
