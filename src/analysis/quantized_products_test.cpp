#include "analysis/quantized_products.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "ops/builder.h"
#include "record/quantized_kernels.h"

namespace nongemm {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

/// One product, whose operator takes values [rows, inner] and a weight [columns, inner], and one of activations.
Graph graph_of(const std::string& op, const ProductSizes& sizes, DType dtype = DType::kFloat16) {
  Builder b("products", dtype);
  const bool fp8 = op == "nongemm.fp8_linear.default";
  const DType narrow = fp8 ? DType::kFloat8E4M3 : DType::kInt8;
  const Tensor values = b.input("values", narrow, {sizes.rows, sizes.inner}, {});
  const Tensor weight = b.buffer("weight", narrow, {sizes.columns, sizes.inner}, InitSpec::constant(0));
  if (op == "bitsandbytes.int8_linear_matmul.default") {
    b.output("sums", b.call(op, {values, weight}));
  } else {
    const Tensor scales = b.input("scales", DType::kFloat32, {sizes.rows}, {});
    const Tensor columns = b.buffer("columns", DType::kFloat32, {sizes.columns}, InitSpec::constant(1));
    b.output("y", b.call(op, {values, weight, scales, columns, Tensor()}, {{"dtype", dtype}}));
  }
  const Tensor x = b.input("x", dtype, {4, 4}, {});
  b.output("square", b.call("aten.mm.default", {x, x}));
  return b.finish();
}

/// Every node takes 1 ms.
ProductRow first_row(const Graph& graph, bool on_device, const std::vector<KernelSum>& kernels = {}) {
  Record record = record_of(graph);
  record.devices.push_back({.is_host = !on_device, .limits = {}});
  NodePass& pass = record.phases.emplace_back().devices.emplace_back().nodes;
  pass.averaged = 1;
  pass.nodes.resize(graph.nodes.size());
  for (NodeTime& node : pass.nodes) node = {.host_s = 1e-3, .device_s = 1e-3, .calls = 1};
  const auto rows = quantized_products(graph, analyse(record, {}), kernels);
  EXPECT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows.back().way, "as it was");
  EXPECT_THAT(rows.back().reason, HasSubstr("activations"));
  EXPECT_EQ(rows.front().products, 1);
  EXPECT_DOUBLE_EQ(rows.front().time_s, 1e-3);
  return rows.front();
}

TEST(QuantizedProducts, FewRowsAreFilledUpForCublasLt) {
  const std::string op = "bitsandbytes.int8_linear_matmul.default";
  EXPECT_THAT(first_row(graph_of(op, {17, 64, 32}), true).reason, IsEmpty());
  const ProductRow few = first_row(graph_of(op, {16, 64, 32}), true);
  EXPECT_EQ(few.way, "int8, cuBLASLt, rows filled up to 17");
  EXPECT_THAT(few.reason, HasSubstr("more than 16 rows"));
  for (const ProductSizes& odd : {ProductSizes{32, 60, 32}, ProductSizes{32, 64, 33}}) {
    EXPECT_EQ(first_row(graph_of(op, odd), true).way, "int8, kernel for any size");
  }
  EXPECT_THAT(first_row(graph_of(op, {1, 60, 33}), false).reason, IsEmpty()) << "the host takes any size";
}

TEST(QuantizedProducts, TheTunedKernelsLimitsAreSaid) {
  const std::string op = "nongemm.int8_linear.default";
  EXPECT_THAT(first_row(graph_of(op, {1, 64, 32}), true).reason, IsEmpty());
  EXPECT_THAT(first_row(graph_of(op, {32, 72, 32}), true).reason, HasSubstr("in 16s"));
  EXPECT_THAT(first_row(graph_of(op, {32, 64, 36}), true).reason, HasSubstr("in 8s"));
  EXPECT_THAT(first_row(graph_of(op, {32, 64, 32}, DType::kFloat32), true).reason, HasSubstr("fp16"));
}

TEST(QuantizedProducts, RecordedKernelsHaveTheLastWord) {
  const Graph graph = graph_of("nongemm.int8_linear.default", {32, 64, 32});
  EXPECT_EQ(first_row(graph, true, {{.node = 0, .name = "cutlass::device_kernel"}}).way, "int8, tuned kernel");
  const ProductRow general = first_row(graph, true, {{.node = 0, .name = "void product_of_any_size<__half>"}});
  EXPECT_EQ(general.way, "int8, kernel for any size");
  EXPECT_THAT(general.reason, HasSubstr("missing"));
  const ProductRow unfolded = first_row(
      graph, true, {{.node = 0, .name = "void unfold_factors<__half>"}, {.node = 0, .name = "nvjet_sm90_hsh_256x128"}});
  EXPECT_EQ(unfolded.way, "float16, int8 values unfolded");
  EXPECT_THAT(unfolded.reason, HasSubstr("many columns are outliers"));
}

TEST(QuantizedProducts, Fp8NeedsADeviceAndWholeSixteens) {
  const std::string op = "nongemm.fp8_linear.default";
  EXPECT_THAT(first_row(graph_of(op, {3, 64, 32}), true).reason, IsEmpty());
  EXPECT_THAT(first_row(graph_of(op, {3, 64, 24}), true).reason, HasSubstr("multiples of 16"));
  EXPECT_THAT(first_row(graph_of(op, {3, 64, 32}), false).reason, HasSubstr("no arithmetic in e4m3"));
}

TEST(QuantizedProducts, LayersThatAreLeftOutAreToldFromProductsOfActivations) {
  Builder b("left", DType::kFloat32);
  const Tensor x = b.input("x", DType::kFloat32, {4, 8}, {});
  const Tensor weight = b.parameter("weight", {8, 8}, {});
  const Tensor y = b.call("aten.mm.default", {x, b.call("aten.t.default", {weight})});
  b.output("y", b.call("aten.mm.default", {y, b.call("aten.t.default", {x})}));
  const Graph graph = b.finish();
  const auto rows = quantized_products(graph, analyse(record_of(graph), {}), {});
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_THAT(rows[0].reason, HasSubstr("left out"));
  EXPECT_THAT(rows[1].reason, HasSubstr("activations"));
}

}  // namespace
}  // namespace nongemm
