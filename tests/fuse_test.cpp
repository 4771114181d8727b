// Models with operators in one each (passes/fuse) give what they give without.
#include "passes/fuse/fuse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/half.h"
#include "flows/load.h"
#include "models/parts/functional.h"
#include "models/parts/rms_norm.h"
#include "models/parts/rope.h"
#include "ops/builder.h"
#include "prepare/model.h"
#include "test_paths.h"
#include "verify/compare_outputs.h"
#include "verify/generation.h"
#include "weights/synthetic.h"
#include "weights/weight_spec.h"

namespace nongemm {
namespace {

namespace fs = std::filesystem;

const fs::path kFixtures = fs::path(NONGEMM_SHARED_DIR) / "fixtures";

Flow& torch() {
  setenv("NONGEMM_MODULES", NONGEMM_BINARY_DIR "/lib/nongemm", /*overwrite=*/0);
  return load_flow("torch");
}

ModelOptions fusing() {
  ModelOptions options;
  options.fuse = FuseKind::kAll;
  return options;
}

std::vector<std::string> failures(const std::vector<OutputDifference>& outputs, double tolerance) {
  std::vector<std::string> failed;
  for (const OutputDifference& output : outputs) {
    const bool fits = output.mismatch.empty() && output.largest_absolute <= allowed_difference(output, tolerance);
    if (!fits) failed.push_back(output.name + " " + output.mismatch);
  }
  return failed;
}

// --- whole models, against the original's outputs ---

class Families : public testing::TestWithParam<std::string> {};

TEST_P(Families, GiveTheOriginalsOutputs) {
  const auto outputs = verify_folder(kFixtures / "families" / GetParam(), torch(), {}, fusing());
  EXPECT_FALSE(outputs.empty());
  EXPECT_EQ(failures(outputs, 1e-4), std::vector<std::string>());
}

// A decoder of each kind of norm, rotation and gate; encoders with the norm before and behind.
INSTANTIATE_TEST_SUITE_P(OfTheFixtures, Families,
                         testing::Values("bert_model", "dinov2", "flux", "gemma2", "gemma3", "gpt_oss", "mixtral",
                                         "modernbert", "phi3", "qwen3", "t5_encoder", "unet", "whisper"));

TEST(Fuse, FrozenBatchNormsOfDetrGiveTheOriginalsOutputs) {
  ModelOptions options;
  options.fuse = FuseKind::kFrozenNorm;
  const auto outputs = verify_folder(kFixtures / "numerics/detr", torch(), {}, options);
  EXPECT_FALSE(outputs.empty());
  EXPECT_EQ(failures(outputs, 1e-4), std::vector<std::string>());
}

class Exports : public testing::TestWithParam<std::string> {};

TEST_P(Exports, GiveTheOriginalsOutputs) {
  const fs::path folder = fs::path(NONGEMM_SOURCE_DIR) / "tests/data/import" / GetParam();
  EXPECT_EQ(failures(verify_folder(folder, torch(), {}, fusing()), 1e-4), std::vector<std::string>());
  // Its operators are found, too: norms, of which there is no other left.
  const Graph graph = build_graph(find_model(folder / "model.pt2"), fusing());
  const bool norms = std::any_of(graph.nodes.begin(), graph.nodes.end(),
                                 [](const Node& node) { return node.op == "aten.rsqrt.default"; });
  EXPECT_FALSE(norms);
}

// Programs of torch.export: nothing in them says which module an operator is of.
INSTANTIATE_TEST_SUITE_P(OfTorch, Exports,
                         testing::Values("deepseek_v3", "gpt_oss", "llama_dynamic", "mixtral", "qwen3_moe",
                                         "t5_encoder"));

class Generations : public testing::TestWithParam<std::string> {};

TEST_P(Generations, MakeTheOriginalsTokens) {
  for (const CacheKind cache : {CacheKind::kDynamic, CacheKind::kStatic}) {
    const auto outputs = verify_generation(kFixtures / "generation" / GetParam(), torch(), {}, fusing(), cache);
    EXPECT_EQ(outputs.size(), 2U);
    EXPECT_EQ(failures(outputs, 1e-3), std::vector<std::string>());
  }
}

INSTANTIATE_TEST_SUITE_P(OfTheFixtures, Generations, testing::Values("gpt2", "llama", "qwen3"));

// --- single formulas in half precision, against the operators that they are made of ---

using Formula = std::function<Tensor(Builder& b, const std::vector<Tensor>& inputs)>;

struct Case {
  const char* name;
  FuseKind kind;
  std::vector<Shape> inputs;
  Formula formula;
  /// The result is a sum of a row's elements, which may be added in another order.
  bool sums = false;
};

Tensor heads(const Tensor& x) { return fn::transpose(x, 1, 2); }  // from [batch, tokens, heads, width]

Formula norm_of_sum(RmsNorm style) {
  return [style](Builder& b, const std::vector<Tensor>& x) {
    const Tensor sum = fn::add(x[0], x[1]);
    return fn::add(rms_norm(b, "norm", "RMSNorm", sum, 1e-6, style), sum);
  };
}

Tensor turned(Builder&, const std::vector<Tensor>& x) {
  Tensor query = heads(x[0]);
  Tensor key = query;
  rotate({x[1], x[2]}, query, key);
  return query;
}

Tensor turned_by_halves(Builder&, const std::vector<Tensor>& x) {
  Tensor query = heads(x[0]);
  Tensor key = query;
  rotate_halves({x[1], x[2]}, query, key);
  return query;
}

Tensor turned_in_float(Builder&, const std::vector<Tensor>& x) {
  Tensor query = heads(x[0]);
  Tensor key = query;
  rotate_in_float({x[1], x[2]}, query, key);
  return query;
}

const std::vector<Shape> kRows = {{2, 5, 40}, {2, 5, 40}};
const std::vector<Shape> kHeads = {{2, 7, 3, 16}, {1, 7, 16}, {1, 7, 16}};
const std::vector<Shape> kHalfTables = {{2, 7, 3, 16}, {1, 7, 8}, {1, 7, 8}};

std::vector<Case> cases() {
  const auto gated = [](Builder& b, const std::vector<Tensor>& x) {
    return fn::mul(b.call("aten.silu.default", {x[0]}), x[1]);
  };
  const auto gated_halves = [](Builder& b, const std::vector<Tensor>& x) {
    const std::vector<Tensor> halves = fn::chunk(x[0], 2, -1);
    return fn::mul(b.call("aten.gelu.default", {halves[0]}), halves[1]);
  };
  return {{"llama", FuseKind::kNorm, kRows, norm_of_sum(RmsNorm::kLlama), true},
          {"gemma", FuseKind::kNorm, kRows, norm_of_sum(RmsNorm::kGemma), true},
          {"gpt_oss", FuseKind::kNorm, kRows, norm_of_sum(RmsNorm::kGptOss), true},
          {"t5", FuseKind::kNorm, kRows, norm_of_sum(RmsNorm::kT5), true},
          {"rotation", FuseKind::kRotary, kHeads, turned},
          {"halves", FuseKind::kRotary, kHalfTables, turned_by_halves},
          {"in_float", FuseKind::kRotary, kHeads, turned_in_float},
          {"gate", FuseKind::kGate, kRows, gated},
          {"gate_of_halves", FuseKind::kGate, {{2, 5, 40}}, gated_halves}};
}

Graph build(const Case& of, DType dtype) {
  Builder b("formula", dtype);
  std::vector<Tensor> inputs;
  for (const Shape& shape : of.inputs) {
    inputs.push_back(b.input("x" + std::to_string(inputs.size()), dtype, shape, {InputKind::Content::kOther, 0}));
  }
  b.output("y", of.formula(b, inputs));
  return b.finish();
}

std::vector<HostTensor> drawn(const Graph& graph, bool of_weights) {
  std::vector<HostTensor> tensors;
  const auto draw = [&](const std::string& name, ValueId value) {
    const Type& type = graph.values[value].type;
    tensors.push_back(weights::synthesize({name, type.dtype, type.shape, InitSpec::normal(0, 1)}, /*seed=*/3));
  };
  if (of_weights) {
    for (const Weight& weight : graph.weights) draw(weight.name, weight.value);
  } else {
    for (const Input& input : graph.inputs) draw(input.name, input.value);
  }
  return tensors;
}

std::vector<float> result_of(const Graph& graph) {
  const std::unique_ptr<Session> session = torch().prepare(graph, drawn(graph, true), {});
  session->set_inputs(drawn(graph, false));
  session->run();
  const HostTensor output = session->outputs().at(0);
  std::vector<float> values(static_cast<std::size_t>(element_count(output.shape)));
  convert_floating(output.dtype, output.data.get(), DType::kFloat32, reinterpret_cast<std::byte*>(values.data()),
                   values.size());
  return values;
}

TEST(Formulas, RoundWhereTheirOperatorsDo) {
  for (const DType dtype : {DType::kFloat16, DType::kBFloat16, DType::kFloat32}) {
    for (const Case& of : cases()) {
      const Graph graph = build(of, dtype);
      const Graph fused = passes::fuse(graph, of.kind);
      EXPECT_LT(fused.nodes.size(), graph.nodes.size()) << of.name;
      const std::vector<float> expected = result_of(graph);
      const std::vector<float> found = result_of(fused);
      ASSERT_EQ(found.size(), expected.size());
      const float step = dtype == DType::kFloat16 ? 0x1p-10F : dtype == DType::kBFloat16 ? 0x1p-7F : 0x1p-20F;
      std::size_t other = 0;
      for (std::size_t i = 0; i < expected.size(); ++i) {
        if (found[i] == expected[i]) continue;
        ++other;
        EXPECT_NEAR(found[i], expected[i], step * std::max(1.0F, std::abs(expected[i]))) << of.name << " " << i;
      }
      // A sum in another order moves few results to the next number.
      const std::size_t allowed = of.sums ? expected.size() / 50 : 0;
      EXPECT_TRUE((dtype == DType::kFloat32 && of.sums) || other <= allowed) << of.name << ": " << other;
    }
  }
}

}  // namespace
}  // namespace nongemm
