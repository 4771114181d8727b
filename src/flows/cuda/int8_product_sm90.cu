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

constexpr int kTileRows = 128;
constexpr int kTileColumns = 128;
constexpr int kEpilogueThreads = 128;  // one warp group
/// Copies lie in shared memory as wgmma reads them without swizzling: kEight of each line side by side, lines behind
/// each other, then the next kEight of all lines.
constexpr int kEight = 8;
constexpr int kEights = kGatheredOutliers / kEight;

/// A leaf of CUTLASS's epilogue visitor tree that is the whole tree: results of one thread's part of a tile.
template <typename T>
struct ScaleAndAddOutliers {
  /// What all parts of a tile read again and again. One is enough: the warp groups' epilogues take turns.
  struct SharedStorage {
    alignas(128) T left[kEights][kTileRows][kEight];
    alignas(128) T right[kEights][kTileColumns][kEight];
    float row_scales[kTileRows];
    float column_scales[kTileColumns];
    float bias[kTileColumns];
  };
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
  CUTLASS_HOST_DEVICE ScaleAndAddOutliers(const Params& given, const SharedStorage& storage)
      : params(given), shared(const_cast<SharedStorage*>(&storage)) {}
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

    CUTLASS_DEVICE Callbacks(Places given, int row, int column, int tile_row, int tile_column, const Params& p,
                             SharedStorage& s)
        : places(given),
          first_row(row),
          first_column(column),
          row_of_tile(tile_row),
          column_of_tile(tile_column),
          params(p),
          shared(s) {}

    Places places;
    int first_row;
    int first_column;
    int row_of_tile;
    int column_of_tile;
    const Params& params;
    SharedStorage& shared;
    int count = 0;  // of outlier columns
    float scales[kResults];
    float added[kResults];

    /// Once for the tile, a row and a column each thread. Beyond the matrix the last ones are read; nothing of that is
    /// stored.
    CUTLASS_DEVICE void begin() {
      static_assert(kTileRows == kEpilogueThreads && kTileColumns == kEpilogueThreads);
      const int thread = static_cast<int>(threadIdx.x) % kEpilogueThreads;
      const int at_row = min(row_of_tile + thread, static_cast<int>(params.rows) - 1);
      const int at_column = min(column_of_tile + thread, static_cast<int>(params.columns) - 1);
      count = params.outliers != nullptr ? __ldg(params.outliers) : 0;
      shared.row_scales[thread] = __ldg(params.row_scales + at_row);
      shared.column_scales[thread] = __ldg(params.weight_scales + at_column);
      shared.bias[thread] = params.bias != nullptr ? as_float(static_cast<const T*>(params.bias)[at_column]) : 0.0f;
      if (count == 0) return;
      static_assert(kEight * sizeof(T) == sizeof(uint4) && kGatheredStep == 2 * kEight);
      const auto* left = reinterpret_cast<const uint4*>(static_cast<const T*>(params.gathered) +
                                                        static_cast<std::int64_t>(at_row) * kGatheredOutliers);
      const auto* right = reinterpret_cast<const uint4*>(static_cast<const T*>(params.gathered_weight) +
                                                         static_cast<std::int64_t>(at_column) * kGatheredOutliers);
      CUTLASS_PRAGMA_NO_UNROLL
      for (int i = 0; i * kEight < filled_copies(count); i += 2) {
        const uint4 lines[4] = {__ldg(left + i), __ldg(left + i + 1), __ldg(right + i), __ldg(right + i + 1)};
        *reinterpret_cast<uint4*>(shared.left[i][thread]) = lines[0];
        *reinterpret_cast<uint4*>(shared.left[i + 1][thread]) = lines[1];
        *reinterpret_cast<uint4*>(shared.right[i][thread]) = lines[2];
        *reinterpret_cast<uint4*>(shared.right[i + 1][thread]) = lines[3];
      }
      cutlass::arch::fence_view_async_shared();  // wgmma reads it
    }
    CUTLASS_DEVICE bool begin_sync_needed() const { return true; }

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
      const int down = first_row_of(epi_m, epi_n) - row_of_tile;
      const int along = first_column_of(epi_m, epi_n) - column_of_tile;
      CUTLASS_PRAGMA_UNROLL
      for (int i = 0; i < kResults; ++i) {
        const int to_right = along + column_step(epi_m, epi_n, i);
        scales[i] =
            shared.row_scales[down + row_step(epi_m, epi_n, i)] * shared.column_scales[to_right] * kPerStepSquared;
        added[i] = shared.bias[to_right];
      }
      if (count == 0) return;
      // Sums of wgmma lie in a warp group's threads as the results do: rows 16 w + l / 4 and 8 more of warp w's lane l,
      // columns 2 (l % 4) and 1 more in each eight.
      const int lane = static_cast<int>(threadIdx.x) % 32;
      const int above = static_cast<int>(threadIdx.x) % kEpilogueThreads / 32 * 16 + lane / 4;
      const int before = 2 * (lane % 4);
      // Not unrolled: with two of these in a row the compiler runs out of registers and has all products wait.
      CUTLASS_PRAGMA_NO_UNROLL
      for (int step = 0; step < filled_copies(count); step += kGatheredStep) {
        add_step(shared.left[step / kEight][down - above], shared.right[step / kEight][along - before]);
      }
      if (count > kGatheredOutliers) add_further(epi_m, epi_n);
    }

    /// kGatheredStep outlier columns of a part of 64 x 32, by the warp group and wgmma: mma.sync would have the other
    /// group's products wait (1.6 us a tile).
    CUTLASS_DEVICE void add_step(const T* left, const T* right) {
      using namespace cute;
      static_assert(kGatheredStep == 16 && kResults == 16);
      const std::uint64_t a = described(left, kTileRows);
      const std::uint64_t b = described(right, kTileColumns);
      constexpr auto kRows = GMMA::Major::K;
      using Step = std::conditional_t<std::is_same_v<T, __half>, SM90_64x32x16_F32F16F16_SS<kRows, kRows>,
                                      SM90_64x32x16_F32BF16BF16_SS<kRows, kRows>>;
      fence_sums();
      warpgroup_arrive();
      Step::fma(a, b, added[0], added[1], added[2], added[3], added[4], added[5], added[6], added[7], added[8],
                added[9], added[10], added[11], added[12], added[13], added[14], added[15]);
      warpgroup_commit_batch();
      warpgroup_wait<0>();
      fence_sums();
    }
    CUTLASS_DEVICE void fence_sums() {
      CUTLASS_PRAGMA_UNROLL
      for (int i = 0; i < kResults; ++i) cute::warpgroup_fence_operand(added[i]);
    }

    /// A factor in shared memory for wgmma: address, distance of one kEight of a line from the next and of eight lines
    /// from the next, all in units of 16 bytes; no swizzling.
    CUTLASS_DEVICE static std::uint64_t described(const T* at, int lines) {
      const std::uint64_t address = cute::cast_smem_ptr_to_uint(at);
      return (address >> 4 & 0x3fff) | (static_cast<std::uint64_t>(lines) << 16) | (std::uint64_t{8} << 32);
    }

    /// Columns beyond the copies: their sums are there already, in whole tiles.
    CUTLASS_DEVICE void add_further(int epi_m, int epi_n) {
      const std::int64_t stride = device::in_whole_tiles(params.columns);
      CUTLASS_PRAGMA_UNROLL
      for (int i = 0; i < kResults; ++i) {
        added[i] += __ldg(params.further + row(epi_m, epi_n, i) * stride + column(epi_m, epi_n, i));
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
    return Callbacks<decltype(args.tCcD)>(
        args.tCcD, row, column, static_cast<int>(cute::get<0>(args.tile_coord_mnkl)) * kTileRows,
        static_cast<int>(cute::get<1>(args.tile_coord_mnkl)) * kTileColumns, params, *shared);
  }

  Params params;
  SharedStorage* shared = nullptr;
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

extern "C" __attribute__((visibility("default"))) const char* nongemm_sm90_interface() {
  return NONGEMM_SM90_INTERFACE;
}

extern "C" __attribute__((visibility("default"))) const char* nongemm_int8_product_sm90(
    const nongemm::cuda::Int8Product& product, cudaStream_t stream) {
  using namespace nongemm::cuda;
  using Tile = cute::Shape<cute::Int<kTileRows>, cute::Int<kTileColumns>, cute::Int<128>>;
  if (product.dtype == nongemm::DType::kFloat16) return launch<Kernel<__half, Tile>>(product, stream);
  return launch<Kernel<__nv_bfloat16, Tile>>(product, stream);
}
