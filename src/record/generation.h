// A text generation in time, token by token.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace nongemm {

struct GenerationRecord {
  std::int64_t batch = 0;
  std::int64_t prompt = 0;   // tokens per sample, padding included
  std::int64_t padding = 0;  // of all samples' together
  std::int64_t tokens = 0;   // new ones per sample
  std::string cache;         // "dynamic", "static"
  /// Wall time of each token, the first of them the prompt's pass, by generation. Raw samples, nothing recorded.
  std::vector<std::vector<double>> tokens_s;
  /// The same with the steps after the prompt's replayed; empty without a replay.
  std::vector<std::vector<double>> replayed_s;
  std::string stopping_rule;
  /// The step whose passes the decode phase is, counted from the prompt's as 0; 0 where there is none.
  std::int64_t measured_step = 0;
  /// What that step has to read once: the weights that it multiplies with, and the keys and values before it.
  double weight_bytes = 0;
  double cache_bytes = 0;
  /// What was generated, where a tokenizer is known; else the tokens' numbers. By sample.
  std::vector<std::string> texts;
};

}  // namespace nongemm
