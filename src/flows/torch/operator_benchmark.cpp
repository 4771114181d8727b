// Bare loops around ATen calls, in Google Benchmark: what `nongemm op` is held against (bench/op.py, make bench). The
// names are the operators' as `nongemm op` takes them, then the first tensor's shape.
#include <ATen/core/Tensor.h>
#include <ATen/ops/add.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/softmax.h>
#include <benchmark/benchmark.h>
#include <c10/core/InferenceMode.h>

#include <functional>
#include <string>
#include <vector>

namespace {

using Work = std::function<at::Tensor()>;

void add(const std::string& name, const std::vector<std::int64_t>& shape,
         const std::function<Work(const at::Tensor& x)>& prepare) {
  std::string full = name + "/";
  for (std::size_t i = 0; i < shape.size(); ++i) full += (i == 0 ? "" : "x") + std::to_string(shape[i]);
  benchmark::RegisterBenchmark(full.c_str(), [shape, prepare](benchmark::State& state) {
    const c10::InferenceMode inference;
    const Work work = prepare(at::randn(shape));
    for (auto _ : state) benchmark::DoNotOptimize(work().data_ptr());
  })->UseRealTime();
}

}  // namespace

int main(int argc, char** argv) {
  add("layer_norm", {1, 2048, 4096}, [](const at::Tensor& x) -> Work {
    const at::Tensor weight = at::randn({4096});
    const at::Tensor bias = at::randn({4096});
    return [=] { return at::layer_norm(x, {4096}, weight, bias); };
  });
  add("softmax", {1, 12, 1024, 1024}, [](const at::Tensor& x) -> Work { return [=] { return at::softmax(x, -1); }; });
  for (const std::vector<std::int64_t>& shape : {std::vector<std::int64_t>{4096, 4096}, {1, 256, 768}}) {
    add("add", shape, [](const at::Tensor& x) -> Work {
      const at::Tensor other = at::randn(x.sizes());
      return [=] { return at::add(x, other); };
    });
  }
  add("mul", {1, 256, 3072}, [](const at::Tensor& x) -> Work {
    const at::Tensor other = at::randn(x.sizes());
    return [=] { return at::mul(x, other); };
  });
  add("gelu", {1, 2048, 4096}, [](const at::Tensor& x) -> Work { return [=] { return at::gelu(x); }; });
  add("relu", {1, 64, 112, 112}, [](const at::Tensor& x) -> Work { return [=] { return at::relu(x); }; });
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
