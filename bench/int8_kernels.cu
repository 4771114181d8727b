// The kernels of LLM.int8 on a device without anything else of the project: first against a reference on the host, then
// their times beside a copy's and beside cuBLAS's fp16 product. bench/int8_on_device.sh runs it.
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>
#include <dlfcn.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <functional>
#include <random>
#include <type_traits>
#include <utility>
#include <vector>

#include "flows/cuda/check.h"
#include "flows/cuda/int8.h"
#include "flows/cuda/int8_product_sm90.h"

namespace {

using namespace nongemm;
using namespace nongemm::cuda;

int failures = 0;

template <typename T>
struct Device {
  explicit Device(std::size_t n) : count(n) {
    check(cudaMalloc(&data, n * sizeof(T)), "malloc");
    check(cudaMemset(data, 0x5a, n * sizeof(T)), "memset");  // whatever is not written shows
  }
  explicit Device(const std::vector<T>& host) : Device(host.size()) {
    check(cudaMemcpy(data, host.data(), count * sizeof(T), cudaMemcpyDefault), "copy");
  }
  Device(const Device&) = delete;
  ~Device() { cudaFree(data); }
  std::vector<T> host() const {
    std::vector<T> result(count);
    check(cudaMemcpy(result.data(), data, count * sizeof(T), cudaMemcpyDefault), "copy");
    return result;
  }
  T* data = nullptr;
  std::size_t count;
};

template <typename T>
constexpr DType kType = std::is_same_v<T, __half> ? DType::kFloat16
                                                  : (std::is_same_v<T, float> ? DType::kFloat32 : DType::kBFloat16);
template <typename T>
float number(T value) {
  return static_cast<float>(value);
}

/// Normal, and in some columns a few magnitudes from 6 on, one of them exactly 6.
template <typename T>
std::vector<T> activations(int rows, int columns, const std::vector<int>& outliers, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<T> values(static_cast<std::size_t>(rows) * columns);
  for (T& value : values) value = T(std::clamp(normal(random), -5.5f, 5.5f));
  for (const int column : outliers) {
    values[static_cast<std::size_t>(random() % rows) * columns + column] = T(column % 2 == 0 ? -6.0f : 6.0f);
    for (int row = 0; row < rows; row += 3) {
      if (random() % 2 == 0) values[static_cast<std::size_t>(row) * columns + column] = T(9.0f + 8.0f * normal(random));
    }
  }
  return values;
}

struct Quantized {
  std::vector<std::int8_t> values;
  std::vector<float> scales;
  std::vector<int> outliers;
};

template <typename T>
Quantized reference(const std::vector<T>& input, int rows, int columns, float threshold) {
  Quantized result;
  result.values.resize(input.size());
  std::vector<bool> aside(columns, false);
  const auto half = [](T value) { return __half2float(__float2half(number(value))); };
  for (int r = 0; r < rows; ++r) {
    const T* row = input.data() + static_cast<std::size_t>(r) * columns;
    const auto is_outlier = [&](float value) { return threshold > 0 && std::fabs(value) >= threshold; };
    float largest = 0;
    for (int c = 0; c < columns; ++c) {
      if (is_outlier(half(row[c]))) {
        aside[c] = true;
      } else {
        largest = std::max(largest, std::fabs(half(row[c])));
      }
    }
    result.scales.push_back(largest);
    const float factor = largest > 0 ? 1.0f / largest * 127.0f : 0.0f;
    for (int c = 0; c < columns; ++c) {
      const float value = half(row[c]);
      const float scaled = value * factor;
      result.values[static_cast<std::size_t>(r) * columns + c] =
          static_cast<std::int8_t>(is_outlier(value) ? 0 : std::nearbyint(scaled));
    }
  }
  for (int c = 0; c < columns; ++c) {
    if (aside[c]) result.outliers.push_back(c);
  }
  for (const int c : result.outliers) {
    for (int r = 0; r < rows; ++r) result.values[static_cast<std::size_t>(r) * columns + c] = 0;
  }
  return result;
}

void tell(bool good, const char* what, const char* type, int rows, int columns, int inner, std::size_t outliers) {
  if (!good) ++failures;
  if (!good)
    std::printf("WRONG %s %s rows %d columns %d inner %d outliers %zu\n", what, type, rows, columns, inner, outliers);
}

/// Everything that the kernels write for one layer.
template <typename T>
struct Layer {
  Layer(const std::vector<T>& in, int r, int n, int k, float t)
      : input(in),
        values(static_cast<std::size_t>(r) * k),
        scales(r),
        flags(k),
        outliers(1 + k),
        gathered(static_cast<std::size_t>(kGatheredOutliers) * r),
        gathered_weight(static_cast<std::size_t>(kGatheredOutliers) * n),
        further(device::in_whole_tiles(r) * device::in_whole_tiles(n)),
        output(static_cast<std::size_t>(r) * n) {
    rows = {input.data, kType<T>, r, k, t, values.data, scales.data, flags.data, outliers.data, gathered.data};
    product.values = values.data;
    product.row_scales = scales.data;
    product.output = output.data;
    product.dtype = kType<T>;
    product.rows = r;
    product.columns = n;
    product.inner = k;
    product.input = input.data;
    product.outliers = t > 0 ? outliers.data : nullptr;
    product.gathered = gathered.data;
    product.gathered_weight = gathered_weight.data;
    product.further = further.data;
  }
  Device<T> input;
  Device<std::int8_t> values;
  Device<float> scales;
  Device<std::uint8_t> flags;
  Device<std::int32_t> outliers;
  Device<T> gathered, gathered_weight;
  Device<float> further;
  Device<T> output;
  Int8Rows rows;
  Int8Product product;
};

/// An int8 value in the activations' type.
template <typename T>
T unfolded(std::int8_t value, float scale) {
  return T(static_cast<float>(value) * scale * 7.874015718698502e-3f);
}

/// Both factors, bit for bit.
template <typename T>
void check_unfolded(const Layer<T>& layer, const char* type, const std::vector<T>& input, const Quantized& rows,
                    const Quantized& weight) {
  const auto inner = static_cast<std::size_t>(layer.product.inner);
  const Device<T> left(input.size()), right(weight.values.size());
  if (!can_unfold(layer.product)) return tell(false, "unfolding", type, 0, 0, layer.product.inner, 0);
  launch_unfold(layer.product, left.data, right.data, nullptr);
  check(cudaDeviceSynchronize(), "unfolding");
  std::vector<bool> aside(inner, false);
  for (const int column : rows.outliers) aside[column] = true;
  bool good = true;
  const std::vector<T> lines = left.host(), columns = right.host();
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const T wanted = aside[i % inner] ? input[i] : unfolded<T>(rows.values[i], rows.scales[i / inner]);
    good = good && number(lines[i]) == number(wanted);
  }
  for (std::size_t i = 0; i < columns.size(); ++i) {
    good = good && number(columns[i]) == number(unfolded<T>(weight.values[i], weight.scales[i / inner]));
  }
  tell(good, "unfolded factors", type, static_cast<int>(layer.product.rows), static_cast<int>(layer.product.columns),
       static_cast<int>(inner), rows.outliers.size());
}

template <typename T>
void check_layer(const char* type, int rows, int columns, int inner, const std::vector<int>& at, float threshold) {
  const std::vector<T> input = activations<T>(rows, inner, at, rows * 7 + inner);
  const std::vector<__half> weight = activations<__half>(columns, inner, {}, columns);
  const std::vector<T> bias = activations<T>(1, columns, {}, 5);
  const Quantized expected = reference(input, rows, inner, threshold);
  const Quantized quantized_weight = reference(weight, columns, inner, 0);
  Layer<T> layer(input, rows, columns, inner, threshold);
  launch_int8_rows(layer.rows, nullptr);
  check(cudaDeviceSynchronize(), "rows");
  tell(layer.scales.host() == expected.scales, "scales", type, rows, columns, inner, at.size());
  tell(layer.values.host() == expected.values, "values", type, rows, columns, inner, at.size());
  if (threshold > 0) {
    const std::vector<std::int32_t> found = layer.outliers.host();
    const bool same = found[0] == static_cast<int>(expected.outliers.size()) &&
                      std::equal(expected.outliers.begin(), expected.outliers.end(), found.begin() + 1);
    tell(same, "outlier columns", type, rows, columns, inner, at.size());
  }
  const Device<std::int8_t> weight_values(quantized_weight.values);
  const Device<float> weight_scales(quantized_weight.scales);
  const Device<T> device_bias(bias);
  layer.product.weight = weight_values.data;
  layer.product.weight_scales = weight_scales.data;
  layer.product.bias = device_bias.data;
  std::vector<double> sums(static_cast<std::size_t>(rows) * columns);
  for (int r = 0; r < rows; ++r) {
    for (int n = 0; n < columns; ++n) {
      const std::int8_t* a = expected.values.data() + static_cast<std::size_t>(r) * inner;
      const std::int8_t* b = quantized_weight.values.data() + static_cast<std::size_t>(n) * inner;
      std::int64_t sum = 0;
      for (int k = 0; k < inner; ++k) sum += a[k] * b[k];
      double value = static_cast<double>(sum) * expected.scales[r] * quantized_weight.scales[n] / (127.0 * 127.0);
      value += number(bias[n]);
      for (const int k : expected.outliers) {
        value += number(input[static_cast<std::size_t>(r) * inner + k]) *
                 number(T(static_cast<float>(b[k]) * quantized_weight.scales[n] * 7.874015718698502e-3f));
      }
      sums[static_cast<std::size_t>(r) * columns + n] = value;
    }
  }
  const double digits = std::is_same_v<T, __half> ? 0x1p-11 : (std::is_same_v<T, float> ? 0x1p-21 : 0x1p-8);
  const auto compare = [&](const char* what) {
    check(cudaDeviceSynchronize(), what);
    const std::vector<T> got = layer.output.host();
    double largest = 0;
    for (const double sum : sums) largest = std::max(largest, std::fabs(sum));
    bool good = true;
    for (std::size_t i = 0; i < sums.size(); ++i) {
      good = good && std::fabs(number(got[i]) - sums[i]) <= digits * std::fabs(sums[i]) + 2e-6 * largest;
    }
    tell(good, what, type, rows, columns, inner, at.size());
    check(cudaMemset(layer.output.data, 0x5a, layer.output.count * sizeof(T)), "memset");
  };
  if (threshold > 0) launch_prepare_outliers(layer.product, nullptr);
  launch_int8_product(layer.product, nullptr);
  compare("product of any size");
  if (kType<T> == DType::kFloat32 || inner % 16 != 0 || columns % 8 != 0) return;
  if constexpr (sizeof(T) == 2) {
    if (threshold > 0) check_unfolded(layer, type, input, expected, quantized_weight);
  }
  const char* why = nongemm_int8_product_sm90(layer.product, nullptr);
  if (why != nullptr) std::printf("the tuned product: %s\n", why);
  compare("tuned product");
}

void check_all() {
  std::vector<int> all(96), many(50), hundreds, spread;
  for (int i = 0; i < 96; ++i) all[i] = i;
  for (int i = 0; i < 50; ++i) many[i] = 2 * i + 1;
  for (int i = 0; i < 560; ++i) {
    if (i % 7 != 3) hundreds.push_back(i);
  }
  for (int i = 0; i < 4608; i += 5) spread.push_back(i);
  const std::vector<int> six = {3, 17, 18, 31, 40, 51};
  for (const float threshold : {6.0f, 0.0f}) {
    check_layer<__half>("fp16", 1, 48, 64, six, threshold);
    check_layer<__half>("fp16", 33, 40, 52, {}, threshold);
    check_layer<__half>("fp16", 70, 56, 96, all, threshold);
    check_layer<__half>("fp16", 200, 264, 272, many, threshold);
    check_layer<__half>("fp16", 130, 136, 4096, six, threshold);
    check_layer<__half>("fp16", 300, 520, 14336, many, threshold);
    check_layer<__half>("fp16", 5, 24, 20480, six, threshold);
    check_layer<__half>("fp16", 3, 9, 61, six, threshold);
    check_layer<__half>("fp16", 150, 136, 560, hundreds, threshold);
    check_layer<__half>("fp16", 40, 72, 4608, spread, threshold);
    check_layer<__nv_bfloat16>("bf16", 150, 136, 560, hundreds, threshold);
    check_layer<float>("fp32", 70, 56, 560, hundreds, threshold);
    check_layer<__nv_bfloat16>("bf16", 200, 264, 272, many, threshold);
    check_layer<__nv_bfloat16>("bf16", 130, 136, 4096, six, threshold);
    check_layer<float>("fp32", 70, 56, 96, six, threshold);
  }
  std::printf("%s\n", failures == 0 ? "all right" : "WRONG RESULTS");
}

double median_us(const std::function<void(int)>& run) {
  constexpr int kRounds = 30;
  cudaEvent_t begin, end;
  check(cudaEventCreate(&begin), "event");
  check(cudaEventCreate(&end), "event");
  for (int i = 0; i < 5; ++i) run(i);
  std::vector<float> times;
  for (int i = 0; i < kRounds; ++i) {
    check(cudaEventRecord(begin), "event");
    for (int inner = 0; inner < 4; ++inner) run(4 * i + inner);
    check(cudaEventRecord(end), "event");
    check(cudaEventSynchronize(end), "event");
    float ms = 0;
    check(cudaEventElapsedTime(&ms, begin, end), "event");
    times.push_back(ms * 250.0f);
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

const std::vector<int> kSix = {11, 700, 701, 1999, 2500, 4000};

void time_rows(int rows, int inner) {
  const std::vector<__half> input = activations<__half>(rows, inner, kSix, 1);
  Layer<__half> a(input, rows, 8, inner, 6.0f), b(input, rows, 8, inner, 6.0f), c(input, rows, 8, inner, 0.0f);
  Device<__half> other(input.size());
  const double bytes = static_cast<double>(input.size());
  const double copy = median_us([&](int i) {
    const Device<__half>& from = i % 2 == 0 ? a.input : b.input;
    check(cudaMemcpyAsync(other.data, from.data, input.size() * 2, cudaMemcpyDeviceToDevice), "copy");
  });
  const double set_aside = median_us([&](int i) { launch_int8_rows((i % 2 == 0 ? a : b).rows, nullptr); });
  // The pass over the rows by itself: threshold and marks, but nothing to set aside afterwards.
  Int8Rows pass_a = a.rows, pass_b = b.rows;
  pass_a.flags = pass_b.flags = nullptr;
  const double pass = median_us([&](int i) { launch_int8_rows(i % 2 == 0 ? pass_a : pass_b, nullptr); });
  const double plain = median_us([&](int) { launch_int8_rows(c.rows, nullptr); });
  const double rate = 4 * bytes / copy;
  std::printf(
      "rows %5d x %5d: copy %7.1f us %5.0f GB/s; quantize %7.1f us %5.0f GB/s %3.0f%%; and set aside %7.1f us "
      "%5.0f GB/s %3.0f%%; "
      "without threshold %7.1f us %5.0f GB/s %3.0f%%\n",
      rows, inner, copy, rate * 1e-3, pass, 3 * bytes / pass * 1e-3, 300 * bytes / pass / rate, set_aside,
      3 * bytes / set_aside * 1e-3, 300 * bytes / set_aside / rate, plain, 3 * bytes / plain * 1e-3,
      300 * bytes / plain / rate);
}

/// cuBLAS as a library to be looked up, so that neither its headers nor the library itself are needed to build.
struct Cublas {
  using Create = int (*)(void** handle);
  using Multiply = int (*)(void* handle, int transpose_a, int transpose_b, int m, int n, int k, const void* alpha,
                           const void* a, cudaDataType type_a, int lda, const void* b, cudaDataType type_b, int ldb,
                           const void* beta, void* c, cudaDataType type_c, int ldc, int compute, int algorithm);
  Cublas() {
    void* library = dlopen("libcublas.so.13", RTLD_NOW);
    if (library == nullptr) return;
    multiply = reinterpret_cast<Multiply>(dlsym(library, "cublasGemmEx"));
    reinterpret_cast<Create>(dlsym(library, "cublasCreate_v2"))(&handle);
  }
  void* handle = nullptr;
  Multiply multiply = nullptr;
};

double time_fp16(const Device<__half>& input, const Device<__half>& weight, const Device<__half>& output, int rows,
                 int columns, int inner) {
  static const Cublas cublas;
  if (cublas.multiply == nullptr) return 0;
  constexpr int kNotTransposed = 0, kTransposed = 1, kComputeInFloat = 68, kDefaultAlgorithm = -1;
  const float one = 1, zero = 0;
  return median_us([&](int) {
    const int status = cublas.multiply(cublas.handle, kTransposed, kNotTransposed, columns, rows, inner, &one,
                                       weight.data, CUDA_R_16F, inner, input.data, CUDA_R_16F, inner, &zero,
                                       output.data, CUDA_R_16F, columns, kComputeInFloat, kDefaultAlgorithm);
    if (status != 0) std::printf("cuBLAS: %d\n", status);
  });
}

/// A layer with a weight, as it is and in int8.
struct TimedLayer {
  TimedLayer(int rows, int columns, int inner, const std::vector<int>& outliers)
      : weight(activations<__half>(columns, inner, {}, 2)),
        values(weight.count),
        scales(columns),
        layer(activations<__half>(rows, inner, outliers, 1), rows, columns, inner, 6.0f) {
    launch_int8_rows({weight.data, DType::kFloat16, columns, inner, 0, values.data, scales.data}, nullptr);
    launch_int8_rows(layer.rows, nullptr);
    layer.product.weight = values.data;
    layer.product.weight_scales = scales.data;
  }
  Device<__half> weight;
  Device<std::int8_t> values;
  Device<float> scales;
  Layer<__half> layer;
};

/// Every column of a layer has outliers, as behind a gated layer with random weights.
void time_all_aside(int rows, int columns, int inner) {
  std::vector<int> all(inner);
  for (int i = 0; i < inner; ++i) all[i] = i;
  TimedLayer timed(rows, columns, inner, all);
  Layer<__half>& layer = timed.layer;
  const Device<__half> left(layer.input.count), right(timed.weight.count);
  const double aside = median_us([&](int) { launch_int8_rows(layer.rows, nullptr); });
  const double sums = median_us([&](int) { launch_prepare_outliers(layer.product, nullptr); });
  const double product = median_us([&](int) { nongemm_int8_product_sm90(layer.product, nullptr); });
  const double unfolding = median_us([&](int) { launch_unfold(layer.product, left.data, right.data, nullptr); });
  const double once = time_fp16(left, right, layer.output, rows, columns, inner);
  const double fp16 = time_fp16(layer.input, timed.weight, layer.output, rows, columns, inner);
  const double bytes = 4.0 * rows * inner + 3.0 * columns * inner;  // at least: no step is read of an outlier's column
  std::printf(
      "product %5d x %5d x %5d, all columns outliers: rows %.1f us; unfolding %.1f us (%.0f GB/s) and cuBLAS %.1f us; "
      "or sums %.1f us and product %.1f us; fp16 %.1f us\n",
      rows, inner, columns, aside, unfolding, bytes / unfolding * 1e-3, once, sums, product, fp16);
}

void time_product(int rows, int columns, int inner) {
  TimedLayer timed(rows, columns, inner, kSix);
  Layer<__half>& layer = timed.layer;
  const double fused = median_us([&](int) {
    launch_prepare_outliers(layer.product, nullptr);
    nongemm_int8_product_sm90(layer.product, nullptr);
  });
  Int8Product plain = layer.product;
  plain.outliers = nullptr;
  const double without = median_us([&](int) { nongemm_int8_product_sm90(plain, nullptr); });
  const double fp16 = time_fp16(layer.input, timed.weight, layer.output, rows, columns, inner);
  const double operations = 2.0 * rows * columns * inner * 1e-6;
  std::printf(
      "product %5d x %5d x %5d: six outlier columns %7.1f us %5.0f TOPS; none %7.1f us %5.0f TOPS; "
      "fp16 %7.1f us %5.0f TFLOP/s: %.2f times\n",
      rows, inner, columns, fused, operations / fused, without, operations / without, fp16,
      fp16 > 0 ? operations / fp16 : 0, fp16 / fused);
}

void time_all_rows() {
  for (const int rows : {8192, 2048}) {
    for (const int inner : {4096, 14336}) time_rows(rows, inner);
  }
}

void time_products() {
  for (const int rows : {512, 2048, 8192}) time_product(rows, 4096, 4096);
  time_product(2048, 14336, 4096);
  time_product(2048, 4096, 14336);
}

void time_aside() {
  for (const int rows : {512, 2048, 8192}) time_all_aside(rows, 4096, 14336);
}

}  // namespace

/// int8_kernels [check] [rows] [products] [aside]      default: all of them
int main(int count, char** arguments) {
  const std::pair<const char*, void (*)()> parts[] = {
      {"check", check_all}, {"rows", time_all_rows}, {"products", time_products}, {"aside", time_aside}};
  for (const auto& [name, run] : parts) {
    bool wanted = count == 1;
    for (int i = 1; i < count; ++i) wanted = wanted || std::strcmp(arguments[i], name) == 0;
    if (wanted) run();
  }
  return failures == 0 ? 0 : 1;
}
