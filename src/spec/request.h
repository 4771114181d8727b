// All that a command line says: what is measured (run_spec.h), and what a subcommand is to do with it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "spec/run_spec.h"

namespace nongemm {

/// The subcommands, as bits: an option says which of them take it.
enum Command : unsigned {
  kRun = 1U << 0,
  kOp = 1U << 1,
  kInspect = 1U << 2,
  kExport = 1U << 3,
  kVerify = 1U << 4,
  kAnalyze = 1U << 5,
  kReport = 1U << 6,
  kList = 1U << 7,
  kCompare = 1U << 8,
  kStudy = 1U << 9,
};

struct OutputOptions {
  std::string folder;  // empty: standard output
  std::vector<std::string> formats;
  std::vector<std::string> reports;
  bool details = false;  // of a sweep: each point by itself, not a row
};

/// How the points of a sweep are gone through.
struct SweepOptions {
  bool resume = false;
  std::string journal;                  // a file; empty: in the output folder
  std::vector<std::string> points;      // keys; empty: all
  bool isolate = false;                 // each point in a process of its own
  int processes = 1;                    // that measure each point; more than one are isolated
  std::optional<double> point_timeout;  // seconds
  std::string launcher;                 // "local:4", "slurm"; empty: none
  std::string slurm_options;            // for sbatch
  int points_per_task = 25;
  int tasks_at_once = 0;  // 0: as many as Slurm likes
};

struct CompareRequest {
  std::vector<std::string> reports;  // base, new
  std::vector<std::string> runs;     // the same as commands
  std::optional<double> fail_above;
  double tolerance = 0.03;
  std::optional<int> processes;
  double budget_s = 600;
};

struct ExportRequest {
  std::string file;
  int opset = 17;
  bool simplify = false;
  bool decompose = false;
};

struct VerifyRequest {
  std::string against;  // a flow, in place of references
  std::optional<double> tolerance;
};

/// Files that trtexec wrote of an engine.
struct EngineFiles {
  std::string profile;  // --exportProfile
  std::string layers;   // --exportLayerInfo
  std::string times;    // --exportTimes; may be empty
};

/// A file of another tool, or several of one job.
struct AnalyzeRequest {
  std::vector<std::string> files = {};
  std::string limits = {};  // what operators are held against: a report with limits, or a device; may be empty
};

/// One of the paper's experiments, on the machine at hand or from what was recorded.
struct StudyRequest {
  std::string name = {};  // or "list"
  bool quick = false;
  std::vector<std::string> from = {};    // reports, journals, folders of journals: nothing is run
  std::string plan = {};                 // points in place of the study's own
  std::vector<std::string> models = {};  // of its plan; empty: all
  std::vector<std::string> flows = {};
  std::vector<std::string> devices = {};
};

struct Request {
  RunSpec run = {};
  OutputOptions output = {};
  SweepOptions sweep = {};
  CompareRequest compared = {};
  ExportRequest exported = {};
  VerifyRequest verified = {};
  EngineFiles engine = {};
  AnalyzeRequest analyzed = {};
  StudyRequest studied = {};
  std::string subject = {};     // of `list` and `report`
  bool print_commands = false;  // `run --list`, `op --list`
  bool print_stream = false;    // `inspect --stream`
  bool print_graph = false;     // `inspect --graph`
};

/// What stands in `request` where a command line says nothing: a subcommand may have defaults of its own.
Request defaults_of(Command command);

}  // namespace nongemm
