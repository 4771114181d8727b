// The product of further outlier columns for Hopper: wgmma through CUTLASS, as a group of one product, since groups
// take their sizes from the device's memory. Without such columns it has no rows, and its blocks end as they begin.
#include <cutlass/cutlass.h>
#include <cutlass/gemm/device/gemm_universal_adapter.h>

#include <cutlass/epilogue/collective/collective_builder.hpp>
#include <cutlass/gemm/collective/collective_builder.hpp>
#include <cutlass/gemm/group_array_problem_shape.hpp>
#include <cutlass/gemm/kernel/gemm_universal.hpp>

#include "flows/cuda/int8_further.h"
#include "flows/cuda/int8_product_sm90.h"

namespace nongemm::cuda {
namespace {

using cute::Int;
using cute::Shape;

using Sizes = Shape<int, int, int>;
using Line = cute::Stride<std::int64_t, Int<1>, Int<0>>;
static_assert(sizeof(Sizes) == 3 * sizeof(std::int32_t) && sizeof(Line) == sizeof(std::int64_t),
              "as FurtherProblem has them");

/// @tparam Tile a parameter, since nvcc 13 does not write down for the host's compiler what depends on none
template <typename Element, class Tile = Shape<Int<128>, Int<256>, Int<64>>>
struct Further {
  using Cluster = Shape<Int<2>, Int<1>, Int<1>>;
  using Rows = cutlass::layout::RowMajor*;
  using Columns = cutlass::layout::ColumnMajor*;
  using Epilogue = typename cutlass::epilogue::collective::CollectiveBuilder<
      cutlass::arch::Sm90, cutlass::arch::OpClassTensorOp, Tile, Cluster,
      cutlass::epilogue::collective::EpilogueTileAuto, float, float, void, Rows, 4, float, Rows, 4,
      cutlass::epilogue::PtrArrayTmaWarpSpecializedCooperative>::CollectiveOp;
  using Mainloop = typename cutlass::gemm::collective::CollectiveBuilder<
      cutlass::arch::Sm90, cutlass::arch::OpClassTensorOp, Element, Rows, 8, Element, Columns, 8, float, Tile, Cluster,
      cutlass::gemm::collective::StageCountAutoCarveout<static_cast<int>(sizeof(typename Epilogue::SharedStorage))>,
      cutlass::gemm::KernelPtrArrayTmaWarpSpecializedCooperative>::CollectiveOp;
  using Gemm = cutlass::gemm::device::GemmUniversalAdapter<
      cutlass::gemm::kernel::GemmUniversal<cutlass::gemm::GroupProblemShape<Sizes>, Mainloop, Epilogue>>;
  static_assert(std::is_same_v<typename Gemm::GemmKernel::InternalStrideA, Line> &&
                std::is_same_v<typename Gemm::GemmKernel::InternalStrideB, Line> &&
                std::is_same_v<typename Gemm::GemmKernel::InternalStrideD, Line>);
};

int multiprocessors() {
  static const int kCount = [] {
    int device = 0;
    cudaGetDevice(&device);
    return cutlass::KernelHardwareInfo::query_device_multiprocessor_count(device);
  }();
  return kCount;
}

template <typename Element>
typename Further<Element>::Gemm::Arguments arguments_of(const Int8Product& p) {
  FurtherProblem* const problem = further_scratch(p).problem;
  typename Further<Element>::Gemm::Arguments arguments{};
  arguments.mode = cutlass::gemm::GemmUniversalMode::kGrouped;
  arguments.problem_shape = {1, reinterpret_cast<Sizes*>(&problem->rows), nullptr};
  arguments.mainloop.ptr_A = reinterpret_cast<const Element**>(&problem->left);
  arguments.mainloop.dA = reinterpret_cast<Line*>(&problem->left_stride);
  arguments.mainloop.ptr_B = reinterpret_cast<const Element**>(&problem->right);
  arguments.mainloop.dB = reinterpret_cast<Line*>(&problem->right_stride);
  arguments.epilogue.thread.alpha = 1.0f;
  arguments.epilogue.thread.beta = 0.0f;
  arguments.epilogue.ptr_D = &problem->sums;
  arguments.epilogue.dD = reinterpret_cast<Line*>(&problem->sums_stride);
  arguments.hw_info.sm_count = multiprocessors();
  return arguments;
}

template <typename Element>
const char* launch(const Int8Product& p, cudaStream_t stream) {
  typename Further<Element>::Gemm gemm;
  const auto arguments = arguments_of<Element>(p);
  if (gemm.initialize(arguments, further_scratch(p).workspace, stream) != cutlass::Status::kSuccess) {
    return "it cannot be set up";
  }
  return gemm.run(stream) == cutlass::Status::kSuccess ? nullptr : "it cannot be launched";
}

}  // namespace
}  // namespace nongemm::cuda

extern "C" __attribute__((visibility("default"))) const char* nongemm_sm90_interface() {
  return NONGEMM_SM90_INTERFACE;
}

extern "C" __attribute__((visibility("default"))) std::int64_t nongemm_further_workspace_sm90(
    const nongemm::cuda::Int8Product& product) {
  using namespace nongemm::cuda;
  using Gemm = typename Further<cutlass::half_t>::Gemm;
  using Other = typename Further<cutlass::bfloat16_t>::Gemm;
  return static_cast<std::int64_t>(std::max(Gemm::get_workspace_size(arguments_of<cutlass::half_t>(product)),
                                            Other::get_workspace_size(arguments_of<cutlass::bfloat16_t>(product))));
}

extern "C" __attribute__((visibility("default"))) const char* nongemm_further_product_sm90(
    const nongemm::cuda::Int8Product& product, cudaStream_t stream) {
  using namespace nongemm::cuda;
  if (product.dtype == nongemm::DType::kFloat16) return launch<cutlass::half_t>(product, stream);
  return launch<cutlass::bfloat16_t>(product, stream);
}
