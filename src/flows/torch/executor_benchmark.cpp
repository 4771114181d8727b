// What the executor costs per node beyond the bare dispatcher call: the same calls with the same tensors, once through
// Program::run and once from stacks that were made before. Prints one number, in nanoseconds per node (make bench).
#include <ATen/Parallel.h>
#include <ATen/ops/ones.h>
#include <c10/core/InferenceMode.h>

#include <cstdio>
#include <vector>

#include "base/clock.h"
#include "base/statistics.h"
#include "flows/torch/program.h"
#include "flows/torch/watches.h"
#include "models/parts/functional.h"

namespace nongemm::torch_flow {
namespace {

constexpr int kLayers = 40;
constexpr int kRounds = 400;

/// Layers of the operators transformers are made of, so small that the calls themselves are what takes time.
Graph tiny_transformer() {
  Builder b("tiny", DType::kFloat32);
  Tensor x = b.input("x", DType::kFloat32, {1, 4, 8}, {});
  const Tensor weight = b.input("weight", DType::kFloat32, {24, 8}, {});
  const Tensor scale = b.input("scale", DType::kFloat32, {8}, {});
  for (int layer = 0; layer < kLayers; ++layer) {
    const Tensor normal = fn::layer_norm(x, {8}, scale, scale, 1e-5);
    const std::vector<Tensor> qkv = fn::split(fn::linear(normal, weight), 8, 2);
    const Tensor query = fn::transpose(fn::view(qkv[0], {1, 4, 2, 4}), 1, 2);
    const Tensor key = fn::transpose(fn::view(qkv[1], {1, 4, 2, 4}), 1, 2);
    const Tensor value = fn::transpose(fn::view(qkv[2], {1, 4, 2, 4}), 1, 2);
    const Tensor weights = fn::softmax(fn::mul(fn::matmul(query, fn::transpose(key, -1, -2)), 0.5), -1);
    const Tensor mixed = fn::contiguous(fn::transpose(fn::matmul(weights, value), 1, 2));
    x = fn::add(x, fn::gelu(fn::view(mixed, {1, 4, 8})));
  }
  b.output("x", x);
  return b.finish();
}

struct Call {
  c10::OperatorHandle op;
  std::vector<c10::IValue> arguments;
};

/// Keeps every operator's arguments, so that its call can be made again.
class WatchArguments {
 public:
  WatchArguments(std::vector<Call>& calls, const std::vector<c10::IValue>& stack) : calls_(calls), stack_(stack) {}
  void before(const Instruction& instruction) { calls_.push_back({*instruction.op, stack_}); }
  void after(const Instruction&, const std::vector<c10::IValue>&) {}

 private:
  std::vector<Call>& calls_;
  const std::vector<c10::IValue>& stack_;
};

template <typename Work>
double nanoseconds(Work&& work) {
  const std::int64_t begin = now_ns();
  work();
  return static_cast<double>(now_ns() - begin);
}

double cost_per_node() {
  at::set_num_threads(1);
  const c10::InferenceMode inference;
  const Graph graph = tiny_transformer();
  const Program program(graph, c10::kCPU);
  std::vector<c10::IValue> slots(graph.values.size());
  for (const Input& input : graph.inputs) {
    slots[input.value] = at::ones(graph.values[input.value].type.shape);
  }
  std::vector<Call> calls;
  std::vector<c10::IValue> stack;
  program.run(slots, stack, WatchArguments(calls, stack));

  std::vector<double> beyond;
  for (int round = 0; round < kRounds; ++round) {
    const double whole = nanoseconds([&] { program.run(slots, stack, WatchNothing()); });
    // Making the stack anew is the executor's work, too, and is taken off again.
    const double copies = nanoseconds([&] {
      for (const Call& call : calls) stack = call.arguments;
    });
    const double bare = nanoseconds([&] {
      for (const Call& call : calls) {
        stack = call.arguments;
        call.op.callBoxed(stack);
      }
    });
    beyond.push_back((whole - (bare - copies)) / static_cast<double>(calls.size()));
  }
  return median(beyond);
}

}  // namespace
}  // namespace nongemm::torch_flow

int main() { std::printf("%.0f\n", nongemm::torch_flow::cost_per_node()); }
