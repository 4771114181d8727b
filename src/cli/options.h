// Options that several subcommands take, declared once.
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "models/registry.h"
#include "study/point.h"

namespace nongemm::cli {

/// A number from `least` to `most`: CLI11's own range lets NaN through.
CLI::Validator number_from(double least, double most);

/// The values a sweep goes through; every list has at least one element after parsing.
struct SweepOptions {
  std::vector<std::string> models;
  std::vector<std::string> flows{"torch"};
  std::vector<std::string> devices{"cpu"};
  std::vector<std::int64_t> batches;  // 1 when none is given
  std::vector<std::int64_t> sequences;
  std::vector<std::string> dtypes;  // fp32 when none is given
  std::vector<std::string> attentions;
  std::vector<std::string> inputs;
  std::string image_size;
  std::optional<std::int64_t> detections;
  std::string by = "module";
  std::string groups;
  bool attention_as_nongemm = false;
  std::uint64_t seed = 0;
};

/// --batch, --seq-len, --dtype, --attention, --image-size, ...: what a model's graph is built for.
void add_model_options(CLI::App& command, SweepOptions& options);
/// The same after MODEL..., and --by and --attention-as-nongemm: how their operators are counted.
void add_graph_options(CLI::App& command, SweepOptions& options);

/// How operators are counted: --by, --attention-as-nongemm and --groups.
AnalysisOptions analysis_of(const SweepOptions& options);

/// The cross product, in the order models, flows, devices, dtypes, attentions, sequences, batches.
/// Throws Error(kUsage) for values that do not exist; unknown models are named before anything runs.
std::vector<PointSpec> points_of(const SweepOptions& options);

/// --set FLOW.NAME=VALUE, repeatable: settings that one flow has.
void add_settings_option(CLI::App& command, std::vector<std::string>& texts);
/// By name, as RunOptions has them. Throws Error(kUsage) for what is no setting; the flow knows which names there are.
std::map<std::string, std::string> read_settings(const std::vector<std::string>& texts);

/// --output, --format and --report.
struct OutputOptions {
  std::string folder;
  std::vector<std::string> formats;
  std::vector<std::string> reports;
};
void add_output_options(CLI::App& command, OutputOptions& options);
/// Before a long run: unknown formats and folders that cannot be written to are named now.
void check_output(const OutputOptions& options);
/// folder/report.EXTENSION, whole or not at all; gives its path.
std::string write_report_file(const Document& document, const std::string& folder, const Writer& writer);
/// What is done of a sweep is on disk while the rest runs: report.json is written again and again. A long sweep's
/// report takes a while to write, so that this is done seldom enough not to matter.
class Checkpoints {
 public:
  explicit Checkpoints(std::string folder) : folder_(std::move(folder)) {}  // none when it is empty

  void add(const Document& document);

 private:
  std::string folder_;
  std::int64_t next_ns_ = 0;
};

/// Files into the folder, or to standard output.
void write_output(const Document& document, const OutputOptions& options, const std::string& default_format);

/// Success when every point is ok or unsupported and at least one is ok.
int exit_code_of(const Document& document);

/// Context of a report made by this command line.
std::vector<std::pair<std::string, std::string>> make_context();

}  // namespace nongemm::cli
