#include "passes/tensor_parallel/plan.h"

#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/file.h"

namespace nongemm::passes {
namespace {

using Row = std::pair<std::string_view, Cut>;
using Rows = std::span<const Row>;

/// base_model_tp_plan of llama and those after it (transformers 5.17); a router stays whole.
constexpr auto kDecoder = std::to_array<Row>({
    {"layers.*.self_attn.q_proj", Cut::kColumns},
    {"layers.*.self_attn.k_proj", Cut::kColumns},
    {"layers.*.self_attn.v_proj", Cut::kColumns},
    {"layers.*.self_attn.o_proj", Cut::kRows},
    {"layers.*.mlp.gate_proj", Cut::kColumns},
    {"layers.*.mlp.up_proj", Cut::kColumns},
    {"layers.*.mlp.down_proj", Cut::kRows},
    {"layers.*.mlp.experts.gate_up_proj", Cut::kColumns},
    {"layers.*.mlp.experts.down_proj", Cut::kRows},
    {"lm_head", Cut::kGathered},
});

/// transformers gathers what the fused projections give, since it does not cut them by their pieces; here they are.
constexpr auto kPhi3 = std::to_array<Row>({
    {"layers.*.self_attn.qkv_proj", Cut::kColumns},
    {"layers.*.self_attn.o_proj", Cut::kRows},
    {"layers.*.mlp.gate_up_proj", Cut::kColumns},
    {"layers.*.mlp.down_proj", Cut::kRows},
    {"lm_head", Cut::kGathered},
});

/// Those below have none in transformers; cut alike.
constexpr auto kGpt2 = std::to_array<Row>({
    {"h.*.attn.c_attn", Cut::kColumns},
    {"h.*.attn.c_proj", Cut::kRows},
    {"h.*.mlp.c_fc", Cut::kColumns},
    {"h.*.mlp.c_proj", Cut::kRows},
    {"lm_head", Cut::kGathered},
});

constexpr auto kBert = std::to_array<Row>({
    {"layer.*.attention.self.query", Cut::kColumns},
    {"layer.*.attention.self.key", Cut::kColumns},
    {"layer.*.attention.self.value", Cut::kColumns},
    {"layer.*.attention.output.dense", Cut::kRows},
    {"layer.*.intermediate.dense", Cut::kColumns},
    {"layer.*.output.dense", Cut::kRows},
    {"predictions.decoder", Cut::kGathered},
    {"lm_head.decoder", Cut::kGathered},
});

constexpr auto kT5 = std::to_array<Row>({
    {"SelfAttention.q", Cut::kColumns},
    {"SelfAttention.k", Cut::kColumns},
    {"SelfAttention.v", Cut::kColumns},
    {"SelfAttention.o", Cut::kRows},
    {"EncDecAttention.q", Cut::kColumns},
    {"EncDecAttention.k", Cut::kColumns},
    {"EncDecAttention.v", Cut::kColumns},
    {"EncDecAttention.o", Cut::kRows},
    {"DenseReluDense.wi", Cut::kColumns},
    {"DenseReluDense.wi_0", Cut::kColumns},
    {"DenseReluDense.wi_1", Cut::kColumns},
    {"DenseReluDense.wo", Cut::kRows},
    {"lm_head", Cut::kGathered},
});

constexpr auto kClip = std::to_array<Row>({
    {"layers.*.self_attn.q_proj", Cut::kColumns},
    {"layers.*.self_attn.k_proj", Cut::kColumns},
    {"layers.*.self_attn.v_proj", Cut::kColumns},
    {"layers.*.self_attn.out_proj", Cut::kRows},
    {"layers.*.mlp.fc1", Cut::kColumns},
    {"layers.*.mlp.fc2", Cut::kRows},
});

constexpr auto kWhisper = std::to_array<Row>({
    {"self_attn.q_proj", Cut::kColumns},
    {"self_attn.k_proj", Cut::kColumns},
    {"self_attn.v_proj", Cut::kColumns},
    {"self_attn.out_proj", Cut::kRows},
    {"encoder_attn.q_proj", Cut::kColumns},
    {"encoder_attn.k_proj", Cut::kColumns},
    {"encoder_attn.v_proj", Cut::kColumns},
    {"encoder_attn.out_proj", Cut::kRows},
    {"layers.*.fc1", Cut::kColumns},
    {"layers.*.fc2", Cut::kRows},
    {"proj_out", Cut::kGathered},
});

constexpr auto kVit = std::to_array<Row>({
    {"layers.*.attention.q_proj", Cut::kColumns},
    {"layers.*.attention.k_proj", Cut::kColumns},
    {"layers.*.attention.v_proj", Cut::kColumns},
    {"layers.*.attention.o_proj", Cut::kRows},
    {"layers.*.mlp.fc1", Cut::kColumns},
    {"layers.*.mlp.fc2", Cut::kRows},
});

struct Architecture {
  std::string_view model_type;
  Rows rows;
};

constexpr std::array kArchitectures = std::to_array<Architecture>({
    {"llama", kDecoder},
    {"mistral", kDecoder},
    {"qwen2", kDecoder},
    {"qwen3", kDecoder},
    {"gemma2", kDecoder},
    {"gemma3_text", kDecoder},
    {"mixtral", kDecoder},
    {"qwen3_moe", kDecoder},
    {"phi3", kPhi3},
    {"gpt2", kGpt2},
    {"bert", kBert},
    {"roberta", kBert},
    {"xlm-roberta", kBert},
    {"electra", kBert},
    {"t5", kT5},
    {"clip_vision_model", kClip},
    {"siglip_vision_model", kClip},
    {"whisper", kWhisper},
    {"vit", kVit},
});

/// Names of transformers' plans. Those that replicate, or tell of gradients and of modules around experts, cut nothing.
constexpr std::array kCuts = std::to_array<std::pair<std::string_view, Cut>>({
    {"colwise", Cut::kColumns},
    {"packed_colwise", Cut::kColumns},
    {"rowwise", Cut::kRows},
    {"packed_rowwise", Cut::kRows},
    {"rowwise_split_input", Cut::kRows},
    {"colwise_gather_output", Cut::kGathered},
    {"colwise_rep", Cut::kGathered},
    {"replicated", Cut::kWhole},
    {"replicated_with_grad_allreduce", Cut::kWhole},
    {"moe_tp_experts", Cut::kWhole},
});

/// The name at the end of a path, which it is taken from.
std::string_view take_last(std::string_view& path) {
  const std::size_t dot = path.rfind('.');
  const std::string_view last = dot == std::string_view::npos ? path : path.substr(dot + 1);
  path = dot == std::string_view::npos ? std::string_view() : path.substr(0, dot);
  return last;
}

bool ends_with_pattern(std::string_view path, std::string_view pattern) {
  while (!pattern.empty()) {
    if (path.empty()) return false;
    const std::string_view wanted = take_last(pattern);
    const std::string_view found = take_last(path);
    if (wanted != "*" && wanted != found) return false;
  }
  return true;
}

Cut read_cut(const std::string& file, const std::string& module, const std::optional<std::string>& name) {
  for (const auto& [known, cut] : kCuts) {
    if (name == known) return cut;
  }
  std::string names;
  for (const auto& [known, cut] : kCuts) names += (names.empty() ? "" : ", ") + std::string(known);
  throw Error(ErrorKind::kBadInput, file + ": '" + module + "' is cut as '" + name.value_or("(no text)") + "'",
              "a module is cut as one of: " + names);
}

}  // namespace

const PlanRow* ParallelPlan::find(std::string_view module) const {
  const auto row =
      std::find_if(rows.begin(), rows.end(), [&](const PlanRow& one) { return ends_with_pattern(module, one.module); });
  return row != rows.end() ? &*row : nullptr;
}

std::vector<std::string> planned_architectures() {
  std::vector<std::string> names;
  for (const Architecture& architecture : kArchitectures) names.emplace_back(architecture.model_type);
  return names;
}

ParallelPlan plan_of(std::string_view architecture) {
  for (const Architecture& known : kArchitectures) {
    if (known.model_type != architecture) continue;
    ParallelPlan plan{std::string(architecture), {}};
    for (const auto& [module, cut] : known.rows) plan.rows.push_back({std::string(module), cut});
    return plan;
  }
  std::string names;
  for (const std::string& name : planned_architectures()) names += (names.empty() ? "" : ", ") + name;
  throw Error(ErrorKind::kUnsupported,
              (architecture.empty() ? "a model's file" : "'" + std::string(architecture) + "'") +
                  " has no plan for several ranks",
              "say which modules are cut: --tensor-parallel-plan FILE; built in are " + names);
}

ParallelPlan read_plan_file(const std::string& path) {
  ParallelPlan plan{path, {}};
  try {
    const toml::table file = toml::parse(read_file(path, 1U << 20), path);
    const toml::table* rows = file["plan"].as_table();
    if (rows == nullptr || rows->empty()) {
      throw Error(ErrorKind::kBadInput, path + " has no table [plan]",
                  "its rows are: \"layers.*.mlp.up\" = \"colwise\"");
    }
    for (const auto& [key, cut] : *rows) {
      const std::string_view text = key;  // toml++ 2 gives strings
      const std::string name(text);
      plan.rows.push_back({name, read_cut(path, name, cut.value<std::string>())});
    }
  } catch (const toml::parse_error& error) {
    throw Error(ErrorKind::kBadInput,
                path + ", line " + std::to_string(error.source().begin.line) + ": " + std::string(error.description()));
  }
  return plan;
}

}  // namespace nongemm::passes
