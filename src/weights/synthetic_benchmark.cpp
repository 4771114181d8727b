// How fast synthetic weights are made, in bytes written per second. `plain fill` is the machine's own limit: memory
// that is fresh from the operating system, written once.
#include <benchmark/benchmark.h>

#include <cstring>

#include "base/parallel.h"
#include "weights/synthetic.h"

namespace nongemm::weights {
namespace {

constexpr std::int64_t kElements = 124'439'808;  // GPT-2's parameters

std::vector<WeightSpec> specs_of(DType dtype) {
  std::vector<WeightSpec> specs;
  for (int i = 0; i < 12; ++i)
    specs.push_back({"h." + std::to_string(i), dtype, {kElements / 12}, InitSpec::normal(0, 0.02)});
  return specs;
}

void synthesize_gpt2(benchmark::State& state, DType dtype) {
  const std::vector<WeightSpec> specs = specs_of(dtype);
  for (auto _ : state) benchmark::DoNotOptimize(synthesize_all(specs, 0));
  state.SetBytesProcessed(state.iterations() * kElements * static_cast<std::int64_t>(size_of(dtype)));
}
BENCHMARK_CAPTURE(synthesize_gpt2, fp32, DType::kFloat32)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(synthesize_gpt2, bf16, DType::kBFloat16)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(synthesize_gpt2, fp16, DType::kFloat16)->UseRealTime()->Unit(benchmark::kMillisecond);

void plain_fill(benchmark::State& state) {
  for (auto _ : state) {
    auto [tensor, bytes] = HostTensor::allocate(DType::kFloat32, {kElements});
    constexpr std::size_t kPiece = std::size_t{4} << 20;
    parallel_for(kElements * 4 / kPiece, 0,
                 [bytes = bytes](std::size_t i) { std::memset(bytes + i * kPiece, 1, kPiece); });
    benchmark::DoNotOptimize(bytes);
  }
  state.SetBytesProcessed(state.iterations() * kElements * 4);
}
BENCHMARK(plain_fill)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace nongemm::weights
