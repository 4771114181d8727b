#include "flows/cuda/outlier_counts.h"

#include <cuda_runtime_api.h>

#include <atomic>
#include <cstring>

#include "flows/cuda/check.h"

namespace nongemm::cuda {
namespace {

/// Two products that meet in one place mislead each other: it costs time, and results are rounded as the other way
/// does.
constexpr std::size_t kPlaces = 1 << 16;

std::int32_t* places() {
  static std::int32_t* const kPinned = [] {
    void* memory = nullptr;
    constexpr std::size_t kBytes = kPlaces * sizeof(std::int32_t);
    check(cudaHostAlloc(&memory, kBytes, cudaHostAllocPortable | cudaHostAllocMapped), "allocating pinned memory");
    std::memset(memory, 0, kBytes);
    return static_cast<std::int32_t*>(memory);
  }();
  return kPinned;
}

}  // namespace

std::int32_t* told_outliers(const device::Int8Product& product) {
  constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15;
  const auto weight = reinterpret_cast<std::uintptr_t>(product.weight);
  const std::uint64_t mixed = (weight ^ static_cast<std::uint64_t>(product.rows) * kGolden) * kGolden;
  return places() + (mixed >> 48) % kPlaces;
}

bool had_many_outliers(const device::Int8Product& product) {
  // Sums of further columns run at a tenth of what a product of whole matrices does, and the int8 product takes half of
  // that one's time (docs/results/quantization.md).
  constexpr std::int64_t kShare = 16;
  const std::int64_t count = std::atomic_ref(*told_outliers(product)).load(std::memory_order_relaxed);
  return count > kGatheredOutliers && count * kShare > product.inner;
}

}  // namespace nongemm::cuda
