// Checkpoints that were quantized before: bitsandbytes' own, and layers packed here word by word as GPTQ, AWQ and
// compressed-tensors pack them.
#include "passes/stored_weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/elements.h"
#include "base/error.h"
#include "flows/load.h"
#include "ops/builder.h"
#include "ops/check_graph.h"
#include "prepare/stored_format.h"
#include "test_paths.h"
#include "verify/compare_outputs.h"

namespace nongemm {
namespace {

namespace fs = std::filesystem;

using passes::StoredFormat;
using passes::StoredWeights;
using testing::HasSubstr;

const fs::path kFolder = fs::path(NONGEMM_SHARED_DIR) / "fixtures/quantized";

Flow& torch() {
  setenv("NONGEMM_MODULES", NONGEMM_BINARY_DIR "/lib/nongemm", /*overwrite=*/0);
  return load_flow("torch");
}

class StoredModel : public testing::TestWithParam<const char*> {};

TEST_P(StoredModel, GivesTheOriginalsLogits) {
  const fs::path from = kFolder / GetParam();
  const fs::path folder = fs::path(testing::TempDir()) / ("stored_" + std::string(GetParam()));
  fs::create_directories(folder);
  for (const auto& [name, as] :
       {std::pair("config_int8.json", "config.json"), std::pair("model_int8.safetensors", "model.safetensors"),
        std::pair("inputs.safetensors", "inputs.safetensors"),
        std::pair("outputs.safetensors", "outputs.safetensors")}) {
    fs::copy_file(from / name, folder / as, fs::copy_options::overwrite_existing);
  }
  for (const QuantizeWay way : {QuantizeWay::kPublished, QuantizeWay::kDecomposed, QuantizeWay::kFused}) {
    ModelOptions options;
    options.quantize.scheme = QuantizeScheme::kLlmInt8;
    options.quantize.way = way;
    const auto rows = verify_folder(folder, torch(), {}, options);
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].mismatch, "");
    EXPECT_LE(rows[0].rms_relative, 0.02) << static_cast<int>(way);
  }
  ModelOptions other;
  other.quantize.scheme = QuantizeScheme::kW4;
  try {
    build_graph(find_model(folder.string()), other);
    ADD_FAILURE() << "quantized twice";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("is quantized already"));
  }
}

INSTANTIATE_TEST_SUITE_P(Bitsandbytes, StoredModel, testing::Values("llama_int8", "gpt2_int8"),
                         [](const auto& info) { return std::string(info.param); });

// --- layers packed here ---
constexpr std::int64_t kRows = 3;
constexpr std::int64_t kIn = 64;
constexpr std::int64_t kOut = 16;
constexpr std::int64_t kGroup = 32;
constexpr std::int64_t kGroups = kIn / kGroup;

std::int64_t at_random(std::int64_t i, std::int64_t below) { return (i * i * 31 + i * 7 + 3) % 1009 % below; }

/// What a layer's weight is: (level - zero) * scale.
struct Levels {
  std::int64_t bits = 4;
  std::vector<std::int64_t> levels;  // [out, in]
  std::vector<std::int64_t> zeros;   // [out, groups]
  std::vector<double> scales;        // [out, groups]

  explicit Levels(std::int64_t bits_of_level, bool own_zeros) : bits(bits_of_level) {
    const std::int64_t count = std::int64_t{1} << bits;
    for (std::int64_t i = 0; i < kOut * kIn; ++i) levels.push_back(at_random(i, count));
    for (std::int64_t i = 0; i < kOut * kGroups; ++i) {
      zeros.push_back(own_zeros ? 1 + at_random(i + 5, count - 1) : count / 2);
      scales.push_back(std::ldexp(1.0 + static_cast<double>(at_random(i, 16)), -9));
    }
  }
  std::int64_t level(std::int64_t n, std::int64_t k) const { return levels[static_cast<std::size_t>(n * kIn + k)]; }
  std::int64_t zero(std::int64_t n, std::int64_t g) const { return zeros[static_cast<std::size_t>(n * kGroups + g)]; }
  double scale(std::int64_t n, std::int64_t g) const { return scales[static_cast<std::size_t>(n * kGroups + g)]; }
  double weight(std::int64_t n, std::int64_t k) const {
    return static_cast<double>(level(n, k) - zero(n, k / kGroup)) * scale(n, k / kGroup);
  }
};

/// Words [rows, columns], each of which `level` fills from its lowest bits on.
HostTensor words(std::int64_t rows, std::int64_t columns, std::int64_t bits,
                 const std::function<std::int64_t(std::int64_t row, std::int64_t column, std::int64_t slot)>& level) {
  std::vector<std::int32_t> values;
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < columns; ++c) {
      std::uint32_t word = 0;
      for (std::int64_t slot = 0; slot < 32 / bits; ++slot) {
        word |= static_cast<std::uint32_t>(level(r, c, slot)) << (slot * bits);
      }
      values.push_back(static_cast<std::int32_t>(word));
    }
  }
  return HostTensor::from<std::int32_t>(DType::kInt32, {rows, columns}, values);
}

HostTensor scales_of(const Levels& l, bool groups_first) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < kGroups * kOut; ++i) {
    values.push_back(groups_first ? l.scale(i % kOut, i / kOut) : l.scale(i / kGroups, i % kGroups));
  }
  return tensor_from(DType::kFloat32, groups_first ? Shape{kGroups, kOut} : Shape{kOut, kGroups}, values);
}

void expect_product(
    const StoredWeights& stored, const std::map<std::string, HostTensor>& checkpoint,
    const std::function<double(std::int64_t n, std::int64_t k)>& weight, double allowed = 1e-4,
    const std::function<double(double)>& seen = [](double value) { return value; }) {
  Builder b("layer", DType::kFloat32);
  const Tensor x = b.input("x", DType::kFloat32, {kRows, kIn}, {});
  b.output("y", b.call("aten.linear.default", {x, b.parameter("layer.weight", {kOut, kIn}, {})}));
  const Graph graph = passes::use_stored(b.finish(), stored, {});
  EXPECT_THAT(problems_of(graph), testing::IsEmpty());
  std::vector<HostTensor> weights;
  for (const Weight& wanted : graph.stored_weights()) weights.push_back(checkpoint.at(wanted.name));
  std::vector<double> input;
  for (std::int64_t i = 0; i < kRows * kIn; ++i) input.push_back(std::sin(static_cast<double>(i * i % 977)));
  const auto session = torch().prepare(graph, weights, {});
  session->set_inputs({tensor_from(DType::kFloat32, {kRows, kIn}, input)});
  session->run();
  const HostTensor got = session->outputs()[0];
  ASSERT_EQ(got.shape, (Shape{kRows, kOut}));
  for (std::int64_t r = 0; r < kRows; ++r) {
    for (std::int64_t n = 0; n < kOut; ++n) {
      double sum = 0;
      for (std::int64_t k = 0; k < kIn; ++k) sum += seen(input[static_cast<std::size_t>(r * kIn + k)]) * weight(n, k);
      EXPECT_NEAR(element(got, static_cast<std::size_t>(r * kOut + n)), sum, allowed) << r << " " << n;
    }
  }
}

TEST(StoredLayers, OfGptq) {
  for (const std::int64_t bits : {4, 8}) {
    for (const std::int64_t less : {1, 0}) {
      const Levels l(bits, true);
      const std::int64_t per = 32 / bits;
      StoredWeights stored{.title = "GPTQ", .format = less == 1 ? StoredFormat::kGptq : StoredFormat::kGptqV2};
      stored.scheme = bits == 4 ? QuantizeScheme::kW4 : QuantizeScheme::kW8;
      stored.bits = bits;
      stored.group = kGroup;
      stored.skip = {"none"};
      expect_product(
          stored,
          {{"layer.qweight",
            words(kIn / per, kOut, bits, [&](auto r, auto c, auto slot) { return l.level(c, r * per + slot); })},
           {"layer.qzeros", words(kGroups, kOut / per, bits,
                                  [&](auto r, auto c, auto slot) { return l.zero(c * per + slot, r) - less; })},
           {"layer.scales", scales_of(l, true)}},
          [&](auto n, auto k) { return l.weight(n, k); });
    }
  }
}

TEST(StoredLayers, OfAwq) {
  constexpr std::int64_t kOrder[] = {0, 2, 4, 6, 1, 3, 5, 7};  // which column stands in each slot
  const Levels l(4, true);
  StoredWeights stored{.title = "AWQ", .format = StoredFormat::kAwq, .scheme = QuantizeScheme::kW4, .bits = 4};
  stored.group = kGroup;
  stored.skip = {"none"};
  expect_product(stored,
                 {{"layer.qweight", words(kIn, kOut / 8, 4,
                                          [&](auto r, auto c, auto slot) { return l.level(c * 8 + kOrder[slot], r); })},
                  {"layer.qzeros", words(kGroups, kOut / 8, 4,
                                         [&](auto r, auto c, auto slot) { return l.zero(c * 8 + kOrder[slot], r); })},
                  {"layer.scales", scales_of(l, true)}},
                 [&](auto n, auto k) { return l.weight(n, k); });
}

TEST(StoredLayers, OfCompressedTensorsPacked) {
  for (const std::int64_t bits : {4, 8}) {
    const Levels l(bits, false);
    const std::int64_t per = 32 / bits;
    StoredWeights stored{.title = "compressed-tensors", .format = StoredFormat::kPacked};
    stored.scheme = bits == 4 ? QuantizeScheme::kW4 : QuantizeScheme::kW8;
    stored.bits = bits;
    stored.group = kGroup;
    stored.skip = {"none"};
    expect_product(
        stored,
        {{"layer.weight_packed",
          words(kOut, kIn / per, bits, [&](auto r, auto c, auto slot) { return l.level(r, c * per + slot); })},
         {"layer.weight_scale", scales_of(l, false)}},
        [&](auto n, auto k) { return l.weight(n, k); });
  }
}

TEST(StoredLayers, OfCompressedTensorsByRows) {
  std::vector<double> scales;
  for (std::int64_t n = 0; n < kOut; ++n) scales.push_back(std::ldexp(1.0 + static_cast<double>(n), -9));
  std::vector<double> values;
  for (std::int64_t i = 0; i < kOut * kIn; ++i) values.push_back(static_cast<double>(at_random(i, 255)) - 127.0);
  StoredWeights stored{.title = "compressed-tensors", .format = StoredFormat::kInt8Rows};
  stored.scheme = QuantizeScheme::kW8a8;
  stored.skip = {"none"};
  const auto weight = [&](std::int64_t n, std::int64_t k) {
    return values[static_cast<std::size_t>(n * kIn + k)] * scales[static_cast<std::size_t>(n)];
  };
  // Activations are rounded, too: half a step of 1 / 127 for each of 64 factors of up to 4, on average much less.
  expect_product(stored,
                 {{"layer.weight", tensor_from(DType::kInt8, {kOut, kIn}, values)},
                  {"layer.weight_scale", tensor_from(DType::kFloat32, {kOut, 1}, scales)}},
                 weight, 0.2);
  stored.format = StoredFormat::kFp8Tensor;
  stored.scheme = QuantizeScheme::kFp8;
  for (double& value : values) value = rounded_to(DType::kFloat8E4M3, value);
  expect_product(
      stored,
      {{"layer.weight", tensor_from(DType::kFloat8E4M3, {kOut, kIn}, values)},
       {"layer.weight_scale", tensor_from(DType::kFloat32, {1}, {0.25})}},
      [&](auto n, auto k) { return values[static_cast<std::size_t>(n * kIn + k)] * 0.25; }, 8.0);
}

/// With a scale that was found before, rounding is known: what is beyond the scale is cut.
TEST(StoredLayers, OfCompressedTensorsWithStaticActivations) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < kOut * kIn; ++i) values.push_back(static_cast<double>(at_random(i, 255)) - 127.0);
  std::vector<double> scales;
  for (std::int64_t n = 0; n < kOut; ++n) scales.push_back(std::ldexp(1.0 + static_cast<double>(n), -9));
  constexpr double kStep = 0.00625;  // 127 of them are less than the largest input
  StoredWeights stored{.title = "compressed-tensors", .scheme = QuantizeScheme::kW8a8};
  stored.skip = {"none"};
  stored.input_scales = true;
  const HostTensor step = tensor_from(DType::kFloat32, {1}, {kStep});
  const HostTensor int8 = tensor_from(DType::kInt8, {kOut, kIn}, values);
  const auto seen = [](double value) {
    return std::clamp(std::nearbyint(static_cast<float>(value) / static_cast<float>(kStep)), -128.0f, 127.0f) * kStep;
  };
  const auto at = [&](std::int64_t n, std::int64_t k) { return values[static_cast<std::size_t>(n * kIn + k)]; };
  stored.format = StoredFormat::kInt8Rows;
  expect_product(
      stored,
      {{"layer.weight", int8},
       {"layer.weight_scale", tensor_from(DType::kFloat32, {kOut, 1}, scales)},
       {"layer.input_scale", step}},
      [&](auto n, auto k) { return at(n, k) * scales[static_cast<std::size_t>(n)]; }, 1e-3, seen);
  stored.format = StoredFormat::kInt8Tensor;
  expect_product(
      stored,
      {{"layer.weight", int8},
       {"layer.weight_scale", tensor_from(DType::kFloat32, {1}, {0.25})},
       {"layer.input_scale", step}},
      [&](auto n, auto k) { return at(n, k) * 0.25; }, 1e-2, seen);
  stored.format = StoredFormat::kFp8Tensor;
  stored.scheme = QuantizeScheme::kFp8;
  for (double& value : values) value = rounded_to(DType::kFloat8E4M3, value);
  expect_product(
      stored,
      {{"layer.weight", tensor_from(DType::kFloat8E4M3, {kOut, kIn}, values)},
       {"layer.weight_scale", tensor_from(DType::kFloat32, {1}, {0.25})},
       {"layer.input_scale", step}},
      [&](auto n, auto k) { return at(n, k) * 0.25; }, 1e-2,
      [](double value) {
        return rounded_to(DType::kFloat8E4M3, static_cast<float>(value) / static_cast<float>(kStep)) * kStep;
      });
}

// --- what a config.json says ---
std::optional<StoredWeights> read(const std::string& quantization) {
  return stored_weights_of(Config::parse(R"({"quantization_config": )" + quantization + "}", "config.json"));
}

std::string refusal(const std::string& quantization) {
  try {
    read(quantization);
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was refused";
}

TEST(StoredFormats, AreReadFromTheConfiguration) {
  EXPECT_FALSE(read("null"));
  EXPECT_FALSE(read(R"({"load_in_8bit": false, "load_in_4bit": false})"));
  EXPECT_EQ(read(R"({"load_in_8bit": true, "llm_int8_threshold": 5.0})")->threshold, 5.0);
  const auto gptq = read(R"({"quant_method": "gptq", "bits": 4, "group_size": 64, "desc_act": false})");
  EXPECT_EQ(gptq->scheme, QuantizeScheme::kW4);
  EXPECT_EQ(gptq->group, 64);
  EXPECT_EQ(read(R"({"quant_method": "gptq", "bits": 8, "group_size": -1})")->group, 0);
  EXPECT_EQ(read(R"({"quant_method": "awq", "bits": 4, "group_size": 128, "version": "gemm"})")->format,
            StoredFormat::kAwq);
  const auto compressed = [](const std::string& type, const std::string& inputs, const std::string& more) {
    return R"({"quant_method": "compressed-tensors", "ignore": ["lm_head"], )" + more +
           R"("config_groups": {"group_0": {"targets": ["Linear"], "weights": )" + type + R"(, "input_activations": )" +
           inputs + "}}}";
  };
  const auto w8a8 = read(compressed(R"({"num_bits": 8, "type": "int", "strategy": "channel", "symmetric": true})",
                                    R"({"num_bits": 8, "type": "int", "strategy": "token", "dynamic": true})", ""));
  EXPECT_EQ(w8a8->scheme, QuantizeScheme::kW8a8);
  EXPECT_EQ(w8a8->skip, std::vector<std::string>{"lm_head"});
  EXPECT_EQ(read(compressed(R"({"num_bits": 8, "type": "float", "strategy": "channel"})",
                            R"({"num_bits": 8, "type": "float", "strategy": "token", "dynamic": true})", ""))
                ->format,
            StoredFormat::kFp8Rows);
  const auto packed = read(compressed(R"({"num_bits": 4, "type": "int", "strategy": "group", "group_size": 128})",
                                      "null", R"("format": "pack-quantized", )"));
  EXPECT_EQ(packed->scheme, QuantizeScheme::kW4);
  const std::string by_tensor = R"({"num_bits": 8, "type": "int", "strategy": "tensor"})";
  const auto fixed =
      read(compressed(by_tensor, R"({"num_bits": 8, "type": "int", "strategy": "tensor", "dynamic": false})", ""));
  EXPECT_EQ(fixed->format, StoredFormat::kInt8Tensor);
  EXPECT_TRUE(fixed->input_scales);
  EXPECT_FALSE(w8a8->input_scales);
  EXPECT_TRUE(read(compressed(R"({"num_bits": 8, "type": "float", "strategy": "channel"})",
                              R"({"num_bits": 8, "type": "float", "dynamic": false})", ""))
                  ->input_scales);
  EXPECT_THAT(refusal(compressed(by_tensor, R"({"num_bits": 8, "strategy": "token", "dynamic": false})", "")),
              HasSubstr("strategy"));
  EXPECT_THAT(refusal(compressed(by_tensor, R"({"num_bits": 8, "strategy": "tensor", "dynamic": true})", "")),
              HasSubstr("strategy"));
  EXPECT_THAT(refusal(compressed(by_tensor, R"({"num_bits": 8, "strategy": "tensor", "symmetric": false})", "")),
              HasSubstr("symmetric"));
}

TEST(StoredFormats, WhatIsNotBuiltInIsNamed) {
  EXPECT_THAT(refusal(R"({"quant_method": "gptqq", "bits": 4})"), HasSubstr("'gptqq'"));
  EXPECT_THAT(refusal(R"({"quant_method": "gptq", "bits": 3, "group_size": 128})"), HasSubstr("3"));
  EXPECT_THAT(refusal(R"({"quant_method": "gptq", "bits": 4, "group_size": 128, "desc_act": true})"),
              HasSubstr("desc_act"));
  EXPECT_THAT(refusal(R"({"quant_method": "gptq", "bits": 4, "group_size": 0})"), HasSubstr("group_size"));
  EXPECT_THAT(refusal(R"({"quant_method": "awq", "bits": 4, "group_size": 128, "version": "gemv"})"),
              HasSubstr("version"));
  EXPECT_THAT(refusal(R"({"load_in_4bit": true})"), HasSubstr("load_in_4bit"));
  EXPECT_THAT(refusal(R"({"quant_method": "compressed-tensors"})"), HasSubstr("config_groups"));
}

}  // namespace
}  // namespace nongemm
