// Options of `nongemm op`: which operators, with what.
#include "spec/option_rows.h"

namespace nongemm::option_rows {
namespace {

OptionInfo of_operators(OptionInfo info) {
  info.section = OptionSection::kOperator;
  info.commands = kOp;
  return info;
}

}  // namespace

std::vector<Option> operator_rows() {
  std::vector<Option> rows;
  rows.push_back(text(
      of_operators({.name = "operator",
                    .value = "NAME",
                    .doc = "operators: layer_norm, aten::add.Tensor, ... (nongemm list ops)",
                    .repeatable = true,
                    .positional = true}),
      [](auto& r) -> auto& { return r.run.op.names; }));
  rows.push_back(text(
      of_operators({.name = "preset",
                    .value = "NAME",
                    .doc = "the non-GEMM operators of all models (all), of one model, or all operators "
                           "of a group"}),
      [](auto& r) -> auto& { return r.run.op.preset; }));
  rows.push_back(text(
      of_operators({.name = "from",
                    .value = "FILE",
                    .doc = "a report.json, or a graph (nongemm inspect --graph): its operators one by one"}),
      [](auto& r) -> auto& { return r.run.op.from; }));
  rows.push_back(text(
      of_operators({.name = "shape",
                    .value = "SHAPE",
                    .doc = "operand shapes, sweeps too: 1x{128..8192*2}x4096, weight=4096",
                    .repeatable = true}),
      [](auto& r) -> auto& { return r.run.op.shapes; }));
  rows.push_back(text(
      of_operators({.name = "dtype",
                    .value = "TYPE",
                    .doc = "fp32, fp16, bf16, ...; mask=bool for one operand",
                    .otherwise = "fp32",
                    .repeatable = true,
                    .commas = true}),
      [](auto& r) -> auto& { return r.run.op.dtypes; }));
  rows.push_back(text(
      of_operators({.name = "layout",
                    .value = "LAYOUT",
                    .doc = "contiguous, channels-last, transposed or strides; weight=transposed",
                    .otherwise = "contiguous",
                    .repeatable = true,
                    .commas = true}),
      [](auto& r) -> auto& { return r.run.op.layouts; }));
  rows.push_back(text(
      of_operators({.name = "values",
                    .value = "KIND",
                    .doc = "normal, uniform, zeros or ones; other=ones",
                    .otherwise = "as the operator needs them",
                    .repeatable = true,
                    .commas = true}),
      [](auto& r) -> auto& { return r.run.op.values; }));
  rows.push_back(text(
      of_operators({.name = "arg",
                    .value = "NAME=VALUE",
                    .doc = "another argument of the operator: dim=-1",
                    .otherwise = "the operator's default",
                    .repeatable = true}),
      [](auto& r) -> auto& { return r.run.op.arguments; }));
  rows.push_back(choice(of_operators({.name = "cache",
                                      .value = "STATE",
                                      .doc = "hot; cold: caches written over before each call",
                                      .shown = OptionShown::kAlways,
                                      .swept = true,
                                      .commas = true}),
                        [](auto& r) -> auto& { return r.run.op.cold; }, {{"hot", false}, {"cold", true}}));
  return rows;
}

}  // namespace nongemm::option_rows
