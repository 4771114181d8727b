// Shapes of the command line, each of which may stand for many.
//
//   1x2048x4096                one shape
//   1x{128,512}x64             two
//   1x{128..8192*2}x4096       128, 256, ... 8192: each twice the one before
//   {1..4}x16, {0..64+16}x16   1, 2, 3, 4; 0, 16, ... 64
//   scalar                     a tensor without dimensions
#pragma once

#include <string>
#include <vector>

#include "base/tensor.h"

namespace nongemm::microbench {

/// All shapes, the last dimension's values change fastest. Throws Error(kUsage) naming the place.
std::vector<Shape> parse_shapes(const std::string& text);

}  // namespace nongemm::microbench
