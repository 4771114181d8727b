// The int8 product of LLM.int8 for Hopper: wgmma through CUTLASS, and an epilogue that applies both scales, adds the
// bias and the outlier columns' product, and rounds once.
#include <cutlass/cutlass.h>
#include <cutlass/gemm/device/gemm_universal_adapter.h>

#include <cutlass/epilogue/collective/collective_builder.hpp>
#include <cutlass/gemm/collective/collective_builder.hpp>
#include <cutlass/gemm/kernel/gemm_universal.hpp>

#include "flows/cuda/int8.h"
#include "flows/cuda/int8_device.h"
#include "flows/cuda/int8_product_sm90.h"

namespace nongemm::cuda {
namespace {

using cute::Int;
using cute::Shape;
namespace fusion = cutlass::epilogue::fusion;

template <typename T>
struct Element {
  using Type = cutlass::half_t;
};
template <>
struct Element<__nv_bfloat16> {
  using Type = cutlass::bfloat16_t;
};

/// A leaf of CUTLASS's epilogue visitor tree that is the whole tree: results of one thread's part of a tile.
template <typename T>
struct ScaleAndAddOutliers {
  struct SharedStorage {};
  using Arguments = Int8Product;
  using Params = Int8Product;

  template <class Problem>
  static constexpr Params to_underlying_arguments(const Problem&, const Arguments& arguments, void*) {
    return arguments;
  }
  template <class Problem>
  static bool can_implement(const Problem&, const Arguments&) {
    return true;
  }
  template <class Problem>
  static std::size_t get_workspace_size(const Problem&, const Arguments&) {
    return 0;
  }
  template <class Problem>
  static cutlass::Status initialize_workspace(const Problem&, const Arguments&, void*, cudaStream_t,
                                              cutlass::CudaHostAdapter* = nullptr) {
    return cutlass::Status::kSuccess;
  }

  CUTLASS_HOST_DEVICE ScaleAndAddOutliers() {}
  CUTLASS_HOST_DEVICE ScaleAndAddOutliers(const Params& given, const SharedStorage&) : params(given) {}
  CUTLASS_DEVICE bool is_producer_load_needed() const { return false; }
  CUTLASS_DEVICE bool is_C_load_needed() const { return false; }

  template <class... Args>
  CUTLASS_DEVICE auto get_producer_load_callbacks(const fusion::detail::ProducerLoadArgs<Args...>&) {
    return fusion::detail::EmptyProducerLoadCallbacks{};
  }

  /// `places`: (row, column) of the thread's results from its first one, by static layout.
  template <class Places>
  struct Callbacks : fusion::detail::EmptyConsumerStoreCallbacks {
    static constexpr int kResults = decltype(cute::size(Places{}(cute::_, cute::_, cute::_, 0, 0)))::value;

    CUTLASS_DEVICE Callbacks(Places given, int row, int column, const Params& p)
        : places(given), first_row(row), first_column(column), params(p) {}

    Places places;
    int first_row;
    int first_column;
    const Params& params;
    float scales[kResults];
    float added[kResults];

    /// Of a part's first result, and how far result `i` is from it: constants once loops are unrolled.
    CUTLASS_DEVICE int first_row_of(int epi_m, int epi_n) const {
      return first_row + static_cast<int>(cute::get<0>(places(cute::_, cute::_, cute::_, epi_m, epi_n)(0)));
    }
    CUTLASS_DEVICE int first_column_of(int epi_m, int epi_n) const {
      return first_column + static_cast<int>(cute::get<1>(places(cute::_, cute::_, cute::_, epi_m, epi_n)(0)));
    }
    CUTLASS_DEVICE int row_step(int epi_m, int epi_n, int i) const {
      const auto part = places(cute::_, cute::_, cute::_, epi_m, epi_n);
      return static_cast<int>(cute::get<0>(part(i))) - static_cast<int>(cute::get<0>(part(0)));
    }
    CUTLASS_DEVICE int column_step(int epi_m, int epi_n, int i) const {
      const auto part = places(cute::_, cute::_, cute::_, epi_m, epi_n);
      return static_cast<int>(cute::get<1>(part(i))) - static_cast<int>(cute::get<1>(part(0)));
    }
    /// Beyond the matrix the last row and column are read; nothing of that is stored.
    CUTLASS_DEVICE int row(int epi_m, int epi_n, int i) const {
      return min(first_row_of(epi_m, epi_n) + row_step(epi_m, epi_n, i), static_cast<int>(params.rows) - 1);
    }
    CUTLASS_DEVICE int column(int epi_m, int epi_n, int i) const {
      return min(first_column_of(epi_m, epi_n) + column_step(epi_m, epi_n, i), static_cast<int>(params.columns) - 1);
    }

    /// Everything but the sums themselves, for one part of the tile.
    CUTLASS_DEVICE void begin_loop(int epi_m, int epi_n) {
      CUTLASS_PRAGMA_UNROLL
      for (int i = 0; i < kResults; ++i) {
        scales[i] = __ldg(params.row_scales + row(epi_m, epi_n, i)) *
                    __ldg(params.weight_scales + column(epi_m, epi_n, i)) * kPerStepSquared;
        added[i] =
            params.bias != nullptr ? as_float(static_cast<const T*>(params.bias)[column(epi_m, epi_n, i)]) : 0.0f;
      }
      if (params.outliers == nullptr) return;
      const int count = __ldg(params.outliers);
      for (int j = 0; j < min(count, kGatheredOutliers); j += kGatheredStep) add_step(epi_m, epi_n, j);
      for (int j = kGatheredOutliers; j < count; ++j) add_from_matrices(epi_m, epi_n, params.outliers[1 + j]);
    }

    /// kGatheredStep outlier columns by the tensor cores: a thread's sums of wgmma lie in a warp as those of
    /// mma.m16n8k16 do, rows lane / 4 and 8 more, columns 2 (lane % 4) and 1 more in each eight.
    CUTLASS_DEVICE void add_step(int epi_m, int epi_n, int j) {
      static_assert(kGatheredStep == 16);
      const int lane = static_cast<int>(threadIdx.x) % 32;
      const int pair = 2 * (lane % 4);
      const auto* left = static_cast<const T*>(params.gathered) + j + pair;
      const auto* right = static_cast<const T*>(params.gathered_weight) + j + pair;
      const int upper = row(epi_m, epi_n, 0);
      const int lower = min(first_row_of(epi_m, epi_n) + 8, static_cast<int>(params.rows) - 1);
      const std::uint32_t a[4] = {two(left + upper * kGatheredOutliers), two(left + lower * kGatheredOutliers),
                                  two(left + upper * kGatheredOutliers + 8), two(left + lower * kGatheredOutliers + 8)};
      constexpr int kEights = kResults / 4;
      float sums[kEights][4] = {};
      CUTLASS_PRAGMA_UNROLL
      for (int t = 0; t < kEights; ++t) {
        const int n =
            min(first_column_of(epi_m, epi_n) - pair + 8 * t + lane / 4, static_cast<int>(params.columns) - 1);
        multiply_add(sums[t], a, two(right + n * kGatheredOutliers), two(right + n * kGatheredOutliers + 8));
      }
      CUTLASS_PRAGMA_UNROLL
      for (int i = 0; i < kResults; ++i) {
        const int down = row_step(epi_m, epi_n, i);
        const int along = column_step(epi_m, epi_n, i);
        added[i] += sums[along / 8][2 * (down / 8) + along % 8];
      }
    }

    CUTLASS_DEVICE static std::uint32_t two(const T* values) {
      return __ldg(reinterpret_cast<const unsigned int*>(values));
    }

    CUTLASS_DEVICE static void multiply_add(float (&sums)[4], const std::uint32_t (&a)[4], std::uint32_t b0,
                                            std::uint32_t b1) {
      if constexpr (std::is_same_v<T, __half>) {
        asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
            "{%0, %1, %2, %3};"
            : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
            : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
      } else {
        asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
            "{%0, %1, %2, %3};"
            : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
            : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
      }
    }

    /// More outlier columns than were gathered: rare, and slow.
    CUTLASS_DEVICE void add_from_matrices(int epi_m, int epi_n, int place) {
      CUTLASS_PRAGMA_UNROLL
      for (int i = 0; i < kResults; ++i) {
        const int at = column(epi_m, epi_n, i);
        const float left = as_float(static_cast<const T*>(params.input)[row(epi_m, epi_n, i) * params.inner + place]);
        const float right = dequantized<T>(params.weight[at * params.inner + place], params.weight_scales[at]);
        added[i] = fmaf(left, right, added[i]);
      }
    }

    template <typename Sum, int kSize>
    CUTLASS_DEVICE auto visit(const cutlass::Array<Sum, kSize>& sums, int epi_v, int, int) {
      cutlass::Array<typename Element<T>::Type, kSize> results;
      CUTLASS_PRAGMA_UNROLL
      for (int i = 0; i < kSize; ++i) {
        const int at = epi_v * kSize + i;
        results[i] = typename Element<T>::Type(fmaf(static_cast<float>(sums[i]), scales[at], added[at]));
      }
      return results;
    }
  };

  template <bool kReferenceSource, class... Args>
  CUTLASS_DEVICE auto get_consumer_store_callbacks(const fusion::detail::ConsumerStoreArgs<Args...>& args) {
    // The residue is the distance to the matrix's end.
    const int row = static_cast<int>(params.rows) - static_cast<int>(cute::get<0>(args.residue_tCcD));
    const int column = static_cast<int>(params.columns) - static_cast<int>(cute::get<1>(args.residue_tCcD));
    return Callbacks<decltype(args.tCcD)>(args.tCcD, row, column, params);
  }

  Params params;
};

/// A tile of the result per pair of warp groups that take turns: one multiplies while the other scales and stores.
template <typename T, class Tile>
struct Kernel {
  using Out = typename Element<T>::Type;
  using Cluster = Shape<Int<2>, Int<1>, Int<1>>;
  using Epilogue = typename cutlass::epilogue::collective::CollectiveBuilder<
      cutlass::arch::Sm90, cutlass::arch::OpClassTensorOp, Tile, Cluster,
      cutlass::epilogue::collective::EpilogueTileAuto, std::int32_t, float, void, cutlass::layout::RowMajor, 8, Out,
      cutlass::layout::RowMajor, 8, cutlass::epilogue::TmaWarpSpecialized, ScaleAndAddOutliers<T>>::CollectiveOp;
  using Mainloop = typename cutlass::gemm::collective::CollectiveBuilder<
      cutlass::arch::Sm90, cutlass::arch::OpClassTensorOp, std::int8_t, cutlass::layout::RowMajor, 16, std::int8_t,
      cutlass::layout::ColumnMajor, 16, std::int32_t, Tile, Cluster,
      cutlass::gemm::collective::StageCountAutoCarveout<static_cast<int>(sizeof(typename Epilogue::SharedStorage))>,
      cutlass::gemm::KernelTmaWarpSpecializedPingpong>::CollectiveOp;
  using Gemm = cutlass::gemm::device::GemmUniversalAdapter<
      cutlass::gemm::kernel::GemmUniversal<Shape<int, int, int, int>, Mainloop, Epilogue>>;
};

template <typename K>
const char* launch(const Int8Product& p, cudaStream_t stream) {
  using Gemm = typename K::Gemm;
  const int rows = static_cast<int>(p.rows);
  const int columns = static_cast<int>(p.columns);
  const int inner = static_cast<int>(p.inner);
  typename Gemm::Arguments arguments{cutlass::gemm::GemmUniversalMode::kGemm, {rows, columns, inner, 1}, {}, {}, {}};
  arguments.mainloop.ptr_A = p.values;
  arguments.mainloop.dA = cute::make_stride(p.inner, Int<1>(), std::int64_t{0});
  arguments.mainloop.ptr_B = p.weight;
  arguments.mainloop.dB = cute::make_stride(p.inner, Int<1>(), std::int64_t{0});
  arguments.epilogue.thread = p;
  arguments.epilogue.ptr_C = nullptr;
  arguments.epilogue.dC = cute::make_stride(p.columns, Int<1>(), std::int64_t{0});
  arguments.epilogue.ptr_D = static_cast<typename K::Out*>(p.output);
  arguments.epilogue.dD = cute::make_stride(p.columns, Int<1>(), std::int64_t{0});
  Gemm gemm;
  if (gemm.can_implement(arguments) != cutlass::Status::kSuccess) return "its size is not one that the kernel takes";
  if (Gemm::get_workspace_size(arguments) != 0) return "it wants a workspace";
  if (gemm.initialize(arguments, nullptr, stream) != cutlass::Status::kSuccess) return "it cannot be set up";
  if (gemm.run(stream) != cutlass::Status::kSuccess) return "it cannot be launched";
  return nullptr;
}

}  // namespace
}  // namespace nongemm::cuda

extern "C" __attribute__((visibility("default"))) const char* nongemm_int8_product_sm90(
    const nongemm::cuda::Int8Product& product, cudaStream_t stream) {
  using namespace nongemm::cuda;
  using Tile = cute::Shape<cute::Int<128>, cute::Int<128>, cute::Int<128>>;
  if (product.dtype == nongemm::DType::kFloat16) return launch<Kernel<__half, Tile>>(product, stream);
  return launch<Kernel<__nv_bfloat16, Tile>>(product, stream);
}
