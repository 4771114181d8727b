// Options that say how a model or an operator is run, measured and counted.
#include "spec/measuring_rules.h"
#include "spec/option_rows.h"

namespace nongemm::option_rows {
namespace {

constexpr unsigned kMeasure = kRun | kOp | kStudy;
constexpr unsigned kExecute = kRun | kOp | kVerify;
constexpr unsigned kCount = kRun | kInspect | kAnalyze;

Option device_row(const std::string& doc, unsigned commands, const std::string& title = "") {
  return custom(
      {.name = "device",
       .value = "DEVICE",
       .doc = doc,
       .title = title,
       .section = OptionSection::kRun,
       .commands = commands,
       .shown = OptionShown::kAlways,
       .swept = true,
       .commas = true},
      [](Request& request, const std::string& text) {
        request.run.runtime.device = parse_device(text);
        request.run.options.device = request.run.runtime.device.kind;
      },
      [](const Request& request) { return std::vector{to_string(request.run.runtime.device)}; });
}

void add_where(const std::vector<std::string>& flows, std::vector<Option>& rows) {
  rows.push_back(text(
      {.name = "flow",
       .value = "FLOW",
       .doc = "deployment flows (nongemm list flows)",
       .commands = kExecute,
       .shown = OptionShown::kAlways,
       .swept = true,
       .commas = true,
       .choices = flows},
      [](auto& r) -> auto& { return r.run.flow; }));
  rows.push_back(device_row("cpu, cuda or cuda:N", kExecute));
  rows.push_back(device_row("cuda or cpu: whose operators, where the original chooses them by device (R-CNN)", kInspect,
                            "operators as on"));
  rows.push_back(integer(
      {.name = "threads",
       .value = "N",
       .doc = "threads inside an operator",
       .otherwise = "the runtime's own",
       .commands = kMeasure,
       .shown = OptionShown::kWhenGiven},
      [](auto& r) -> auto& { return r.run.runtime.threads; }, {1, 4096}, /*absent=*/0));
  rows.push_back(choice({.name = "tf32",
                         .value = "MODE",
                         .doc = "TF32 for fp32 products and convolutions on CUDA: off, on, or the runtime's default "
                                "(PyTorch: convolutions alone)",
                         .commands = kMeasure,
                         .shown = OptionShown::kWhenGiven},
                        [](auto& r) -> auto& { return r.run.runtime.tf32; },
                        {{"default", Tf32::kDefault}, {"off", Tf32::kOff}, {"on", Tf32::kOn}}));
  rows.push_back(text(
      {.name = "load-library",
       .value = "FILE",
       .doc = "a library with operators of your own, for PyTorch or ONNX Runtime",
       .commands = kExecute,
       .repeatable = true},
      [](auto& r) -> auto& { return r.run.runtime.libraries; }));
}

void add_inputs(std::vector<Option>& rows) {
  rows.push_back(text(
      {.name = "data",
       .value = "PATH",
       .doc = "your own inputs: a folder of images (ImageNet, COCO) or text",
       .otherwise = "synthetic inputs"},
      [](auto& r) -> auto& { return r.run.data; }));
  rows.push_back(text(
      {.name = "inputs",
       .value = "FILE",
       .doc = "prepared inputs by name: a .safetensors file; they decide batch and length",
       .commands = kRun | kExport},
      [](auto& r) -> auto& { return r.run.inputs; }));
  rows.push_back(flag(
      {.name = "cuda-graph", .doc = "also replay the model as a CUDA graph (static shapes)"},
      [](auto& r) -> auto& { return r.run.replay; }));
  rows.push_back(flag(
      {.name = "check", .doc = "compare each flow's outputs with those of the torch flow"},
      [](auto& r) -> auto& { return r.run.check; }));
}

Option rule_row(const std::string& name, const std::string& doc, const std::vector<RuleInfo>& rules,
                RuleChoice MeasurePolicy::*rule) {
  return custom(
      {.name = name,
       .value = "RULE",
       .doc = doc + ": " + describe(rules),
       .section = OptionSection::kMeasuring,
       .commands = kMeasure},
      [&rules, rule](Request& request, const std::string& text) { request.run.policy.*rule = parse_rule(rules, text); },
      [rule](const Request& request) { return std::vector{to_text(request.run.policy.*rule)}; });
}

void add_measuring(std::vector<Option>& rows) {
  rows.push_back(rule_row("stop", "what ends a pass, with parameters: --stop interval,width=0.01", stopping_rules(),
                          &MeasurePolicy::stop));
  rows.push_back(rule_row("warm-up", "what ends warm-up", warm_up_rules(), &MeasurePolicy::warm_up));
  rows.push_back(integer({.name = "iterations",
                          .value = "N",
                          .doc = "exactly so many: short for --stop count,n=N",
                          .otherwise = "until the median is known",
                          .section = OptionSection::kMeasuring,
                          .commands = kMeasure},
                         [](auto& r) -> auto& { return r.run.policy.iterations; }, {1, 1'000'000}));
  rows.push_back(integer({.name = "warmup",
                          .value = "N",
                          .doc = "exactly so many: short for --warm-up count,n=N",
                          .otherwise = "until times have settled",
                          .section = OptionSection::kMeasuring,
                          .commands = kMeasure},
                         [](auto& r) -> auto& { return r.run.policy.warmup; }, {0, 1'000'000}));
  rows.push_back(number({.name = "max-seconds",
                         .value = "S",
                         .doc = "the most that a pass measures, in seconds",
                         .section = OptionSection::kMeasuring,
                         .commands = kMeasure},
                        [](auto& r) -> auto& { return r.run.policy.most_seconds; }, {0.01, 86400.0}));
  rows.push_back(flag(
      {.name = "no-limits",
       .doc = "do not measure the device's limits (the what-if table needs them)",
       .section = OptionSection::kMeasuring,
       .commands = kMeasure},
      [](auto& r) -> auto& { return r.run.limits; }, /*when_given=*/false));
  rows.push_back(flag(
      {.name = "remeasure-limits",
       .doc = "measure the device's limits again; a host's are kept from its first run on",
       .section = OptionSection::kMeasuring,
       .commands = kMeasure,
       .role = OptionRole::kHow},
      [](auto& r) -> auto& { return r.run.fresh_limits; }));
}

void add_counting(std::vector<Option>& rows) {
  rows.push_back(choice({.name = "by",
                         .value = "WHAT",
                         .doc = "module: operators inside LlamaRMSNorm, NewGELUActivation, ... count to that module's "
                                "group; operator: each by itself",
                         .section = OptionSection::kCounting,
                         .commands = kCount,
                         .shown = OptionShown::kWhenGiven},
                        [](auto& r) -> auto& { return r.run.counting.by_module; },
                        {{"module", true}, {"operator", false}}));
  rows.push_back(text(
      {.name = "groups",
       .value = "FILE",
       .doc = "groups of your own: a TOML file (docs/groups.md)",
       .section = OptionSection::kCounting,
       .commands = kCount,
       .shown = OptionShown::kWhenGiven},
      [](auto& r) -> auto& { return r.run.counting.groups; }));
  rows.push_back(flag(
      {.name = "attention-as-nongemm",
       .doc = "do not count fused attention with GEMM",
       .section = OptionSection::kCounting,
       .commands = kCount,
       .shown = OptionShown::kWhenGiven},
      [](auto& r) -> auto& { return r.run.counting.attention_is_gemm; }, /*when_given=*/false));
}

}  // namespace

std::vector<Option> run_rows(const std::vector<std::string>& flows) {
  std::vector<Option> rows;
  add_where(flows, rows);
  add_inputs(rows);
  add_measuring(rows);
  add_counting(rows);
  return rows;
}

}  // namespace nongemm::option_rows
