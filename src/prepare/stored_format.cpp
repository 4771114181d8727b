#include "prepare/stored_format.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

namespace nongemm {
namespace {

using passes::StoredFormat;
using passes::StoredWeights;

/// Groups along a row: -1 is a whole row.
std::int64_t group_of(const Config& config, std::string_view key) {
  const std::int64_t group = config.integer(key);
  if (group == -1) return 0;
  if (group < 1 || group > kMostPositions) config.fail(key, "is no size of a group");
  return group;
}

std::int64_t bits_of(const Config& config, std::string_view key) {
  const std::int64_t bits = config.integer(key);
  if (bits != 4 && bits != 8) config.fail(key, "is " + std::to_string(bits) + "; 4 and 8 bits are built in");
  return bits;
}

QuantizeScheme weight_only(std::int64_t bits) { return bits == 8 ? QuantizeScheme::kW8 : QuantizeScheme::kW4; }

std::vector<std::string> names(const Config& config, std::string_view key) {
  return config.has(key) ? config.texts(key) : std::vector<std::string>();
}

std::optional<StoredWeights> bitsandbytes(const Config& config) {
  if (config.flag("load_in_4bit", false)) {
    config.fail("load_in_4bit", "is not built in: of bitsandbytes LLM.int8 is (load_in_8bit)");
  }
  if (!config.flag("load_in_8bit", false)) return std::nullopt;
  StoredWeights stored{.title = "bitsandbytes, LLM.int8", .scheme = QuantizeScheme::kLlmInt8};
  stored.skip = names(config, "llm_int8_skip_modules");
  stored.threshold = config.number("llm_int8_threshold", 6.0);
  return stored;
}

std::optional<StoredWeights> gptq(const Config& config) {
  if (config.flag("desc_act", false)) {
    config.fail("desc_act", "orders columns by activation, which is not built in: quantize with desc_act=False");
  }
  StoredWeights stored{.title = "GPTQ", .format = StoredFormat::kGptq};
  if (config.text("checkpoint_format", "gptq") == "gptq_v2") stored.format = StoredFormat::kGptqV2;
  stored.bits = bits_of(config, "bits");
  stored.scheme = weight_only(stored.bits);
  stored.group = group_of(config, "group_size");
  if (config.flag("lm_head", false)) stored.skip = {"none"};
  return stored;
}

std::optional<StoredWeights> awq(const Config& config) {
  StoredWeights stored{.title = "AWQ", .format = StoredFormat::kAwq, .scheme = QuantizeScheme::kW4};
  stored.bits = config.has("w_bit") ? bits_of(config, "w_bit") : bits_of(config, "bits");
  if (stored.bits != 4) config.fail("bits", "is not 4, which is what AWQ packs");
  if (config.text("version", "gemm") != "gemm") config.fail("version", "is not gemm, the layout that is built in");
  stored.group = group_of(config, config.has("q_group_size") ? "q_group_size" : "group_size");
  stored.skip = names(config, "modules_to_not_convert");
  return stored;
}

/// How compressed-tensors describes the numbers of weights or of activations.
bool is_number(const Config& config, std::string_view type, std::int64_t bits) {
  return config.text("type", "int") == type && config.integer("num_bits", 8) == bits;
}

/// Scales by token as they come, or one for a layer that was found before. @return whether they are stored
bool has_input_scales(const Config& inputs, std::string_view type) {
  if (!is_number(inputs, type, 8)) inputs.fail("num_bits", "and type are not those of the weights");
  if (!inputs.flag("symmetric", true))
    inputs.fail("symmetric", "is false: zero points of activations are not built in");
  const bool dynamic = inputs.flag("dynamic", false);
  const std::string_view wanted = dynamic ? "token" : "tensor";
  if (inputs.text("strategy", std::string(wanted)) != wanted) {
    inputs.fail("strategy", dynamic ? "is not token, a scale for each row" : "is not tensor, one scale for a layer");
  }
  return !dynamic;
}

/// One scale for each row of a weight, or one for all.
bool by_rows(const Config& weights, const std::string& strategy) {
  if (strategy != "channel" && strategy != "tensor") weights.fail("strategy", "is neither channel nor tensor");
  return strategy == "channel";
}

std::optional<StoredWeights> compressed_tensors(const Config& config) {
  const Config groups = config.object("config_groups");
  if (config.count("config_groups") != 1 || !groups.has("group_0")) {
    config.fail("config_groups", "is not one group, group_0");
  }
  const Config group = groups.object("group_0");
  if (group.texts("targets") != std::vector<std::string>{"Linear"}) group.fail("targets", "are not [\"Linear\"]");
  const Config weights = group.object("weights");
  if (!weights.flag("symmetric", true)) weights.fail("symmetric", "is false, which is not built in");
  const std::string strategy = weights.text("strategy", "tensor");
  StoredWeights stored{.title = "compressed-tensors"};
  stored.skip = names(config, "ignore");
  for (const std::string& name : stored.skip) {
    if (name.starts_with("re:")) config.fail("ignore", "has a pattern, which is not built in: " + name);
  }
  if (stored.skip.empty()) stored.skip = {"none"};
  if (!group.has("input_activations")) {
    if (config.text("format", "") != "pack-quantized") config.fail("format", "is not pack-quantized");
    stored.format = StoredFormat::kPacked;
    stored.bits = bits_of(weights, "num_bits");
    stored.scheme = weight_only(stored.bits);
    if (strategy != "group" && strategy != "channel") weights.fail("strategy", "is neither group nor channel");
    stored.group = strategy == "group" ? group_of(weights, "group_size") : 0;
    return stored;
  }
  const Config inputs = group.object("input_activations");
  if (is_number(weights, "float", 8)) {
    stored.input_scales = has_input_scales(inputs, "float");
    stored.format = by_rows(weights, strategy) ? StoredFormat::kFp8Rows : StoredFormat::kFp8Tensor;
    stored.scheme = QuantizeScheme::kFp8;
  } else if (is_number(weights, "int", 8)) {
    stored.input_scales = has_input_scales(inputs, "int");
    stored.format = by_rows(weights, strategy) ? StoredFormat::kInt8Rows : StoredFormat::kInt8Tensor;
    stored.scheme = QuantizeScheme::kW8a8;
  } else {
    weights.fail("num_bits", "and type are not int or float of 8 bits");
  }
  return stored;
}

struct Method {
  std::string_view name;
  std::optional<StoredWeights> (*read)(const Config&);
};
constexpr std::array kMethods = {
    Method{"bitsandbytes", bitsandbytes},
    Method{"gptq", gptq},
    Method{"awq", awq},
    Method{"compressed-tensors", compressed_tensors},
};

}  // namespace

std::optional<StoredWeights> stored_weights_of(const Config& config) {
  if (config.count("quantization_config") == 0) return std::nullopt;
  const Config wanted = config.object("quantization_config");
  // transformers took it for granted before there were others.
  const std::string name = wanted.text("quant_method", "bitsandbytes");
  std::vector<std::string> known;
  for (const Method& method : kMethods) {
    if (method.name == name) return method.read(wanted);
    known.emplace_back(method.name);
  }
  throw Error(ErrorKind::kBadInput, wanted.origin() + ": the method '" + name + "' is not known",
              did_you_mean(name, known));
}

Config without_quantization(const Config& config) {
  if (!config.has("quantization_config")) return config;
  Json values = config.values();
  values.erase("quantization_config");
  return Config::parse(dump_json(values), config.origin());
}

}  // namespace nongemm
