#include "cli/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "base/error.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "cli/command.h"
#include "flows/load.h"
#include "record/machine.h"
#include "report/op_sections.h"

namespace nongemm::cli {
namespace {

DType parse_run_dtype(const std::string& text) {
  const std::optional<DType> dtype = parse_dtype(text);
  if (!dtype || !is_floating(*dtype) || *dtype == DType::kFloat64) {
    throw Error(ErrorKind::kUsage, "unknown dtype '" + text + "'", did_you_mean(text, {"fp32", "fp16", "bf16"}));
  }
  return *dtype;
}

std::vector<ReportKind> reports_of(const OutputOptions& options) {
  constexpr std::array kKinds = {ReportKind::kPerformance, ReportKind::kWorkload, ReportKind::kNongemm};
  std::vector<ReportKind> kinds;
  for (const std::string& name : options.reports) {
    const auto kind = std::find_if(kKinds.begin(), kKinds.end(), [&](ReportKind k) { return name_of(k) == name; });
    if (kind == kKinds.end()) {
      throw Error(ErrorKind::kUsage, "unknown report '" + name + "'",
                  did_you_mean(name, {"performance", "workload", "nongemm"}));
    }
    kinds.push_back(*kind);
  }
  return kinds;
}

Attention parse_attention(const std::string& text) {
  if (text == "sdpa") return Attention::kSdpa;
  if (text == "eager") return Attention::kEager;
  throw Error(ErrorKind::kUsage, "unknown attention '" + text + "'", did_you_mean(text, {"sdpa", "eager"}));
}

/// "224" or "800x1088" (height x width).
std::pair<std::int64_t, std::int64_t> parse_image_size(const std::string& text) {
  std::int64_t height = 0;
  std::int64_t width = 0;
  char cross = 0;
  std::istringstream stream(text);
  if (stream >> height && stream.eof() && height > 0) return {height, height};
  stream.clear();
  stream.seekg(0);
  if (stream >> height >> cross >> width && cross == 'x' && stream.peek() == EOF && height > 0 && width > 0) {
    return {height, width};
  }
  throw Error(ErrorKind::kUsage, "image size '" + text + "' is not understood",
              "write 224 or 800x1088 (height x width)");
}

void check_positive(std::int64_t value, const char* option) {
  if (value < 1) {
    throw Error(ErrorKind::kUsage, fmt::format("{} {} is not possible", option, value), "use 1 or more");
  }
}

std::vector<std::string> known_flow_names() {
  std::vector<std::string> names;
  for (const FlowEntry& entry : known_flows()) names.emplace_back(entry.name);
  return names;
}

void check_flow(const std::string& name) {
  const std::vector<std::string> names = known_flow_names();
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    throw Error(ErrorKind::kUsage, "unknown flow '" + name + "'", did_you_mean(name, names));
  }
}

void check_device(const std::string& name) {
  const bool cuda = name == "cuda" || (name.starts_with("cuda:") && name.size() > 5 &&
                                       name.find_first_not_of("0123456789", 5) == std::string::npos);
  if (name != "cpu" && !cuda) {
    throw Error(ErrorKind::kUsage, "unknown device '" + name + "'", did_you_mean(name, {"cpu", "cuda", "cuda:0"}));
  }
}

}  // namespace

void add_model_options(CLI::App& command, SweepOptions& options) {
  command.add_option("--batch", options.batches, "samples per inference (default: 1, a file's own for .pt2)")
      ->delimiter(',');
  command.add_option("--seq-len", options.sequences, "tokens per sample (language models)")->delimiter(',');
  command.add_option("--image-size", options.image_size, "input pixels, 224 or 800x1088 (vision models)");
  command.add_option("--detections", options.detections, "boxes kept per image (R-CNN; default: the model's, 100)");
  command.add_option("--dtype", options.dtypes, "fp32, fp16 or bf16 (default: fp32, a file's own for .pt2)")
      ->delimiter(',');
  command.add_option("--input", options.inputs, "shape of a .pt2 model's input: x=4x3x224x224 (may be repeated)");
  command.add_option("--attention", options.attentions, "sdpa or eager, where the original has both")->delimiter(',');
  command.add_option("--seed", options.seed, "of synthetic weights and inputs")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
}

void add_graph_options(CLI::App& command, SweepOptions& options) {
  command
      .add_option("MODEL", options.models,
                  "registry names (nongemm list models), folders with a config.json, or .pt2 and .onnx files")
      ->required();
  add_model_options(command, options);
  command
      .add_option("--by", options.by,
                  "module: operators inside LlamaRMSNorm, NewGELUActivation, ... count to that module's group; "
                  "operator: each by itself")
      ->check(CLI::IsMember({"module", "operator"}))
      ->capture_default_str();
  command.add_option("--groups", options.groups, "groups of your own: a TOML file (docs/groups.md)");
  command.add_flag("--attention-as-nongemm", options.attention_as_nongemm, "do not count fused attention with GEMM");
}

CLI::Validator number_from(double least, double most) {
  return {[=](std::string& text) {
            double number = 0;
            if (CLI::detail::lexical_cast(text, number) && number >= least && number <= most) return std::string();
            return fmt::format("Value {} not in range {:g} to {:g}", text, least, most);
          },
          fmt::format("FLOAT in [{:g} - {:g}]", least, most)};
}

AnalysisOptions analysis_of(const SweepOptions& options) {
  AnalysisOptions analysis;
  analysis.by_module = options.by == "module";
  analysis.attention_is_gemm = !options.attention_as_nongemm;
  if (!options.groups.empty()) {
    analysis.rules = std::make_shared<GroupRules>(GroupRules::read_file(options.groups));
  }
  return analysis;
}

std::vector<PointSpec> points_of(const SweepOptions& options) {
  for (const std::string& model : options.models) find_model(model);
  for (const std::string& flow : options.flows) check_flow(flow);
  for (const std::string& device : options.devices) check_device(device);
  for (const std::int64_t batch : options.batches) check_positive(batch, "--batch");
  for (const std::int64_t sequence : options.sequences) check_positive(sequence, "--seq-len");

  PointSpec base;
  for (const std::string& input : options.inputs) base.options.inputs.push_back(parse_input_binding(input));
  base.options.batch_given = !options.batches.empty();
  base.dtype_given = !options.dtypes.empty();
  const std::vector<std::int64_t> batches = base.options.batch_given ? options.batches : std::vector<std::int64_t>{1};
  const std::vector<std::string> dtypes = base.dtype_given ? options.dtypes : std::vector<std::string>{"fp32"};
  base.weights.seed = options.seed;
  base.analysis = analysis_of(options);
  base.groups = options.groups;
  if (!options.image_size.empty()) {
    const auto [height, width] = parse_image_size(options.image_size);
    base.options.height = height;
    base.options.width = width;
  }
  if (options.detections) check_positive(*options.detections, "--detections");
  base.options.detections = options.detections;
  std::vector<Attention> attentions = {Attention::kDefault};
  if (!options.attentions.empty()) {
    attentions.clear();
    for (const std::string& text : options.attentions) attentions.push_back(parse_attention(text));
  }
  std::vector<std::optional<std::int64_t>> sequences(options.sequences.begin(), options.sequences.end());
  if (sequences.empty()) sequences.emplace_back();

  std::vector<PointSpec> points;
  for (const std::string& model : options.models) {
    for (const std::string& flow : options.flows) {
      for (const std::string& device : options.devices) {
        for (const std::string& dtype : dtypes) {
          for (const Attention attention : attentions) {
            for (const auto& sequence : sequences) {
              for (const std::int64_t batch : batches) {
                PointSpec point = base;
                point.model = model;
                point.flow = flow;
                point.device = device;
                point.options.device = device.substr(0, device.find(':'));
                point.options.dtype = parse_run_dtype(dtype);
                point.options.attention = attention;
                point.options.sequence = sequence;
                point.options.batch = batch;
                points.push_back(std::move(point));
              }
            }
          }
        }
      }
    }
  }
  return points;
}

void add_settings_option(CLI::App& command, std::vector<std::string>& texts) {
  command.add_option("--set", texts, "a flow's own setting, FLOW.NAME=VALUE; repeatable")->allow_extra_args(false);
}

std::map<std::string, std::string> read_settings(const std::vector<std::string>& texts) {
  std::vector<std::string> names;
  for (const FlowEntry& flow : known_flows()) {
    for (const std::string_view setting : flow.settings) names.push_back(fmt::format("{}.{}", flow.name, setting));
  }
  std::map<std::string, std::string> settings;
  for (const std::string& text : texts) {
    const std::size_t equals = text.find('=');
    const std::string name = text.substr(0, equals);
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      throw Error(ErrorKind::kUsage, "--set " + text + ": no flow has a setting '" + name + "'",
                  fmt::format("there are {}", fmt::join(names, ", ")));
    }
    if (equals == std::string::npos) {
      throw Error(ErrorKind::kUsage, "--set " + text + " gives no value", "write " + name + "=VALUE");
    }
    settings[name] = text.substr(equals + 1);
  }
  return settings;
}

void add_output_options(CLI::App& command, OutputOptions& options) {
  command.add_option("--output", options.folder, "folder for report.json and the other formats asked for");
  command.add_option("--format", options.formats, "table, json, csv, md, html, google-benchmark")->delimiter(',');
  command
      .add_option("--report", options.reports,
                  "performance, workload, nongemm: what to print or write (default: a summary on the terminal, "
                  "everything in files; JSON always holds everything)")
      ->delimiter(',');
}

void check_output(const OutputOptions& options) {
  for (const std::string& format : options.formats) find_writer(format);
  reports_of(options);
  if (options.folder.empty()) return;
  std::error_code error;
  std::filesystem::create_directories(options.folder, error);
  const std::filesystem::path probe = std::filesystem::path(options.folder) / ".nongemm-probe";
  std::ofstream file(probe);
  if (error || !(file << "x") || !file.flush()) {
    throw Error(ErrorKind::kIo, "output folder '" + options.folder + "' cannot be written to",
                error ? error.message() : "check its permissions and the free space");
  }
  file.close();
  std::filesystem::remove(probe, error);
}

std::string write_report_file(const Document& document, const std::string& folder, const Writer& writer) {
  std::ostringstream text;
  writer.write(document, text);
  const auto path = std::filesystem::path(folder) / ("report" + std::string(writer.extension));
  write_file_atomically(path, text.str());
  return path.string();
}

namespace {

/// What a writer gets to see: everything in JSON, what was asked for elsewhere, a summary on the terminal.
Document part_for(const Document& document, const Writer& writer, const OutputOptions& options) {
  // Formats for programs have every point by itself.
  if (writer.format == "json" || writer.format == "google-benchmark") return document;
  if (writer.format != "csv" && is_sweep_of_calls(document)) return calls_as_rows(document);
  if (!options.reports.empty()) return only(document, reports_of(options));
  return writer.format == "table" ? summary_of(document) : document;
}

}  // namespace

void write_output(const Document& document, const OutputOptions& options, const std::string& default_format) {
  const auto print = [&](const std::string& format) {
    const Writer& writer = find_writer(format);
    writer.write(part_for(document, writer, options), std::cout);
  };
  if (options.folder.empty()) {
    if (options.formats.empty()) print(default_format);
    for (const std::string& format : options.formats) print(format);
    std::cout.flush();
    if (!std::cout) throw Error(ErrorKind::kIo, "standard output cannot be written to");
    return;
  }
  // The JSON report is always among the files: everything else can be made from it.
  std::vector<std::string> formats = {"json"};
  for (const std::string& format : options.formats) {
    if (format != "json") formats.push_back(format);
  }
  for (const std::string& format : formats) {
    const Writer& writer = find_writer(format);
    fmt::print(stderr, "wrote {}\n", write_report_file(part_for(document, writer, options), options.folder, writer));
  }
  print(default_format);
}

void Checkpoints::add(const Document& document) {
  const auto begin = std::chrono::steady_clock::now();
  if (folder_.empty() || begin < next_) return;
  write_report_file(document, folder_, find_writer("json"));
  constexpr int kRarely = 50;  // 2 % of the time
  const auto end = std::chrono::steady_clock::now();
  next_ = end + kRarely * (end - begin);
}

int exit_code_of(const Document& document) {
  if (interrupted()) return kInterrupted;
  const auto has = [&](std::string_view status) {
    return std::any_of(document.points.begin(), document.points.end(),
                       [&](const Point& point) { return point.status == status; });
  };
  const bool only_fine = std::all_of(document.points.begin(), document.points.end(), [](const Point& point) {
    return point.status == "ok" || point.status == "unsupported";
  });
  return only_fine && has("ok") ? kSuccess : kFailure;
}

std::vector<std::pair<std::string, std::string>> make_context() {
  std::vector<std::pair<std::string, std::string>> context = describe_machine();
  std::string command;
  std::ifstream file("/proc/self/cmdline");
  for (std::string word; std::getline(file, word, '\0');) {
    if (command.empty()) word = std::filesystem::path(word).filename().string();
    command += (command.empty() ? "" : " ") + shell_word(word);
  }
  context.emplace_back("command", command);
  return context;
}

}  // namespace nongemm::cli
