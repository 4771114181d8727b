// What is to be measured: one point of a sweep, typed. Every member that a user can set is a row of the option table
// (option_table.h), from which the command line, plans, reports and keys are made.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "spec/measure_policy.h"
#include "spec/model_options.h"
#include "spec/runtime_options.h"

namespace nongemm {

/// Where w8a8 has the scales of activations from.
enum class QuantizeActivations : std::uint8_t {
  kDynamic,  // one for each row, found as it comes
  kStatic,   // one for each layer, found before (calibration), so that runtimes can compile with it
};

/// How operators are counted.
struct Counting {
  /// Operators inside a composite module (LlamaRMSNorm) count to the module's group; otherwise each by itself.
  bool by_module = true;
  bool attention_is_gemm = true;
  std::string groups;  // a file with the user's own groups; may be empty
};

/// What `nongemm op` measures: operators by name, those of a preset, or those of an earlier run. Texts as the user
/// writes them: an operator's schema gives them their meaning.
struct OperatorRequest {
  std::vector<std::string> names;
  std::string preset;
  std::string from;  // a report or a graph
  std::vector<std::string> shapes;
  std::vector<std::string> dtypes;
  std::vector<std::string> layouts;
  std::vector<std::string> values;
  std::vector<std::string> arguments;
  bool cold = false;  // caches are written over before each call
};

/// Text that is generated, in place of one inference.
struct GenerateRequest {
  std::int64_t tokens = 0;             // new ones per sample; 0: nothing is generated
  std::optional<std::int64_t> prompt;  // tokens before them
  /// Of the sample with the fewest, where samples differ; absent: all have as many.
  std::optional<std::int64_t> shortest_prompt;
  /// Absent: the original's default, or what can be replayed where that is asked for.
  std::optional<CacheKind> cache;
  Sampling sampling;
};

struct RunSpec {
  std::string model;  // registry name, folder or file
  std::string flow = "torch";
  ModelOptions options;
  std::string weights;  // a checkpoint; empty: the model's own folder, or synthetic ones
  std::string data;     // the user's own images or text
  std::string inputs;   // prepared ones: a safetensors file
  /// Absent: what the flow can run; TensorRT wants scales that are known.
  std::optional<QuantizeActivations> activations;
  /// Of `data`, how many tokens a decoder's perplexity is taken of, quantized and as it is; 0: of none.
  std::int64_t perplexity_tokens = 4096;
  RuntimeOptions runtime;
  GenerateRequest generate;
  bool replay = false;        // also as a CUDA graph
  bool check = false;         // compare outputs with the torch flow's
  bool limits = true;         // measure the device's limits, once per device
  bool fresh_limits = false;  // measure them even when they are known
  MeasurePolicy policy;
  Counting counting;
  std::vector<std::string> keep;  // what a report holds in full: "timeline"
  OperatorRequest op;
};

/// The flow that walks the graph node by node: what others are compared with, and the one that measures limits.
inline constexpr const char* kBaselineFlow = "torch";

}  // namespace nongemm
