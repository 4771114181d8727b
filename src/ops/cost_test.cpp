// Work and traffic of every operator of the table against cases that were counted in another way (cost_cases.h).
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "ops/cost_cases.h"

namespace nongemm {
namespace {

using cost_cases::Case;
using cost_cases::Cases;
using cost_cases::Work;

const Cases& all_cases() {
  static const Cases cases = [] {
    Cases all;
    for (Cases part :
         {cost_cases::elementwise(), cost_cases::products(), cost_cases::windows(), cost_cases::reductions(),
          cost_cases::memory(), cost_cases::quantization(), cost_cases::communication(), cost_cases::fused()}) {
      all.merge(part);
      EXPECT_TRUE(part.empty()) << part.begin()->first << " stands twice";
    }
    return all;
  }();
  return cases;
}

/// NaN, for work that is unknown, equals NaN.
void expect_same(double found, double expected, const std::string& what) {
  if (std::isnan(expected)) {
    EXPECT_TRUE(std::isnan(found)) << what << ": " << found << ", which nobody can know";
  } else {
    EXPECT_DOUBLE_EQ(found, expected) << what;
  }
}

TEST(Costs, EveryOperatorOfTheTableHasACase) {
  for (const Op& op : OpTable::get().all()) {
    if (op.entry.group == Group::kControl) {  // Python's own numbers, blocks: no work of a device
      EXPECT_EQ(op.entry.cost, nullptr) << op.name;
      continue;
    }
    EXPECT_NE(op.entry.cost, nullptr) << op.name;
    EXPECT_TRUE(all_cases().contains(op.name)) << op.name << " has no case in cost_cases_*.cpp";
  }
}

TEST(Costs, NoCaseIsOfAnOperatorThatIsGone) {
  for (const auto& [name, make] : all_cases()) EXPECT_NE(OpTable::get().find(name), nullptr) << name;
}

class CostsOf : public testing::TestWithParam<std::string> {};

TEST_P(CostsOf, AreThoseOfACount) {
  const Case& make = all_cases().at(GetParam());
  for (int variant = 0; variant < cost_cases::kVariants; ++variant) {
    Builder b("cost", DType::kFloat32);
    const Work expected = make(b, variant);
    const Graph graph = b.finish();
    const Node& node = graph.nodes.back();
    ASSERT_EQ(node.op, GetParam());
    const Cost found = cost_of(graph, node, OpTable::get().at(node.op));
    const std::string where = " in shape " + std::to_string(variant);
    expect_same(found.flops, expected.flops, "operations" + where);
    expect_same(found.bytes_read, expected.read, "bytes read" + where);
    expect_same(found.bytes_written, expected.written, "bytes written" + where);
  }
}

std::vector<std::string> names() {
  std::vector<std::string> names;
  for (const auto& [name, make] : all_cases()) names.push_back(name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Table, CostsOf, testing::ValuesIn(names()), [](const auto& info) {
  std::string name = info.param;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
  return name;
});

TEST(Costs, WhatDependsOnAnUnknownSizeIsUnknown) {
  Builder b("cost", DType::kFloat32);
  const Tensor rows = b.call("aten.nonzero.default", {b.input("x", DType::kFloat32, {2, 3}, {})});
  b.call("aten.relu.default", {rows});
  const Graph graph = b.finish();
  const Cost cost = cost_of(graph, graph.nodes.back(), OpTable::get().at("aten.relu.default"));
  EXPECT_TRUE(std::isnan(cost.flops));
  EXPECT_TRUE(std::isnan(cost.bytes()));
}

TEST(Costs, ComplexNumbersAreSeveralRealOperationsOrUnknownWork) {
  const Shape shape = {2, 3};
  const auto flops = [&](const std::string& op, const std::vector<DType>& types) {
    Builder b("cost", DType::kFloat32);
    std::vector<Tensor> operands;
    for (const DType type : types) operands.push_back(cost_cases::operand(b, shape, type));
    if (operands.size() == 1) {
      b.call(op, {operands[0]});
    } else {
      b.call(op, {operands[0], operands[1]});
    }
    const Graph graph = b.finish();
    return cost_of(graph, graph.nodes.back(), OpTable::get().at(op)).flops;
  };
  constexpr DType kComplex = DType::kComplex64;
  EXPECT_EQ(flops("aten.add.Tensor", {kComplex, kComplex}), 2 * 6);
  EXPECT_EQ(flops("aten.mul.Tensor", {kComplex, kComplex}), 6 * 6);
  EXPECT_TRUE(std::isnan(flops("aten.mul.Tensor", {kComplex, DType::kFloat32})));
  EXPECT_TRUE(std::isnan(flops("aten.exp.default", {kComplex})));
  EXPECT_EQ(flops("aten.clone.default", {kComplex}), 0);
}

TEST(Costs, ComplexNumbersArePromotedAsPyTorchDoes) {
  const auto promoted = [&](DType a, Shape shape_a, DType c, Shape shape_c) {
    Builder b("cost", DType::kFloat32);
    return b
        .call("aten.mul.Tensor",
              {cost_cases::operand(b, std::move(shape_a), a), cost_cases::operand(b, std::move(shape_c), c)})
        .type()
        .dtype;
  };
  EXPECT_EQ(promoted(DType::kComplex64, {2}, DType::kFloat64, {2}), DType::kComplex128);
  EXPECT_EQ(promoted(DType::kInt64, {2}, DType::kComplex64, {2}), DType::kComplex64);
  EXPECT_EQ(promoted(DType::kComplex32, {2}, DType::kFloat32, {2}), DType::kComplex64);
  EXPECT_EQ(promoted(DType::kFloat64, {2}, DType::kComplex64, {}), DType::kComplex128);
  EXPECT_EQ(promoted(DType::kComplex64, {2}, DType::kFloat64, {}), DType::kComplex64);
}

TEST(Transforms, RefuseWhatTheRuntimeWouldNotNotice) {
  const auto refused = [](const char* op, const Shape& shape, const Shape& dims, Arg last) {
    Builder b("transform", DType::kFloat32);
    try {
      b.call(op, {cost_cases::operand(b, shape, DType::kComplex64), dims, 0, std::move(last)});
    } catch (const Error& error) {
      return error.kind() == ErrorKind::kBadInput;
    }
    return false;
  };
  EXPECT_FALSE(refused("aten._fft_c2c.default", {2, 8}, {1}, true));
  EXPECT_TRUE(refused("aten._fft_c2c.default", {2, 8}, {-1}, true));
  EXPECT_TRUE(refused("aten._fft_c2c.default", {2, 8}, {2}, true));
  EXPECT_TRUE(refused("aten._fft_c2c.default", {2, 8}, {1, 1}, true));
  EXPECT_FALSE(refused("aten._fft_c2r.default", {2, 5}, {1}, 9));
  EXPECT_TRUE(refused("aten._fft_c2r.default", {2, 5}, {1}, 12));
  EXPECT_TRUE(refused("aten._fft_c2r.default", {2, 1}, {1}, 0));
}

TEST(Costs, SumsLeaveOutAndCountWhatIsUnknown) {
  CostSum sum;
  EXPECT_EQ(sum.known().flops, 0.0);
  sum.add({kUnknownWork, 1, 2});
  EXPECT_TRUE(std::isnan(sum.known().flops));
  EXPECT_EQ(sum.known().bytes(), 3.0);
  sum.add({10, kUnknownWork, 2}, 3);
  EXPECT_EQ(sum.known().flops, 30.0);
  EXPECT_EQ(sum.known().bytes(), 3.0);
  EXPECT_EQ(sum.without_flops(), 1);
  EXPECT_EQ(sum.without_bytes(), 1);
}

}  // namespace
}  // namespace nongemm
