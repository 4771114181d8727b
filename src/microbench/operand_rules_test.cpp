// The rules against the whole operator table: every operator can be called from little more than a shape, and runs.
#include "microbench/operand_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "base/error.h"
#include "flows/load.h"
#include "microbench/call_graph.h"
#include "microbench/op_command.h"
#include "microbench/op_point.h"
#include "microbench/shape_sweep.h"
#include "ops/check_graph.h"
#include "ops/communication.h"

namespace nongemm::microbench {
namespace {

using testing::AllOf;
using testing::HasSubstr;

OperatorInfo find(const std::string& name) { return find_operator(name, nullptr); }

Given with_shapes(const std::vector<std::string>& texts) {
  Given given;
  for (const std::string& text : texts) given.shapes.push_back(parse_shapes(text).at(0));
  return given;
}

/// What operators want that do not take any three dimensions.
Given smallest(const std::string& op) {
  static const std::map<std::string, std::vector<std::string>> kShapes = {
      {"aten.conv2d.default", {"2x4x8x8"}},
      {"aten.conv2d.padding", {"2x4x8x8"}},
      {"aten.conv3d.padding", {"1x4x8x8x8"}},
      {"aten.col2im.default", {"2x16x64"}},
      {"aten._embedding_bag.default", {"16x8"}},
      {"aten.conv_transpose2d.input", {"2x4x8x8"}},
      {"aten.max_pool2d.default", {"2x4x8x8"}},
      {"aten.avg_pool2d.default", {"2x4x8x8"}},
      {"aten.adaptive_avg_pool2d.default", {"2x4x8x8"}},
      {"torchvision.roi_align.default", {"2x4x32x32"}},
      {"torchvision.nms.default", {"8x4"}},
      {"aten.mm.default", {"8x4"}},
      {"aten.mv.default", {"8x4"}},
      {"aten.dot.default", {"16"}},
      {"aten.vdot.default", {"16"}},
      {"aten.outer.default", {"16"}},
      {"aten.ger.default", {"16"}},
      {"aten.addmv.default", {"16"}},
      {"aten.addr.default", {"8x4"}},
      {"aten.addbmm.default", {"8x4"}},
      {"aten.linalg_multi_dot.default", {"8x4", "4x6"}},
      {"aten.conv3d.default", {"1x4x8x8x8"}},
      {"aten.convolution.default", {"2x4x8x8"}},
      {"aten.conv_transpose3d.input", {"1x4x8x8x8"}},
      {"aten.native_batch_norm.default", {"2x4x8x8"}},
      {"aten._scaled_dot_product_flash_attention_for_cpu.default", {"1x2x8x16"}},
      {"aten.grid_sampler_2d.default", {"2x4x8x8"}},
      {"aten.max_pool3d.default", {"1x4x8x8x8"}},
      {"aten.max_pool2d_with_indices.default", {"2x4x8x8"}},
      {"aten.max_pool3d_with_indices.default", {"1x4x8x8x8"}},
      {"aten.avg_pool3d.default", {"1x4x8x8x8"}},
      {"aten.adaptive_avg_pool3d.default", {"1x4x8x8x8"}},
      {"aten._adaptive_avg_pool2d.default", {"2x4x8x8"}},
      {"aten._adaptive_avg_pool3d.default", {"1x4x8x8x8"}},
      {"aten.reflection_pad2d.default", {"2x4x8x8"}},
      {"aten.reflection_pad3d.default", {"1x4x8x8x8"}},
      {"aten.replication_pad2d.default", {"2x4x8x8"}},
      {"aten.replication_pad3d.default", {"1x4x8x8x8"}},
      {"aten.addmm.default", {"8x4"}},
      {"aten.t.default", {"8x4"}},
      {"aten.item.default", {"1"}},
      {"aten.is_nonzero.default", {"1"}},
      {"aten.embedding.default", {"16x8", "2x4"}},
      {"aten.einsum.default", {"2x3x4", "2x4x5"}},
      {"aten.meshgrid.default", {"4", "5"}},
      {"aten.meshgrid.indexing", {"4", "5"}},
      {"aten.scalar_tensor.default", {}},
      {"aten.view_as_complex.default", {"2x8x2"}},
      {"aten.multinomial.default", {"4x16"}},
  };
  const bool map = op.find("upsample") != std::string::npos;
  const auto known = kShapes.find(op);
  Given given = with_shapes(known != kShapes.end() ? known->second
                            : map                  ? std::vector<std::string>{"2x4x8x8"}
                                                   : std::vector<std::string>{"2x8x16"});
  if (op == "aten.einsum.default") given.arguments["equation"] = "bij,bjk->bik";
  return given;
}

std::string refused(const std::string& op, const Given& given) {
  try {
    fill_operands(find(op), given);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    return error.what();
  }
  ADD_FAILURE() << op << " was taken";
  return "";
}

const TensorSpec& tensor(const Call& call, const std::string& name) {
  return std::get<TensorSpec>(call.operands.at(static_cast<std::size_t>(call.info.schema.find_arg(name))));
}

/// Products of a mixture of experts: where each group of rows ends is data that no rule makes up, and `op` says so.
bool wants_groups(const std::string& op) { return op.find("grouped_mm") != std::string::npos; }

/// Other ranks, too: tests/ranks_test.cpp.
bool wants_ranks(const std::string& op) { return is_collective(op) || op == kWaitForCollective; }

TEST(OperandRules, GroupedProductsNameWhatTheyNeed) {
  EXPECT_THAT(refused("aten._grouped_mm.default", with_shapes({"8x16"})), testing::HasSubstr("--shape mat2="));
  EXPECT_THAT(refused("transformers.grouped_mm_fallback.default", with_shapes({"8x16"})), testing::HasSubstr("'offs'"));
}

TEST(OperandRules, EveryOperatorOfTheTableRunsFromAShape) {
  Flow& torch = load_flow("torch");
  int count = 0;
  for (const Op& op : OpTable::get().all()) {
    if (op.name.starts_with("nongemm.") || wants_groups(op.name)) continue;
    SCOPED_TRACE(op.name);
    try {
      const Call call = fill_operands(find(op.name), smallest(op.name));
      if (wants_ranks(op.name)) continue;
      const CallGraph graph = graph_of(call, 2);
      EXPECT_THAT(problems_of(graph.graph), testing::IsEmpty());
      const auto session = torch.prepare(graph.graph, make_tensors(graph.parameters, 0), RunOptions());
      session->set_inputs(make_tensors(graph.inputs, 0));
      session->run();
      ++count;
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
  }
  EXPECT_GT(count, 200);
}

TEST(OperandRules, ACommandMakesTheSameCallAgain) {
  for (const Op& op : OpTable::get().all()) {
    if (op.name.starts_with("nongemm.") || wants_groups(op.name)) continue;
    const Call call = fill_operands(find(op.name), smallest(op.name));
    EXPECT_EQ(key_of(fill_operands(call.info, given_of(call))), key_of(call)) << call.info.name;
  }
  Given given = with_shapes({"1x128x768"});
  const auto command = [&] {
    return command_of(OpSpec{fill_operands(find("layer_norm"), given), defaults_of(kOp).run, "", {}});
  };
  EXPECT_EQ(command(), "nongemm op layer_norm --shape 1x128x768");
  given.arguments["eps"] = "1e-12";
  given.dtype = DType::kFloat16;
  EXPECT_EQ(command(), "nongemm op layer_norm --shape 1x128x768 --dtype fp16 --arg eps=1e-12");
}

TEST(OperandRules, ParametersFollowFromTheMainShape) {
  const Call norm = fill_operands(find("aten::layer_norm"), with_shapes({"1x128x768"}));
  EXPECT_EQ(tensor(norm, "weight").shape, Shape{768});
  EXPECT_TRUE(tensor(norm, "bias").parameter);
  const Call linear = fill_operands(find("linear"), with_shapes({"1x128x768", "3072x768"}));
  EXPECT_EQ(tensor(linear, "bias").shape, Shape{3072});
  Given given = with_shapes({"1x64x56x56"});
  given.arguments["groups"] = "64";
  const Call conv = fill_operands(find("conv2d"), given);
  EXPECT_EQ(tensor(conv, "weight").shape, (Shape{64, 1, 3, 3}));
  const Call embedding = fill_operands(find("embedding"), with_shapes({"1000x64", "1x16"}));
  EXPECT_EQ(tensor(embedding, "indices").dtype, DType::kInt64);
  EXPECT_EQ(tensor(embedding, "indices").content.limit, 1000);
  EXPECT_EQ(tensor(fill_operands(find("where"), with_shapes({"2x2"})), "condition").dtype, DType::kBool);
}

TEST(OperandRules, WhatIsGivenByNameIsTaken) {
  Given given = with_shapes({"1x12x64x64"});
  given.named_shapes["other"] = {Shape{1, 1, 64, 1}};
  given.dtypes["other"] = DType::kFloat16;
  given.layout = "transposed";
  given.contents["other"] = {Content::Kind::kOnes, 0};
  const Call call = fill_operands(find("mul"), given);
  EXPECT_EQ(tensor(call, "other").shape, (Shape{1, 1, 64, 1}));
  EXPECT_EQ(tensor(call, "other").dtype, DType::kFloat16);
  EXPECT_EQ(tensor(call, "other").content.kind, Content::Kind::kOnes);
  EXPECT_EQ(tensor(call, "self").strides, (Shape{12 * 64 * 64, 64 * 64, 1, 64}));
  EXPECT_TRUE(tensor(call, "other").strides.empty());

  Given number = with_shapes({"8"});
  number.arguments["other"] = "0.5";
  EXPECT_EQ(attributes_text(fill_operands(find("mul"), number)), "other=0.5");
  Given none = with_shapes({"1x8"});
  none.arguments["bias"] = "none";
  EXPECT_EQ(shapes_text(fill_operands(find("layer_norm"), none)), "[1, 8] x [8]");
}

TEST(OperandRules, WhatIsMissingIsNamedWithTheSchema) {
  EXPECT_THAT(refused("embedding", with_shapes({"10x4"})),
              AllOf(HasSubstr("'indices'"), HasSubstr("aten::embedding(Tensor weight"), HasSubstr("--shape indices=")));
  EXPECT_THAT(refused("einsum", with_shapes({"2x2"})), HasSubstr("--arg equation="));
  EXPECT_THAT(refused("layer_norm", Given()), AllOf(HasSubstr("no shape is given"), HasSubstr("--shape")));
  EXPECT_THAT(refused("conv2d", with_shapes({"7"})), HasSubstr("1 dimensions is too few"));
}

TEST(OperandRules, WhatDoesNotFitIsNamed) {
  Given given = with_shapes({"2x4"});
  given.arguments["dmi"] = "1";
  EXPECT_THAT(refused("softmax", given), AllOf(HasSubstr("dmi"), HasSubstr("did you mean 'dim'")));
  given.arguments = {{"dim", "one"}};
  EXPECT_THAT(refused("softmax", given), AllOf(HasSubstr("dim=one"), HasSubstr("whole number")));
  given.arguments = {{"dim", "none"}};
  EXPECT_THAT(refused("softmax", given), HasSubstr("needs it"));
  given.arguments = {{"approximate", "tanh"}};
  EXPECT_EQ(attributes_text(fill_operands(find("gelu"), given)), "approximate=tanh");
  EXPECT_THAT(refused("relu", with_shapes({"2", "3"})), HasSubstr("one more than it has tensors"));
  Given layout = with_shapes({"2x4"});
  layout.layout = "channels-last";
  EXPECT_THAT(refused("relu", layout), HasSubstr("four dimensions"));
  layout.layout = "transpsed";
  EXPECT_THAT(refused("relu", layout), HasSubstr("did you mean 'transposed'"));
  Given shape = with_shapes({"2x4"});
  shape.named_shapes["dim"] = {Shape{2}};
  EXPECT_THAT(refused("softmax", shape), HasSubstr("'dim' is no tensor"));
}

TEST(Operators, NamesAreFoundAsPeopleWriteThem) {
  for (const char* name : {"add", "aten::add", "aten::add.Tensor", "aten.add.Tensor", "add.Tensor"}) {
    EXPECT_EQ(find(name).name, "aten.add.Tensor") << name;
  }
  EXPECT_EQ(find("softmax").name, "aten.softmax.int");
  EXPECT_EQ(find("nms").name, "torchvision.nms.default");
  EXPECT_EQ(find("max").name, "aten.max.default");
  EXPECT_EQ(find("max.dim").name, "aten.max.dim");
  EXPECT_EQ(find("where").name, "aten.where.self");
  EXPECT_THROW(find("if"), Error);
  EXPECT_THROW(find(""), Error);
}

TEST(Operators, TheRuntimeKnowsFurtherOnes) {
  const SchemaSource runtime = [](const std::string& name) { return load_flow("torch").operator_schemas(name, {}); };
  const OperatorInfo info = find_operator("kron", runtime);
  EXPECT_EQ(info.name, "aten.kron.default");
  EXPECT_EQ(info.op, nullptr);
  const Call call = fill_operands(info, with_shapes({"5x3", "7x3"}));
  const CallGraph graph = graph_of(call, 1);
  const auto session = load_flow("torch").prepare(graph.graph, make_tensors(graph.parameters, 0), RunOptions());
  session->set_inputs(make_tensors(graph.inputs, 0));
  const std::vector<ObservedTypes> observed = session->run_for_types();
  ASSERT_EQ(observed.size(), 1U);
  EXPECT_EQ(observed[0].results.at(0).shape, (Shape{35, 9}));
  try {
    find_operator("kron.sideways", runtime);
    ADD_FAILURE() << "an overload that does not exist was found";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("'sideways'"), HasSubstr("default")));
  }
  EXPECT_THROW(find_operator("frobnicate", runtime), Error);
}

TEST(CallGraph, OperandsLieInMemoryAsTheyAreAskedFor) {
  Given given = with_shapes({"3x4"});
  given.layout = "transposed";
  const Call call = fill_operands(find("contiguous"), given);
  const CallGraph graph = graph_of(call, 1);
  // A copy, because the operand is not contiguous; the values stay those of the contiguous tensor.
  EXPECT_FALSE(graph.graph.values[graph.graph.nodes[0].outputs[0]].type.alias);
  const auto inputs = make_tensors(graph.inputs, 7);
  const auto session = load_flow("torch").prepare(graph.graph, {}, RunOptions());
  session->set_inputs(inputs);
  session->run();
  const HostTensor result = session->outputs().at(0);
  for (int i = 0; i < 12; ++i) EXPECT_EQ(result.as<float>()[i], inputs[0].as<float>()[i]);
  // Expanded: a stride of 0 repeats the first element.
  given.layout = "0x1";
  const CallGraph expanded = graph_of(fill_operands(find("clone"), given), 1);
  const auto other = load_flow("torch").prepare(expanded.graph, {}, RunOptions());
  other->set_inputs(inputs);
  other->run();
  EXPECT_EQ(other->outputs().at(0).as<float>()[4], inputs[0].as<float>()[0]);
}

TEST(CallGraph, ContentsAreWhatOperatorsExpect) {
  const Call call = fill_operands(find("embedding"), with_shapes({"10x4", "3000"}));
  const CallGraph graph = graph_of(call, 1);
  ASSERT_EQ(graph.inputs.size(), 1U);  // the weight is a parameter
  const HostTensor indices = make_tensors(graph.inputs, 0).at(0);
  for (int i = 0; i < 3000; ++i) {
    EXPECT_GE(indices.as<std::int64_t>()[i], 0);
    EXPECT_LT(indices.as<std::int64_t>()[i], 10);
  }
  const HostTensor boxes = make_tensors(graph_of(fill_operands(find("nms"), with_shapes({"50x4"})), 1).inputs, 0).at(0);
  for (int i = 0; i < 50; ++i) EXPECT_LT(boxes.as<float>()[4 * i], boxes.as<float>()[4 * i + 2]);
}

}  // namespace
}  // namespace nongemm::microbench
