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
};

struct OutputOptions {
  std::string folder;  // empty: standard output
  std::vector<std::string> formats;
  std::vector<std::string> reports;
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

struct Request {
  RunSpec run = {};
  OutputOptions output = {};
  ExportRequest exported = {};
  VerifyRequest verified = {};
  EngineFiles engine = {};
  std::string subject = {};     // of `list` and `report`
  bool print_commands = false;  // `op --list`
  bool print_stream = false;    // `inspect --stream`
  bool print_graph = false;     // `inspect --graph`
};

/// What stands in `request` where a command line says nothing: a subcommand may have defaults of its own.
Request defaults_of(Command command);

}  // namespace nongemm
