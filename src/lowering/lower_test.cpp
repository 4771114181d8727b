// The structure of lowered graphs; what they compute is held to the originals in tests/.
#include "lowering/lower.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "onnx/names.h"
#include "ops/builder.h"

namespace nongemm::onnx {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr DType kFloat = DType::kFloat32;

/// One input x of the given shape; `content` adds the rest and gives the output.
template <typename Content>
Graph graph_of(const Shape& shape, Content&& content, DType dtype = kFloat) {
  Builder b("test", kFloat);
  const Tensor x = b.input("x", dtype, shape, {});
  b.output("y", content(b, x));
  return b.finish();
}

std::vector<std::string> types_of(const GraphDef& graph) {
  std::vector<std::string> types;
  for (const NodeDef& node : graph.nodes) types.push_back(node.type);
  return types;
}

std::vector<std::string> types_of(const Graph& graph, const OnnxOptions& options = {}) {
  return types_of(lower_to_onnx(graph, options).model.graph);
}

const GraphDef& subgraph(const NodeDef& node, std::string_view name) {
  const auto at = std::find_if(node.attributes.begin(), node.attributes.end(),
                               [&](const Attribute& attribute) { return attribute.name == name; });
  return *std::get<std::shared_ptr<GraphDef>>(at->value);
}

template <typename Call>
std::string refusal(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was refused";
}

TEST(Lowering, NamesNodesAndPorts) {
  Builder b("test", kFloat);
  const Tensor x = b.input("x", kFloat, {2, 4}, {});
  Tensor y;
  {
    const auto scope = b.scope("h.0.ln", "LayerNorm");
    y = b.call("aten.layer_norm.default", {x, Shape{4}, b.parameter("weight", {4}, {}), b.parameter("bias", {4}, {})});
  }
  b.output("y", b.call("aten.relu.default", {y}));
  const LoweredModel lowered = lower_to_onnx(b.finish());
  const GraphDef& graph = lowered.model.graph;
  ASSERT_THAT(types_of(graph), ElementsAre("LayerNormalization", "Relu"));
  EXPECT_EQ(graph.nodes[0].name, "n0/h.0.ln/aten.layer_norm");
  EXPECT_THAT(graph.nodes[0].inputs, ElementsAre("x", "h.0.ln.weight", "h.0.ln.bias"));
  EXPECT_THAT(graph_nodes_in(graph.nodes[0].outputs[0]), ElementsAre(0));
  EXPECT_THAT(graph.nodes[1].outputs, ElementsAre("y"));
  EXPECT_EQ(lowered.outputs[0].name, "y");
  EXPECT_EQ(graph.outputs[0].shape, (Shape{2, 4}));
}

TEST(Lowering, CompoundOperatorsAreOneNodeOrTheirParts) {
  const Graph norm = graph_of({2, 4}, [](Builder& b, const Tensor& x) {
    return b.call("aten.layer_norm.default", {x, Shape{4}, b.parameter("weight", {4}, {})});
  });
  const std::vector<std::string> parts = {"ReduceMean", "Sub", "Pow", "ReduceMean", "Add", "Sqrt", "Div", "Mul"};
  EXPECT_THAT(types_of(norm), ElementsAre("LayerNormalization"));
  EXPECT_EQ(types_of(norm, {.opset = 16}), parts);
  EXPECT_EQ(types_of(norm, {.opset = 17, .decompose = true}), parts);
  const Graph gelu = graph_of({2}, [](Builder& b, const Tensor& x) { return b.call("aten.gelu.default", {x}); });
  EXPECT_THAT(types_of(gelu), ElementsAre("Div", "Erf", "Add", "Mul", "Mul"));
  EXPECT_THAT(types_of(gelu, {.opset = 20}), ElementsAre("Gelu"));
}

TEST(Lowering, WidensTypesThatAnOldOpsetLacks) {
  const auto sums = [](Builder& b, const Tensor& x) { return b.call("aten.cumsum.default", {x, 1}); };
  const Graph half = graph_of({2, 8}, sums, DType::kFloat16);
  EXPECT_THAT(types_of(half, {.opset = 13}), ElementsAre("Cast", "CumSum", "Cast"));
  EXPECT_THAT(types_of(half, {.opset = 14}), ElementsAre("CumSum"));
  EXPECT_THAT(types_of(graph_of({2, 8}, sums), {.opset = 13}), ElementsAre("CumSum"));
}

TEST(Lowering, RefusesOpsetsItDoesNotOffer) {
  const Graph graph = graph_of({2}, [](Builder& b, const Tensor& x) { return b.call("aten.relu.default", {x}); });
  EXPECT_THAT(refusal([&] { lower_to_onnx(graph, {.opset = 12}); }), HasSubstr("13 to 20"));
  EXPECT_THAT(refusal([&] { lower_to_onnx(graph, {.opset = 99}); }), HasSubstr("opset 99"));
}

TEST(Lowering, NamesWhatOnnxCannotExpress) {
  const Graph graph = graph_of({2, 2}, [](Builder& b, const Tensor& x) {
    const auto scope = b.scope("mask", "Module");
    return b.call("aten.tril.default", {x});
  });
  EXPECT_THAT(types_of(graph), ElementsAre("Trilu"));
  const std::string text = refusal([&] { lower_to_onnx(graph, {.opset = 13}); });
  EXPECT_THAT(text, HasSubstr("aten.tril.default in mask"));
  EXPECT_THAT(text, HasSubstr("opset 14"));
}

TEST(Lowering, ResizesWhereItSamplesAsPyTorchDoes) {
  const auto to = [](std::int64_t height, std::int64_t width) {
    return [=](Builder& b, const Tensor& x) {
      return b.call("aten.upsample_bilinear2d.vec", {x, Shape{height, width}, false, kNone});
    };
  };
  const Shape image = {1, 3, 480, 640};
  EXPECT_THAT(types_of(graph_of(image, to(480, 640))), ElementsAre("Resize"));
  EXPECT_THAT(types_of(graph_of(image, to(960, 320))), ElementsAre("Resize"));
  const std::vector<std::string> axis = {"Gather", "Mul", "Gather", "Mul", "Add"};
  EXPECT_EQ(types_of(graph_of(image, to(480, 1066))), axis);
  EXPECT_THAT(types_of(graph_of(image, to(800, 1066))), testing::SizeIs(10));
  // What half types round away is more.
  EXPECT_THAT(types_of(graph_of(image, to(800, 1066), DType::kFloat16)), ElementsAre("Resize"));
}

TEST(Lowering, LinearTakesMatricesAsGemm) {
  const auto linear = [](Builder& b, const Tensor& x) {
    return b.call("aten.linear.default", {x, b.parameter("w", {5, 4}, {}), b.parameter("b", {5}, {})});
  };
  EXPECT_THAT(types_of(graph_of({3, 4}, linear)), ElementsAre("Gemm"));
  const LoweredModel lowered = lower_to_onnx(graph_of({2, 3, 4}, linear));
  EXPECT_THAT(types_of(lowered.model.graph), ElementsAre("MatMul", "Add"));
  const Initializer& weight = lowered.model.graph.initializers.back();
  EXPECT_TRUE(weight.transposed);
  EXPECT_EQ(weight.shape, (Shape{4, 5}));
}

TEST(Lowering, PromotesTypesAsPyTorchDoes) {
  const auto add_float = [](Builder& b, const Tensor& x) { return b.call("aten.add.Tensor", {x, 0.5}); };
  const LoweredModel lowered = lower_to_onnx(graph_of({2}, add_float, DType::kInt64));
  EXPECT_THAT(types_of(lowered.model.graph), ElementsAre("Cast", "Add"));
  EXPECT_EQ(lowered.model.graph.outputs[0].dtype, kFloat);
  // A number does not widen a tensor of its kind: the constant is half, too.
  const LoweredModel half = lower_to_onnx(graph_of({2}, add_float, DType::kFloat16));
  EXPECT_THAT(types_of(half.model.graph), ElementsAre("Add"));
  EXPECT_EQ(half.model.graph.initializers.at(0).dtype, DType::kFloat16);
}

TEST(Lowering, LeavesOutWhatNothingNeeds) {
  const Graph graph = graph_of({2, 2}, [](Builder& b, const Tensor& x) {
    b.call("aten.is_nonzero.default", {b.call("aten.all.default", {x})});
    return b.call("aten.contiguous.default", {b.call("aten.relu.default", {x})});
  });
  const LoweredModel lowered = lower_to_onnx(graph);
  EXPECT_THAT(types_of(lowered.model.graph), ElementsAre("Relu"));
  EXPECT_THAT(lowered.model.graph.initializers, IsEmpty());
}

TEST(Lowering, OutputsThatAreInputsAreCopied) {
  const LoweredModel lowered = lower_to_onnx(graph_of({2}, [](Builder&, const Tensor& x) { return x; }));
  ASSERT_THAT(types_of(lowered.model.graph), ElementsAre("Identity"));
  EXPECT_THAT(lowered.model.graph.nodes[0].inputs, ElementsAre("x"));
}

TEST(Writes, ReachThroughViews) {
  const Graph graph = graph_of({2, 6}, [](Builder& b, const Tensor& x) {
    const Tensor base = b.call("aten.zeros.default", {Shape{4, 6}});
    const Tensor before = b.call("aten.relu.default", {base});
    const Tensor rows = b.call("aten.slice.Tensor", {base, 0, 1, 3});
    b.call("aten.copy_.default", {rows, x});
    return b.call("aten.add.Tensor", {b.call("aten.add.Tensor", {base, before}), b.call("aten.exp.default", {base})});
  });
  const LoweredModel lowered = lower_to_onnx(graph);
  const std::vector<NodeDef>& nodes = lowered.model.graph.nodes;
  ASSERT_THAT(types_of(lowered.model.graph),
              ElementsAre("ConstantOfShape", "Relu", "Slice", "Slice", "Concat", "Add", "Exp", "Add"));
  // Rows 0 and 3 of the zeros around the rows of x.
  EXPECT_THAT(nodes[4].inputs, ElementsAre(nodes[2].outputs[0], "x", nodes[3].outputs[0]));
  EXPECT_EQ(nodes[1].inputs[0], nodes[0].outputs[0]);          // read before the write
  EXPECT_EQ(nodes[5].inputs[0], nodes[4].outputs[0]);          // read after it
  EXPECT_THAT(graph_nodes_in(nodes[4].name), ElementsAre(3));  // it is the copy that does this work
}

TEST(Writes, MakeOtherViewsBeTakenAnew) {
  const Graph graph = graph_of({3}, [](Builder& b, const Tensor& x) {
    const Tensor base = b.call("aten.exp.default", {x});
    const Tensor first = b.call("aten.select.int", {base, 0, 0});
    const Tensor sum = b.call("aten.add.Tensor", {first, 1});
    b.call("aten.relu_.default", {base});
    return b.call("aten.add.Tensor", {sum, first});
  });
  EXPECT_THAT(types_of(graph), ElementsAre("Exp", "Gather", "Add", "Relu", "Gather", "Add"));
}

TEST(Writes, GiveTheOperandItself) {
  const Graph graph = graph_of({3}, [](Builder& b, const Tensor& x) {
    const Tensor y = b.call("aten.exp.default", {x});
    const Tensor z = b.call("aten.add_.Tensor", {y, x});
    b.call("aten.relu_.default", {z});
    return y;
  });
  EXPECT_THAT(types_of(graph), ElementsAre("Exp", "Add", "Relu"));
}

TEST(Control, BranchesBecomeIf) {
  const Graph graph = graph_of({3}, [](Builder& b, const Tensor& x) {
    const Tensor count = b.call("nongemm.numel.default", {b.call("aten.nonzero.default", {x})});
    const Tensor some = b.call("nongemm.int_greater.default", {count, 0});
    const Tensor written = b.call("aten.zeros.default", {Shape{3}});
    const std::vector<Tensor> result = b.branch(
        some, 1.0,
        [&] {
          b.call("aten.copy_.default", {written, x});
          return std::vector<Tensor>{b.call("aten.exp.default", {x})};
        },
        [&] { return std::vector<Tensor>{x}; });
    return b.call("aten.add.Tensor", {result[0], written});
  });
  const LoweredModel lowered = lower_to_onnx(graph);
  const std::vector<NodeDef>& nodes = lowered.model.graph.nodes;
  const auto branch = std::find_if(nodes.begin(), nodes.end(), [](const NodeDef& node) { return node.type == "If"; });
  ASSERT_NE(branch, nodes.end());
  ASSERT_EQ(branch->outputs.size(), 2U);  // the result, and what both branches leave in `written`
  EXPECT_EQ(nodes.back().inputs, branch->outputs);
  EXPECT_THAT(types_of(subgraph(*branch, "then_branch")), ElementsAre("Exp", "Identity", "Identity"));
  EXPECT_THAT(types_of(subgraph(*branch, "else_branch")), ElementsAre("Identity", "Identity"));
}

TEST(Control, LoopsCarryWhatTheyWrite) {
  const Graph graph = graph_of({3, 2}, [](Builder& b, const Tensor& x) {
    const Tensor found = b.call("aten.nonzero.default", {x});
    const std::vector<Tensor> rows = b.call_all("aten.unbind.int", {found, 0});
    const Tensor sum = b.call("aten.zeros.default", {Shape{2}});
    b.foreach (rows, 4, [&](const std::vector<Tensor>& elements) {
      b.call("aten.add_.Tensor", {sum, elements[0]});
      return std::vector<Tensor>{};
    });
    return sum;
  });
  const LoweredModel lowered = lower_to_onnx(graph);
  const NodeDef& loop = lowered.model.graph.nodes.back();
  ASSERT_EQ(loop.type, "Loop");
  EXPECT_THAT(loop.outputs, ElementsAre("y"));
  const GraphDef& body = subgraph(loop, "body");
  EXPECT_EQ(body.inputs.size(), 3U);   // step, condition, sum
  EXPECT_EQ(body.outputs.size(), 2U);  // condition, sum
  EXPECT_EQ(body.inputs[2].shape, (Shape{2}));
}

TEST(Control, BodiesHoldTheIntegersTheyUse) {
  const Graph graph = graph_of({3, 2}, [](Builder& b, const Tensor& x) {
    const std::vector<Tensor> rows = b.call_all("aten.unbind.int", {b.call("aten.nonzero.default", {x}), 0});
    const Tensor sum = b.call("aten.zeros.default", {Shape{1, 2}});
    b.foreach (rows, 4, [&](const std::vector<Tensor>& elements) {
      b.call("aten.add_.Tensor", {sum, b.call("aten.unsqueeze.default", {elements[0], 0})});
      return std::vector<Tensor>{};
    });
    return sum;
  });
  const LoweredModel lowered = lower_to_onnx(graph);
  const GraphDef& body = subgraph(lowered.model.graph.nodes.back(), "body");
  const auto unsqueeze =
      std::find_if(body.nodes.begin(), body.nodes.end(), [](const NodeDef& node) { return node.type == "Unsqueeze"; });
  ASSERT_NE(unsqueeze, body.nodes.end());
  const auto axes = std::find_if(body.initializers.begin(), body.initializers.end(),
                                 [&](const Initializer& tensor) { return tensor.name == unsqueeze->inputs[1]; });
  ASSERT_NE(axes, body.initializers.end());
  EXPECT_EQ(axes->data.as<std::int64_t>()[0], 0);
}

TEST(Lowering, GivesEveryNodeAndValueANameOfItsOwn) {
  const Graph graph = graph_of({2, 3, 4, 4}, [](Builder& b, const Tensor& x) {
    const Tensor y = b.call("aten.roll.default", {x, Shape{1, 1}, Shape{2, 3}});
    return b.call("aten.scaled_dot_product_attention.default", {y, y, y}, {{"is_causal", true}});
  });
  std::set<std::string> names;
  std::size_t count = 0;
  for (const NodeDef& node : lower_to_onnx(graph).model.graph.nodes) {
    names.insert(node.name);
    names.insert(node.outputs.begin(), node.outputs.end());
    count += 1 + node.outputs.size();
    EXPECT_EQ(graph_nodes_in(node.name).size(), 1U) << node.name;
  }
  EXPECT_EQ(names.size(), count);
}

}  // namespace
}  // namespace nongemm::onnx
