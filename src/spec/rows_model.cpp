// Options that say which model is built, and for what.
#include <array>
#include <sstream>

#include "base/error.h"
#include "base/text.h"
#include "spec/option_rows.h"

namespace nongemm::option_rows {
namespace {

constexpr unsigned kBuild = kRun | kInspect | kExport | kAnalyze;

/// A model file has a batch and types of its own.
bool decides_by_itself(const RunSpec& run) { return run.model.ends_with(".pt2") || run.model.ends_with(".onnx"); }

DType read_model_dtype(const std::string& text) {
  const std::optional<DType> dtype = parse_dtype(text);
  if (!dtype || !is_floating(*dtype) || *dtype == DType::kFloat64) {
    throw Error(ErrorKind::kUsage, "unknown dtype '" + text + "'", did_you_mean(text, {"fp32", "fp16", "bf16"}));
  }
  return *dtype;
}

/// "224" or "800x1088" (height x width).
std::pair<std::int64_t, std::int64_t> read_image_size(const std::string& text) {
  std::int64_t height = 0;
  std::int64_t width = 0;
  char cross = 0;
  std::istringstream stream(text);
  constexpr std::int64_t kMost = 1'000'000;
  const auto in_range = [&](std::int64_t size) {
    if (size >= 1 && size <= kMost) return size;
    throw Error(ErrorKind::kUsage, "image size '" + text + "' is not in range 1 to 1,000,000 pixels a side",
                "write 224 or 800x1088 (height x width)");
  };
  // Numbers that are too large for any type are read as the largest.
  if ((stream >> height || height != 0) && stream.eof()) return {in_range(height), in_range(height)};
  stream.clear();
  stream.seekg(0);
  if (stream >> height >> cross && cross == 'x' && (stream >> width || width != 0) && stream.peek() == EOF) {
    return {in_range(height), in_range(width)};
  }
  throw Error(ErrorKind::kUsage, "image size '" + text + "' is not understood",
              "write 224 or 800x1088 (height x width)");
}

Option model_row(OptionInfo info, unsigned commands, bool several) {
  info.value = "MODEL";
  info.section = OptionSection::kSubject;
  info.commands = commands;
  info.swept = several;
  info.shown = OptionShown::kAlways;
  return text(
      std::move(info), [](auto& r) -> auto& { return r.run.model; });
}

Option dtype_row() {
  return custom(
      {.name = "dtype",
       .value = "TYPE",
       .doc = "fp32, fp16 or bf16",
       .otherwise = "fp32; a file's own for .pt2 and .onnx",
       .section = OptionSection::kModel,
       .commands = kBuild | kVerify | kStudy,
       .shown = OptionShown::kAlways,
       .swept = true,
       .commas = true},
      [](Request& request, const std::string& text) {
        request.run.options.dtype = read_model_dtype(text);
        request.run.options.dtype_given = true;
      },
      [](const Request& request) -> std::vector<std::string> {
        const ModelOptions& options = request.run.options;
        if (decides_by_itself(request.run) && !options.dtype_given) return {};
        return {std::string(short_name_of(options.dtype))};
      });
}

Option image_size_row() {
  return custom(
      {.name = "image-size",
       .value = "N|HxW",
       .doc = "input pixels, 224 or 800x1088 (vision models)",
       .otherwise = "the model's own",
       .section = OptionSection::kModel,
       .commands = kBuild,
       .shown = OptionShown::kWhenGiven,
       .swept = true,
       .commas = true},
      [](Request& request, const std::string& text) {
        const auto [height, width] = read_image_size(text);
        request.run.options.height = height;
        request.run.options.width = width;
      },
      [](const Request& request) -> std::vector<std::string> {
        const ModelOptions& options = request.run.options;
        if (!options.height || !options.width) return {};
        return {std::to_string(*options.height) + "x" + std::to_string(*options.width)};
      });
}

Option batch_row() {
  Option option = custom({.name = "batch",
                          .value = "N",
                          .doc = "samples per inference",
                          .otherwise = "1; a file's own for .pt2 and .onnx",
                          .section = OptionSection::kModel,
                          .commands = kBuild | kStudy,
                          .shown = OptionShown::kAlways,
                          .swept = true,
                          .commas = true},
                         {}, [](const Request& request) -> std::vector<std::string> {
                           const ModelOptions& options = request.run.options;
                           if (decides_by_itself(request.run) && !options.batch_given) return {};
                           return {std::to_string(options.batch)};
                         });
  option.type = OptionType::kInteger;
  option.set = [option](Request& request, const std::string& text) {
    request.run.options.batch = read_integer(option, text, {1, 1'000'000'000});
    request.run.options.batch_given = true;
  };
  return option;
}

Option fuse_row() {
  return choice({.name = "fuse",
                 .value = "KIND",
                 .doc = "several operators in one kernel of ours: norm, frozen, rotary, gate, gelu or all "
                        "(docs/fuse.md); none beside others",
                 .section = OptionSection::kModel,
                 .commands = kRun | kInspect | kVerify,
                 .shown = OptionShown::kWhenGiven,
                 .swept = true,
                 .commas = true},
                [](auto& r) -> auto& { return r.run.options.fuse; },
                {{"none", FuseKind::kNone},
                 {"norm", FuseKind::kNorm},
                 {"frozen", FuseKind::kFrozenNorm},
                 {"rotary", FuseKind::kRotary},
                 {"gate", FuseKind::kGate},
                 {"gelu", FuseKind::kGelu},
                 {"all", FuseKind::kAll}});
}

/// What a graph is built for.
std::vector<Option> build_rows() {
  std::vector<Option> rows;
  rows.push_back(choice({.name = "attention",
                         .value = "KIND",
                         .doc = "sdpa or eager, where the original has both",
                         .otherwise = "as the original does",
                         .section = OptionSection::kModel,
                         .commands = kBuild | kVerify,
                         .shown = OptionShown::kWhenGiven,
                         .swept = true,
                         .commas = true},
                        [](auto& r) -> auto& { return r.run.options.attention; },
                        {{"sdpa", Attention::kSdpa}, {"eager", Attention::kEager}}));
  rows.push_back(choice({.name = "routing",
                         .value = "KIND",
                         .doc = "who gets the tokens in a mixture of experts: model, balanced or skewed",
                         .otherwise = "model: whom the router chooses, arbitrary with synthetic weights",
                         .section = OptionSection::kModel,
                         .commands = kBuild,
                         .shown = OptionShown::kWhenGiven,
                         .swept = true,
                         .commas = true},
                        [](auto& r) -> auto& { return r.run.options.routing; },
                        {{"model", Routing::kModel}, {"balanced", Routing::kBalanced}, {"skewed", Routing::kSkewed}}));
  rows.push_back(fuse_row());
  rows.push_back(
      integer({.name = "outlier-columns",
               .value = "N",
               .doc = "synthetic weights: channels that stand out of every normalization's result, as training "
                      "makes some (trained language models have a handful)",
               .section = OptionSection::kModel,
               .commands = kRun | kExport,
               .shown = OptionShown::kWhenGiven,
               .swept = true,
               .commas = true},
              [](auto& r) -> auto& { return r.run.options.outlier_columns; }, {0, 1'000'000}));
  rows.push_back(integer({.name = "seq-len",
                          .value = "N",
                          .doc = "tokens per sample (language models)",
                          .otherwise = "the model's own",
                          .section = OptionSection::kModel,
                          .commands = kBuild | kStudy,
                          .swept = true,
                          .commas = true},
                         [](auto& r) -> auto& { return r.run.options.sequence; }, {1, 1'000'000'000}));
  rows.push_back(image_size_row());
  rows.push_back(batch_row());
  rows.push_back(integer({.name = "detections",
                          .value = "N",
                          .doc = "boxes kept per image (R-CNN)",
                          .otherwise = "the model's, 100",
                          .section = OptionSection::kModel,
                          .commands = kBuild,
                          .shown = OptionShown::kWhenGiven},
                         [](auto& r) -> auto& { return r.run.options.detections; }, {1, 1'000'000}));
  return rows;
}

/// `op --preset` builds models, too; the points that come of it are operators and say nothing of these.
Option for_presets(Option option) {
  option.doc = "for presets: " + option.doc;
  option.commands = kOp;
  option.shown = OptionShown::kNever;
  return option;
}

Option input_row() {
  return custom(
      {.name = "input",
       .value = "NAME=SHAPE",
       .doc = "shape of an input of a .pt2 or .onnx file or of a diffusion model: x=4x3x224x224",
       .otherwise = "as the file was exported, the model's usual",
       .section = OptionSection::kModel,
       .commands = kBuild,
       .repeatable = true},
      [](Request& request, const std::string& text) {
        request.run.options.inputs.push_back(parse_input_binding(text));
      },
      [](const Request& request) {
        std::vector<std::string> texts;
        for (const InputBinding& input : request.run.options.inputs) texts.push_back(to_string(input));
        return texts;
      });
}

Option seed_row() {
  Option option =
      custom({.name = "seed",
              .value = "N",
              .doc = "of synthetic weights and inputs",
              .section = OptionSection::kModel,
              .commands = kBuild | kOp},
             {}, [](const Request& request) { return std::vector{std::to_string(request.run.runtime.seed)}; });
  option.type = OptionType::kInteger;
  option.set = [option](Request& request, const std::string& text) {
    request.run.runtime.seed = read_seed(option, text);
  };
  return option;
}

}  // namespace

std::vector<Option> subject_rows() {
  std::vector<Option> rows;
  rows.push_back(
      model_row({.name = "model",
                 .doc = "registry names (nongemm list models), folders with a config.json, or .pt2 and .onnx "
                        "files; for run also a plan (.toml)",
                 .positional = true,
                 .required = true},
                kRun | kInspect, /*several=*/true));
  rows.push_back(model_row({.name = "model",
                            .doc = "a registry name, a folder with a config.json, a .pt2 or .onnx file",
                            .positional = true,
                            .required = true},
                           kExport, /*several=*/false));
  rows.push_back(
      model_row({.name = "folder",
                 .doc = "folders with references beside the model, or .pt2 and .onnx files with theirs; with "
                        "--against any model",
                 .positional = true,
                 .required = true},
                kVerify, /*several=*/true));
  rows.back().value = "FOLDER";
  rows.push_back(model_row(
      {.name = "model", .doc = "what the engine was built from: an .onnx file, or a model that `nongemm export` wrote"},
      kAnalyze, /*several=*/false));
  rows.push_back(text(
      {.name = "file",
       .value = "FILE",
       .doc = "what to write: FILE.onnx, whose weights of more than 1 GB go to FILE.onnx.data, or FILE.pt2, a "
              "program of torch.export",
       .section = OptionSection::kSubject,
       .commands = kExport,
       .role = OptionRole::kOutput,
       .positional = true,
       .required = true},
      [](auto& r) -> auto& { return r.exported.file; }));
  rows.push_back(text(
      {.name = "file",
       .value = "FILE",
       .doc = "a report.json, a journal of a sweep, or a folder with some",
       .section = OptionSection::kSubject,
       .commands = kReport,
       .role = OptionRole::kOutput,
       .positional = true,
       .required = true},
      [](auto& r) -> auto& { return r.subject; }));
  rows.push_back(text(
      {.name = "table",
       .value = "WHAT",
       .doc = "models, ops, flows, devices, figures or options; bash, zsh, fish: completions; man: a man page",
       .section = OptionSection::kSubject,
       .commands = kList,
       .role = OptionRole::kOutput,
       .positional = true,
       .required = true,
       .choices = {"models", "ops", "flows", "devices", "figures", "options", "bash", "zsh", "fish", "man"}},
      [](auto& r) -> auto& { return r.subject; }));
  return rows;
}

std::vector<Option> model_rows() {
  std::vector<Option> rows;
  rows.push_back(dtype_row());
  for (const Option& option : build_rows()) {
    rows.push_back(option);
    // What changes weights alone changes no call.
    if ((option.commands & kInspect) != 0) rows.push_back(for_presets(option));
  }
  rows.push_back(input_row());
  rows.push_back(text(
      {.name = "weights",
       .value = "PATH",
       .doc = "checkpoint: a file or a folder",
       .otherwise = "the model folder's own, or synthetic ones",
       .section = OptionSection::kModel,
       .commands = kRun | kExport},
      [](auto& r) -> auto& { return r.run.weights; }));
  rows.push_back(seed_row());
  for (Option& option : quantize_rows()) rows.push_back(std::move(option));
  for (Option& option : parallel_rows()) rows.push_back(std::move(option));
  return rows;
}

}  // namespace nongemm::option_rows
