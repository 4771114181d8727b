// Holds the operator table to what really runs: schemas to the dispatcher's, shape rules to results of whole models.
#include <ATen/core/dispatch/Dispatcher.h>
#include <c10/core/InferenceMode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "base/error.h"
#include "flows/torch/bridge/values.h"
#include "flows/torch/host_operators.h"
#include "flows/torch/program.h"
#include "flows/torch/roi/roi_operators.h"
#include "ops/check_graph.h"
#include "ops/op.h"
#include "prepare/model.h"
#include "prepare/prepare.h"
#include "test_paths.h"
#include "verify/compare_outputs.h"
#include "weights/safetensors.h"

namespace nongemm::torch_flow {
namespace {

TEST(OpTable, SchemasAreTheDispatchers) {
  for (const Op& op : OpTable::get().all()) {
    if (!op.schema.name.starts_with("aten::")) continue;
    const auto handle = c10::Dispatcher::singleton().findSchema({op.schema.name, op.schema.overload});
    ASSERT_TRUE(handle) << op.name;
    const c10::FunctionSchema& schema = handle->schema();
    ASSERT_EQ(schema.arguments().size(), op.schema.args.size()) << op.name;
    for (std::size_t i = 0; i < op.schema.args.size(); ++i) {
      EXPECT_EQ(schema.arguments()[i].name(), op.schema.args[i].name) << op.name;
      EXPECT_EQ(schema.arguments()[i].default_value().has_value(), op.schema.args[i].has_default)
          << op.name << " " << op.schema.args[i].name;
      const bool optional = schema.arguments()[i].type()->kind() == c10::TypeKind::OptionalType;
      EXPECT_EQ(optional, op.schema.args[i].optional) << op.name << " " << op.schema.args[i].name;
    }
    EXPECT_EQ(schema.returns().size(), op.schema.results.size()) << op.name;
  }
}

/// Compares each node's stated result types with what the dispatcher gives.
class CompareTypes {
 public:
  CompareTypes(const Graph& graph, const std::vector<c10::IValue>& slots) : graph_(graph), slots_(slots) {}

  void before(const Instruction& instruction) {
    storages_.clear();
    for (const Argument& argument : graph_.nodes[instruction.node].args) {
      for_each_use(argument, [&](ValueId id) {
        if (slots_[id].isTensor()) storages_.insert(storage_of(slots_[id].toTensor()));
      });
    }
  }

  void after(const Instruction& instruction, const std::vector<c10::IValue>& results) {
    std::vector<c10::IValue> flat = results;
    if (instruction.list_result) {
      flat.clear();
      for (const at::Tensor& tensor : results[0].toTensorVector()) flat.emplace_back(tensor);
    }
    const Node& node = graph_.nodes[instruction.node];
    for (std::size_t i = 0; i < instruction.outputs.size(); ++i) {
      const Type& stated = graph_.values[instruction.outputs[i]].type;
      Type real = type_of(flat[i]);
      if (flat[i].isTensorList()) real.kind = Type::Kind::kTensorList;
      const std::string where = node.op + " in " + graph_.scope_path(node.scope);
      EXPECT_EQ(stated.kind, real.kind) << where;
      if (stated.kind != Type::Kind::kTensor || !flat[i].toTensor().defined()) continue;
      EXPECT_EQ(name_of(stated.dtype), name_of(real.dtype)) << where;
      ASSERT_EQ(stated.shape.size(), real.shape.size()) << where;
      bool known = true;
      for (std::size_t d = 0; d < stated.shape.size(); ++d) {
        if (stated.shape[d] == kDynamic) {
          known = false;
        } else {
          EXPECT_EQ(stated.shape[d], real.shape[d]) << where;
        }
      }
      if (!known || flat[i].toTensor().numel() == 0) continue;
      const bool shares = storages_.contains(storage_of(flat[i].toTensor()));
      EXPECT_EQ(stated.alias, shares) << where << ": " << to_string(stated.shape);
      EXPECT_EQ(is_contiguous(stated), is_contiguous(real)) << where << ": " << to_string(stated.shape);
      ++compared_;
    }
  }

  int compared() const { return compared_; }

 private:
  static const void* storage_of(const at::Tensor& tensor) {
    return tensor.defined() ? tensor.storage().unsafeGetStorageImpl() : nullptr;
  }

  const Graph& graph_;
  const std::vector<c10::IValue>& slots_;
  std::set<const void*> storages_;  // of the operands
  int compared_ = 0;
};

class TypesOfModels : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    register_host_operators();
    register_roi_operators();
  }
};

TEST_P(TypesOfModels, AreWhatTheDispatcherGives) {
  const std::filesystem::path folder = std::filesystem::path(NONGEMM_SHARED_DIR) / "fixtures" / "numerics" / GetParam();
  ASSERT_TRUE(std::filesystem::exists(folder)) << folder << " is missing: tests need the shared fixtures";
  for (const Attention attention : {Attention::kDefault, Attention::kEager}) {
    const Model model = find_model(folder.string());
    const NamedTensors inputs = weights::read_safetensors(folder / "inputs.safetensors");
    ModelOptions options;
    options.attention = attention;
    std::optional<Graph> built;
    try {
      built = build_graph(model, options_for(inputs, options));
    } catch (const Error& error) {
      // An architecture without an eager attention of its own says so; anything else is a fault.
      ASSERT_EQ(attention, Attention::kEager) << error.what();
      ASSERT_THAT(error.what(), testing::HasSubstr("attention 'eager' does not exist")) << error.what();
      continue;
    }
    const Graph& graph = *built;
    EXPECT_EQ(problems_of(graph), std::vector<std::string>());

    const Program program(graph, c10::Device(c10::kCPU));
    std::vector<c10::IValue> slots(graph.values.size());
    const PreparedWeights weights = prepare_weights(model, graph, {});
    c10::InferenceMode inference;
    for (std::size_t i = 0; i < graph.weights.size(); ++i) {
      slots[graph.weights[i].value] = to_torch(weights.tensors[i], c10::Device(c10::kCPU));
    }
    for (const Constant& constant : graph.constants) {
      slots[constant.value] = to_torch(constant.tensor, c10::Device(c10::kCPU));
    }
    for (const Input& input : graph.inputs) {
      for (const auto& [name, tensor] : inputs) {
        if (name == input.name) slots[input.value] = to_torch(tensor, c10::Device(c10::kCPU));
      }
    }
    CompareTypes compare(graph, slots);
    program.run(slots, compare);
    EXPECT_GT(compare.compared(), 20);
  }
}

// Not for the cases of tests/data: LibTorch convolves maps that are smaller still without oneDNN, and lays the result
// out in another way.
INSTANTIATE_TEST_SUITE_P(Fixtures, TypesOfModels,
                         testing::Values("gpt2", "bert", "llama", "vit", "swin", "segformer", "detr", "maskformer",
                                         "fasterrcnn", "maskrcnn"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace nongemm::torch_flow
