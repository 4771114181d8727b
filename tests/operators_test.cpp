// Every operator of the table by itself: the types, strides and aliases that its rule infers are those of LibTorch's
// results, on the CPU and on a CUDA device, and what it computes there is what the CPU computes.
// The cases, and how to add one: operator_cases.cpp.
#include <ATen/Context.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/enum_tag.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/empty_strided.h>
#include <ATen/ops/view_as_real.h>
#include <c10/core/InferenceMode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <span>

#include "flows/flow.h"
#include "flows/torch/bridge/values.h"
#include "flows/torch/cuda/load.h"
#include "flows/torch/fused/fused_cuda.h"
#include "flows/torch/program.h"
#include "flows/torch/quantize/int8_cuda.h"
#include "flows/torch/roi/roi_cuda.h"
#include "microbench/call_graph.h"
#include "operator_cases.h"
#include "ops/check_graph.h"

// The flow's objects are linked in: this is the module's own entry point.
extern "C" nongemm::Flow* nongemm_create_flow();

namespace nongemm::torch_flow {
namespace {

/// Tensors that keep what a call gave, and which of them share storage with an operand.
struct Results {
  std::vector<c10::IValue> values;  // lists of tensors as their elements
  std::vector<bool> shares;
};

/// Notes what the one operator of a graph gives.
class KeepResults {
 public:
  KeepResults(const Graph& graph, const std::vector<c10::IValue>& slots, Results& results)
      : graph_(graph), slots_(slots), results_(results) {}

  void before(const Instruction& instruction) {
    for (const Argument& argument : graph_.nodes[instruction.node].args) {
      const auto keep = [&](const Use& use) {
        if (use.value != kNoId && slots_[use.value].isTensor()) operands_.insert(storage_of(slots_[use.value]));
      };
      if (const auto* use = std::get_if<Use>(&argument)) keep(*use);
      const auto* uses = std::get_if<std::vector<Use>>(&argument);
      for (std::size_t i = 0; uses != nullptr && i < uses->size(); ++i) keep((*uses)[i]);
    }
  }

  void after(const Instruction&, const std::vector<c10::IValue>& given) {
    for (const c10::IValue& value : given) {
      if (value.isTensorList()) {
        for (const at::Tensor& tensor : value.toTensorVector()) results_.values.emplace_back(tensor);
      } else {
        results_.values.push_back(value);
      }
    }
    for (const c10::IValue& value : results_.values) {
      results_.shares.push_back(value.isTensor() && value.toTensor().numel() > 0 &&
                                operands_.contains(storage_of(value)));
    }
  }

 private:
  static const void* storage_of(const c10::IValue& value) {
    const at::Tensor& tensor = value.toTensor();
    return tensor.defined() ? tensor.storage().unsafeGetStorageImpl() : nullptr;
  }

  const Graph& graph_;
  const std::vector<c10::IValue>& slots_;
  Results& results_;
  std::set<const void*> operands_;
};

at::Tensor place(const HostTensor& values, const microbench::TensorSpec& spec, c10::Device device) {
  const at::Tensor tensor = to_torch(values, device);
  // A copy in any case: operators may write into it, and the host's bytes belong to both devices' runs.
  const at::Tensor placed =
      spec.strides.empty() ? at::empty_like(tensor) : at::empty_strided(spec.shape, spec.strides, tensor.options());
  return placed.copy_(tensor);
}

Results run(const microbench::CallGraph& call, c10::Device device) {
  c10::InferenceMode inference;
  std::vector<c10::IValue> slots(call.graph.values.size());
  const std::vector<HostTensor> inputs = microbench::make_tensors(call.inputs, 0);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    slots[call.graph.inputs[i].value] = place(inputs[i], call.inputs[i], device);
  }
  const std::vector<HostTensor> parameters = microbench::make_tensors(call.parameters, 100);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    slots[call.graph.weights[i].value] = place(parameters[i], call.parameters[i], device);
  }
  Results results;
  const Program program(call.graph, device);
  KeepResults keep(call.graph, slots, results);
  program.run(slots, keep);
  return results;
}

/// In elements; a size of 1 is never stepped over, so its stride says nothing.
Shape strides_of(const Type& type) {
  Shape strides = type.strides;
  if (strides.empty()) {
    strides.resize(type.shape.size());
    std::int64_t next = 1;
    for (std::size_t i = type.shape.size(); i-- > 0;) {
      strides[i] = next;
      next *= type.shape[i];
    }
  }
  for (std::size_t i = 0; i < strides.size(); ++i) {
    if (type.shape[i] == 1) strides[i] = 0;
  }
  return strides;
}

void expect_types(const Graph& graph, const Results& results) {
  const Node& node = graph.nodes.at(0);
  const bool counted_by_the_run =
      node.outputs.size() == 1 && graph.values[node.outputs[0]].type.kind == Type::Kind::kTensorList;
  if (!counted_by_the_run) {
    ASSERT_EQ(node.outputs.size(), results.values.size());
  }
  for (std::size_t i = 0; i < results.values.size(); ++i) {
    SCOPED_TRACE("result " + std::to_string(i));
    Type stated = graph.values[node.outputs[counted_by_the_run ? 0 : i]].type;
    if (counted_by_the_run) stated.kind = Type::Kind::kTensor;
    const Type real = type_of(results.values[i]);
    EXPECT_EQ(stated.kind, real.kind);
    if (real.kind != Type::Kind::kTensor || !results.values[i].toTensor().defined()) continue;
    EXPECT_EQ(name_of(stated.dtype), name_of(real.dtype));
    ASSERT_EQ(stated.shape.size(), real.shape.size());
    bool known = true;
    for (std::size_t d = 0; d < real.shape.size(); ++d) {
      if (stated.shape[d] == kDynamic) {
        known = false;
      } else {
        EXPECT_EQ(stated.shape[d], real.shape[d]) << "dimension " << d;
      }
    }
    EXPECT_EQ(stated.alias, results.shares[i]) << "whether it shares an operand's storage";
    if (known && real.shape == stated.shape && element_count(real.shape) > 0) {
      EXPECT_EQ(strides_of(stated), strides_of(real)) << "strides";
    }
  }
}

c10::Device cuda_device() {
  static const c10::Device device = [] {
    nongemm_create_flow();
    const c10::Device opened = open_cuda_device(0);
    register_cuda_roi_operators();
    register_cuda_int8_operators();
    register_cuda_fused_operators();
    return opened;
  }();
  return device;
}

class Operators : public testing::TestWithParam<OperatorCase> {
 protected:
  static void SetUpTestSuite() { nongemm_create_flow(); }  // registers what LibTorch lacks
  const microbench::CallGraph call_ = microbench::graph_of(read_call(GetParam()), 1);
};
class TypesOnCpu : public Operators {};

class OnCuda : public Operators {
 protected:
  void SetUp() override {
    if (!has_nvidia_driver()) GTEST_SKIP() << "no NVIDIA driver on this machine";
    device_ = cuda_device();
    // fp32 as exact as the CPU's: what TF32 leaves out is no fault of an operator.
    at::globalContext().setAllowTF32CuBLAS(false);
    at::globalContext().setAllowTF32CuDNN(false);
  }
  c10::Device device_ = c10::Device(c10::kCPU);
};

TEST_P(TypesOnCpu, AreTheDispatchers) {
  EXPECT_THAT(problems_of(call_.graph), testing::IsEmpty());
  expect_types(call_.graph, run(call_, c10::Device(c10::kCPU)));
}

/// Where CUDA's kernels differ from the CPU's, whose rules the table has: by operator, or by one of its cases.
struct Difference {
  std::string_view op;
  std::string_view operands;  // empty: all of the operator's
  std::string_view what;
};

constexpr Difference kOwnTypes[] = {
    {"aten.scaled_dot_product_attention.default", "", "CUDA's kernels lay the result out as [n, q, heads, d]"},
    {"aten.native_batch_norm.default", "", "gives the statistics it used, where the CPU gives none"},
    {"aten._native_batch_norm_legit.default", "", "gives the statistics it used, where the CPU gives none"},
    {"aten._native_batch_norm_legit_no_training.default", "", "gives the statistics it used, where the CPU gives none"},
    {"aten._native_batch_norm_legit.no_stats", "2x8x16 @transposed", "keeps the memory order of lines"},
    {"aten.max_pool1d.default", "2x8x16 @transposed", "keeps the memory order of lines"},
    {"aten._embedding_bag.default", "", "gives maps of bags that the CPU leaves empty"},
    {"aten._fft_r2c.default", "", "CUDA's library leaves results in another memory order"},
    {"aten._fft_c2c.default", "", "likewise"},
    {"aten._fft_c2r.default", "", "likewise"},
    {"aten.fft_fft.default", "", "likewise"},
    {"aten.fft_fft2.default", "", "likewise"},
    {"aten.fft_fftn.default", "", "likewise"},
    {"aten.fft_ifft.default", "", "likewise"},
    {"aten.fft_ifft2.default", "", "likewise"},
    {"aten.fft_ifftn.default", "", "likewise"},
    {"aten.fft_rfft.default", "", "likewise"},
    {"aten.fft_rfft2.default", "", "likewise"},
    {"aten.fft_rfftn.default", "", "likewise"},
    {"aten.fft_irfft.default", "", "likewise"},
    {"aten.fft_irfft2.default", "", "likewise"},
    {"aten.fft_irfftn.default", "", "likewise"},
};
constexpr Difference kOwnResults[] = {
    {"aten.empty.memory_format", "", "whatever lay in that memory"},
    {"aten.empty_strided.default", "", "whatever lay in that memory"},
    {"aten.empty_like.default", "", "whatever lay in that memory"},
    {"aten.new_empty.default", "", "whatever lay in that memory"},
    {"aten.rand.default", "", "another generator"},
    {"aten.randn.default", "", "another generator"},
    {"aten.randperm.default", "", "another generator"},
    {"aten._embedding_bag.default", "", "gives maps of bags that the CPU leaves empty"},
    {"aten.scatter.src", "", "of several values for a place any may stay"},
    {"bitsandbytes.int8_mixed_scaled_mm.default", "", "the original's scale on a CPU has lost a digit: 2e-5 apart"},
    {"aten.index_copy_.default", "", "of several values for a place any may stay"},
    {"aten.multinomial.default", "", "another generator"},
    {"aten.native_batch_norm.default", "", "gives the statistics it used, where the CPU gives none"},
    {"aten._native_batch_norm_legit.default", "", "gives the statistics it used, where the CPU gives none"},
    {"aten._native_batch_norm_legit_no_training.default", "", "gives the statistics it used, where the CPU gives none"},
};
constexpr Difference kNotOnCuda[] = {
    {"aten._scaled_dot_product_flash_attention_for_cpu.default", "", "the CPU's own"},
};

bool is_one_of(std::span<const Difference> differences, const OperatorCase& test) {
  return std::any_of(differences.begin(), differences.end(), [&](const Difference& row) {
    return row.op == test.op && (row.operands.empty() || row.operands == test.operands);
  });
}

TEST_P(OnCuda, TypesAreTheDispatchers) {
  const Results results = run(call_, device_);
  if (!is_one_of(kOwnTypes, GetParam())) expect_types(call_.graph, results);
}

/// The largest difference that rounding explains, relative to the magnitude of the result: a few units in the last
/// place, since sums are taken in another order.
double tolerance_of(c10::ScalarType type) {
  switch (type) {
    case c10::kHalf:
      return 4e-3;
    case c10::kBFloat16:
      return 3e-2;
    case c10::kFloat:
      return 1e-5;
    case c10::kDouble:
      return 1e-13;
    default:
      return 0;
  }
}

void expect_close(const at::Tensor& expected, const at::Tensor& given) {
  ASSERT_EQ(expected.sizes(), given.sizes());
  ASSERT_EQ(expected.scalar_type(), given.scalar_type());
  if (expected.is_complex()) {
    return expect_close(at::view_as_real(expected.resolve_conj()), at::view_as_real(given.resolve_conj()));
  }
  const at::Tensor a = expected.to(at::kDouble).contiguous();
  const at::Tensor b = given.cpu().to(at::kDouble).contiguous();
  const double* x = a.const_data_ptr<double>();
  const double* y = b.const_data_ptr<double>();
  double magnitude = 0;
  double largest = 0;
  for (std::int64_t i = 0; i < a.numel(); ++i) {
    if (x[i] == y[i] || (std::isnan(x[i]) && std::isnan(y[i]))) continue;
    ASSERT_TRUE(std::isfinite(x[i]) && std::isfinite(y[i])) << x[i] << " and " << y[i] << " at " << i;
    largest = std::max(largest, std::abs(x[i] - y[i]));
  }
  for (std::int64_t i = 0; i < a.numel(); ++i) {
    if (std::isfinite(x[i])) magnitude = std::max(magnitude, std::abs(x[i]));
  }
  EXPECT_LE(largest, tolerance_of(expected.scalar_type()) * magnitude) << "magnitude " << magnitude;
}

TEST_P(OnCuda, ResultsAreTheCpus) {
  if (is_one_of(kOwnResults, GetParam())) return;
  const Results expected = run(call_, c10::Device(c10::kCPU));
  const Results given = run(call_, device_);
  ASSERT_EQ(expected.values.size(), given.values.size());
  // Lists of outlier columns and their copies are written as far as there are some.
  const bool partly = GetParam().op == "nongemm.int8_quantize.default";
  for (std::size_t i = 0; i < (partly ? 2 : given.values.size()); ++i) {
    SCOPED_TRACE("result " + std::to_string(i));
    if (!given.values[i].isTensor()) {
      EXPECT_EQ(expected.values[i], given.values[i]);
    } else if (expected.values[i].toTensor().defined()) {
      expect_close(expected.values[i].toTensor(), given.values[i].toTensor());
    }
  }
}

std::vector<OperatorCase> cuda_cases() {
  std::vector<OperatorCase> cases = operator_cases();
  std::erase_if(cases, [](const OperatorCase& test) { return is_one_of(kNotOnCuda, test); });
  return cases;
}

const auto kName = [](const testing::TestParamInfo<OperatorCase>& info) {
  return std::to_string(info.index) + "_" + info.param.identifier();
};
INSTANTIATE_TEST_SUITE_P(Table, TypesOnCpu, testing::ValuesIn(operator_cases()), kName);
INSTANTIATE_TEST_SUITE_P(Table, OnCuda, testing::ValuesIn(cuda_cases()), kName);

TEST(OperatorCases, HoldEveryOperatorOfTheTable) {
  std::map<std::string, int> cases;
  for (const OperatorCase& test : operator_cases()) ++cases[test.op];
  for (const TriedElsewhere& row : operators_tried_elsewhere()) ++cases[std::string(row.op)];
  for (const Op& op : OpTable::get().all()) {
    EXPECT_GT(cases[op.name], 0) << op.name << " has no case: add a line to tests/operator_cases.cpp";
    cases.erase(op.name);
  }
  for (const auto& [name, count] : cases) ADD_FAILURE() << name << " has cases, but is not in the table";
}

/// Core ATen operators that have no entry, and why.
constexpr std::pair<std::string_view, std::string_view> kCoreLeftOut[] = {
    {"aten._adaptive_avg_pool2d_backward.default", "training"},
    {"aten.avg_pool2d_backward.default", "training"},
    {"aten.convolution_backward.default", "training"},
    {"aten.embedding_dense_backward.default", "training"},
    {"aten.max_pool2d_with_indices_backward.default", "training"},
    {"aten.native_group_norm_backward.default", "training"},
    {"aten.native_layer_norm_backward.default", "training"},
    {"aten.sym_is_contiguous.default", "asked while a program is traced: no exported program holds it"},
};

TEST(CoreAten, HasAnEntryForEveryOperatorOrAReason) {
  std::set<std::string_view> left_out;
  for (const auto& [name, reason] : kCoreLeftOut) left_out.insert(name);
  int core = 0;
  for (const c10::OperatorName& name : c10::Dispatcher::singleton().getAllOpNames()) {
    const auto found = c10::Dispatcher::singleton().findOp(name);
    if (!found || !found->hasSchema() || !found->hasTag(at::Tag::core)) continue;
    ++core;
    const std::string op = "aten." + name.name.substr(name.name.rfind(':') + 1) + "." +
                           (name.overload_name.empty() ? "default" : name.overload_name);
    const bool known = OpTable::get().find(op) != nullptr;
    EXPECT_NE(known, left_out.contains(op))
        << op << (known ? " has an entry and a reason why not" : " has neither entry nor reason");
    left_out.erase(op);
  }
  EXPECT_GT(core, 150);
  EXPECT_THAT(left_out, testing::IsEmpty()) << "no core operators";
}

}  // namespace
}  // namespace nongemm::torch_flow
