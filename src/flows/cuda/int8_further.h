// Outlier columns beyond the copies as a product of its own, for devices that have one which takes its size from their
// memory: how many columns there are only the device knows. All of it lies in Int8Product::further_scratch.
#pragma once

#include <cstddef>
#include <cstdint>

#include "flows/device/int8.h"

namespace nongemm::cuda {

/// Written by the device.
struct FurtherProblem {
  std::int32_t rows = 0;  // 0 where there are no further columns
  std::int32_t columns = 0;
  std::int32_t inner = 0;
  const void* left = nullptr;   // [rows, left_stride] of dtype: the activations' further columns, side by side
  const void* right = nullptr;  // [columns, right_stride] of dtype: the weight's
  float* sums = nullptr;        // Int8Product::further
  std::int64_t left_stride = 0;
  std::int64_t right_stride = 0;
  std::int64_t sums_stride = 0;
};

/// Where the parts are.
struct FurtherScratch {
  FurtherProblem* problem;
  void* left;
  void* right;
  void* workspace;  // the product's own
  std::int64_t stride;
};

/// Of types of two bytes: lines begin at multiples of 16 bytes.
constexpr std::int64_t further_stride(std::int64_t inner) { return (inner + 7) / 8 * 8; }

constexpr std::size_t kFurtherAlignment = 256;
constexpr std::size_t further_aligned(std::size_t bytes) {
  return (bytes + kFurtherAlignment - 1) / kFurtherAlignment * kFurtherAlignment;
}

/// Before the workspace.
constexpr std::size_t further_bytes(const device::Int8Product& p) {
  constexpr std::size_t kElement = 2;
  const auto line = static_cast<std::size_t>(further_stride(p.inner)) * kElement;
  return further_aligned(sizeof(FurtherProblem)) + further_aligned(line * static_cast<std::size_t>(p.rows)) +
         further_aligned(line * static_cast<std::size_t>(p.columns));
}

inline FurtherScratch further_scratch(const device::Int8Product& p) {
  constexpr std::size_t kElement = 2;
  auto* at = static_cast<std::byte*>(p.further_scratch);
  FurtherScratch scratch{};
  scratch.stride = further_stride(p.inner);
  scratch.problem = reinterpret_cast<FurtherProblem*>(at);
  at += further_aligned(sizeof(FurtherProblem));
  scratch.left = at;
  at += further_aligned(static_cast<std::size_t>(scratch.stride * p.rows) * kElement);
  scratch.right = at;
  at += further_aligned(static_cast<std::size_t>(scratch.stride * p.columns) * kElement);
  scratch.workspace = at;
  return scratch;
}

}  // namespace nongemm::cuda
