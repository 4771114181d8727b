// Options that say what becomes of what was found; no part of a point.
#include "spec/option_rows.h"

namespace nongemm::option_rows {
namespace {

constexpr unsigned kReporting = kRun | kOp | kInspect | kReport | kAnalyze | kCompare | kStudy;

OptionInfo of_output(OptionInfo info, unsigned commands) {
  info.section = OptionSection::kOutput;
  info.commands = commands;
  info.role = OptionRole::kOutput;
  return info;
}

void add_engine_files(std::vector<Option>& rows) {
  const auto file = [](OptionInfo info) {
    info.value = "FILE";
    info.section = OptionSection::kSubject;
    info.commands = kAnalyze;
    info.role = OptionRole::kOutput;
    return info;
  };
  rows.push_back(text(
      file({.name = "trace",
            .doc = "traces of torch.profiler, ONNX Runtime or Nsight Systems (nsys export --type sqlite), "
                   "compressed (.gz) or not; several are ranks of one job",
            .repeatable = true,
            .positional = true}),
      [](auto& r) -> auto& { return r.analyzed.files; }));
  OptionInfo limits =
      file({.name = "limits",
            .doc = "hold operators of a trace with shapes against what a device reaches: a report.json of a "
                   "run on it, or a device here whose limits are kept (cuda, cpu)"});
  limits.section = OptionSection::kCounting;
  limits.value = "FILE|DEVICE";
  rows.push_back(text(
      std::move(limits), [](auto& r) -> auto& { return r.analyzed.limits; }));
  rows.push_back(text(
      file({.name = "tensorrt", .doc = "layer times: trtexec --exportProfile=FILE"}),
      [](auto& r) -> auto& { return r.engine.profile; }));
  rows.push_back(text(
      file({.name = "layers", .doc = "layers: trtexec --exportLayerInfo=FILE --profilingVerbosity=detailed"}),
      [](auto& r) -> auto& { return r.engine.layers; }));
  rows.push_back(text(
      file({.name = "times", .doc = "inference times: trtexec --exportTimes=FILE"}),
      [](auto& r) -> auto& { return r.engine.times; }));
}

void add_onnx_and_verify(std::vector<Option>& rows) {
  rows.push_back(integer(of_output({.name = "opset", .value = "N", .doc = "of ONNX"}, kExport),
                         [](auto& r) -> auto& { return r.exported.opset; }, {13, 20}));
  rows.push_back(flag(
      of_output({.name = "simplify",
                 .doc = "compute now what depends on weights alone, leave out transposes that undo "
                        "each other"},
                kExport),
      [](auto& r) -> auto& { return r.exported.simplify; }));
  rows.push_back(flag(
      of_output({.name = "decompose", .doc = "LayerNormalization, Gelu, ... as the arithmetic they consist of"},
                kExport),
      [](auto& r) -> auto& { return r.exported.decompose; }));
  rows.push_back(text(
      of_output(
          {.name = "against", .value = "FLOW", .doc = "compare models with another flow instead of with references"},
          kVerify),
      [](auto& r) -> auto& { return r.verified.against; }));
  rows.push_back(
      number(of_output({.name = "tolerance",
                        .value = "X",
                        .doc = "largest difference allowed, relative to the output's largest magnitude where "
                               "that is above 1; with --against a bound on the relative rms",
                        .otherwise = "1e-4, boxes in pixels at most a hundred times that; with --against "
                                     "1e-3, in half types 2e-2"},
                       kVerify),
             [](auto& r) -> auto& { return r.verified.tolerance; }, {0, 1e6}));
}

}  // namespace

std::vector<Option> output_rows() {
  std::vector<Option> rows;
  add_engine_files(rows);
  add_onnx_and_verify(rows);
  rows.push_back(text(
      of_output({.name = "output",
                 .value = "FOLDER",
                 .doc = "folder for report.json and the other formats asked for",
                 .otherwise = "standard output"},
                kReporting),
      [](auto& r) -> auto& { return r.output.folder; }));
  rows.push_back(text(
      of_output({.name = "format",
                 .value = "FORMAT",
                 .doc = "table, json, csv, md, html, trace, google-benchmark",
                 .otherwise = "table",
                 .repeatable = true,
                 .commas = true},
                kReporting),
      [](auto& r) -> auto& { return r.output.formats; }));
  rows.push_back(text(
      of_output({.name = "report",
                 .value = "REPORT",
                 .doc = "performance, workload or nongemm: what to print or write; JSON always holds "
                        "everything",
                 .otherwise = "a summary on the terminal, everything in files",
                 .repeatable = true,
                 .commas = true,
                 .choices = {"performance", "workload", "nongemm"}},
                kReporting),
      [](auto& r) -> auto& { return r.output.reports; }));
  OptionInfo keep = of_output({.name = "keep",
                               .value = "PART",
                               .doc = "what a report keeps in full: timeline, up to 100000 records of one inference",
                               .otherwise = "up to 20000 of them",
                               .repeatable = true,
                               .commas = true,
                               .choices = {"timeline"}},
                              kRun | kAnalyze);
  keep.role = OptionRole::kHow;
  rows.push_back(text(
      std::move(keep), [](auto& r) -> auto& { return r.run.keep; }));
  rows.push_back(flag(
      of_output({.name = "details", .doc = "everything, not cut to the screen; of a sweep every point by itself"},
                kRun | kReport | kCompare | kInspect | kAnalyze | kOp | kStudy),
      [](auto& r) -> auto& { return r.output.details; }));
  rows.push_back(flag(
      of_output({.name = "list",
                 .doc = "print the commands of all points (of run and study with their keys), and run nothing"},
                kRun | kOp | kStudy),
      [](auto& r) -> auto& { return r.print_commands; }));
  rows.push_back(flag(
      of_output({.name = "stream", .doc = "print the operators in order as JSON lines"}, kInspect),
      [](auto& r) -> auto& { return r.print_stream; }));
  rows.push_back(flag(
      of_output({.name = "graph", .doc = "print the whole graph as JSON; of several points each on a line"}, kInspect),
      [](auto& r) -> auto& { return r.print_graph; }));
  return rows;
}

}  // namespace nongemm::option_rows
