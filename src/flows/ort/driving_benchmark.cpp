// What driving the runtime through the flow costs: latency of a session of ours against bare Run calls on the exported
// file of the same model, in turns, in one process. Prints the ratio.
//   ort_driving_benchmark [MODEL [ROUNDS]]
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "base/clock.h"
#include "base/temporary_folder.h"
#include "flows/ort/library.h"
#include "flows/ort/session.h"
#include "flows/ort/values.h"
#include "lowering/lower.h"
#include "onnx/file.h"
#include "prepare/model.h"
#include "weights/synthetic.h"

namespace nongemm::ort_flow {
namespace {

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

template <typename Work>
double seconds(Work&& work) {
  const Stopwatch watch;
  work();
  return watch.seconds();
}

/// onnxruntime_perf_test's way: a session on the file, default options, values in and out.
class BareRuns {
 public:
  BareRuns(const Graph& graph, const std::vector<HostTensor>& inputs, const std::filesystem::path& file)
      : session_(Library::get().env(), file.c_str(), Ort::SessionOptions()) {
    for (std::size_t i = 0; i < graph.inputs.size(); ++i) {
      names_.push_back(graph.inputs[i].name.c_str());
      values_.push_back(to_value(inputs[i]));
    }
    for (const Output& output : graph.outputs) outputs_.push_back(output.name.c_str());
  }

  void run() {
    session_.Run(Ort::RunOptions(), names_.data(), values_.data(), values_.size(), outputs_.data(), outputs_.size());
  }

 private:
  Ort::Session session_;
  std::vector<const char*> names_;
  std::vector<Ort::Value> values_;
  std::vector<const char*> outputs_;
};

std::vector<HostTensor> zero_inputs(const Graph& graph) {
  std::vector<HostTensor> inputs;
  for (const Input& input : graph.inputs) {
    const Type& type = graph.values[input.value].type;
    auto [tensor, bytes] = HostTensor::allocate(type.dtype, type.shape);
    std::fill_n(bytes, tensor.byte_size(), std::byte{0});
    inputs.push_back(tensor);
  }
  return inputs;
}

void compare(const std::string& model, int rounds) {
  Library::get();  // before anything of the runtime's interface is touched: arguments are made in no fixed order
  const Graph graph = build_graph(find_model(model), {});
  const std::vector<HostTensor> inputs = zero_inputs(graph);
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.path() / "model.onnx";
  onnx::write_model(onnx::lower_to_onnx(graph).model, file, [&](std::size_t i) {
    const Weight& weight = graph.weights[i];
    const Type& type = graph.values[weight.value].type;
    return weights::synthesize({weight.name, type.dtype, type.shape, weight.init}, 0);
  });
  BareRuns bare(graph, inputs, file);
  const auto ours = make_session(graph, std::vector<HostTensor>(graph.weights.size()), {});
  ours->set_inputs(inputs);
  std::vector<double> bare_s;
  std::vector<double> ours_s;
  constexpr int kWarmup = 3;
  for (int i = 0; i < kWarmup + rounds; ++i) {
    const double theirs = seconds([&] { bare.run(); });
    const double own = seconds([&] { ours->run(); });
    if (i < kWarmup) continue;
    bare_s.push_back(theirs);
    ours_s.push_back(own);
  }
  fmt::print(stderr, "{}: bare Run {:.3f} ms, through the flow {:.3f} ms\n", model, median(bare_s) * 1e3,
             median(ours_s) * 1e3);
  fmt::print("{:.4f}\n", median(ours_s) / median(bare_s));
}

}  // namespace
}  // namespace nongemm::ort_flow

int main(int count, char** arguments) {
  const std::string model = count > 1 ? arguments[1] : "gpt2";
  nongemm::ort_flow::compare(model, count > 2 ? std::max(1, std::atoi(arguments[2])) : 30);
  return 0;
}
