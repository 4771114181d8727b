// `--quantize` as users meet it: what is refused and how, what a report says of products and of a text's perplexity,
// model files, and the model that TensorRT would be given.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <tuple>
#include <vector>

#include "base/elements.h"
#include "cli_program.h"
#include "prepare/model.h"
#include "test_paths.h"
#include "weights/safetensors.h"
#include "weights/synthetic.h"
#include "weights/weight_spec.h"

namespace nongemm {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using Json = nlohmann::json;
namespace fs = std::filesystem;

const fs::path kData = fs::path(NONGEMM_SOURCE_DIR) / "tests/fixtures/data";
constexpr const char* kQuick = " --iterations 1 --warmup 0 --no-limits";
// Rows of 144 are one group of 128 and a smaller one.
constexpr const char* kSmall = R"({"model_type": "gpt2", "vocab_size": 700, "n_positions": 64, "n_embd": 16,
                                   "n_inner": 144, "n_layer": 1, "n_head": 2%s})";

class QuantizeCli : public ProgramTest {
 protected:
  /// A folder with a tokenizer, a configuration and synthetic weights. @param quantization further keys
  std::string model(const std::string& quantization = "") {
    const fs::path folder = folder_ / "model";
    fs::remove_all(folder);
    fs::copy(kData / "tokenizers/gpt2", folder);
    const std::string plain = configuration("");
    std::ofstream(folder / "config.json") << plain;
    const Graph graph = build_graph(find_model(folder.string()), {});
    weights_ = weights::synthesize_all(weights::weight_specs(graph), /*seed=*/0);
    weights::write_safetensors(folder / "model.safetensors", weights_);
    std::ofstream(folder / "config.json") << configuration(quantization);
    return folder.string();
  }

  static std::string configuration(const std::string& more) {
    std::string text = kSmall;
    return text.replace(text.find("%s"), 2, more);
  }

  /// The last point of a run's report: the quantized one, after the model as it is.
  Json run_quantized(const std::string& arguments) {
    const std::string out = (folder_ / "out").string();
    fs::remove_all(out);
    const Outcome outcome = run("run " + arguments + kQuick + " --output " + out);
    EXPECT_EQ(outcome.code, 0) << arguments << "\n" << outcome.text;
    const Json report = Json::parse(std::ifstream(out + "/report.json"), nullptr, false);
    return report.is_discarded() ? Json() : report["points"].back();
  }

  void expect_refused(const std::string& arguments, int code, const std::vector<std::string>& words) {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.code, code) << arguments << "\n" << outcome.text;
    for (const std::string& word : words) EXPECT_THAT(outcome.text, HasSubstr(word)) << arguments;
  }

  NamedTensors weights_;
};

/// Rows of a table, or the one row of a table that has one; null where the point has none.
Json section(const Json& point, const std::string& id) {
  return point.is_object() && point.contains("sections") ? point["sections"].value(id, Json()) : Json();
}

// --- bad input ---
TEST_F(QuantizeCli, AnUnknownSchemeGetsTheNearest) {
  expect_refused("run gpt2 --quantize llm.int9", 2, {"llm.int9", "llm.int8"});
  expect_refused("export gpt2 x.onnx --quantize w8a9", 2, {"w8a9", "w8a8"});
}

TEST_F(QuantizeCli, ACheckpointThatIsQuantizedOtherwiseIsRefused) {
  const std::string folder = model(R"(, "quantization_config": {"quant_method": "gptq", "bits": 4, "group_size": 16})");
  expect_refused("run " + folder + " --quantize w8a8" + kQuick, 2, {"is quantized already", "GPTQ"});
}

TEST_F(QuantizeCli, ActivationsOfACheckpointAreItsOwn) {
  const std::string rows = R"("weights": {"num_bits": 8, "type": "int", "strategy": "channel"})";
  for (const auto& [dynamic, asked, has] :
       {std::tuple("true", "static", "dynamic"), std::tuple("false", "dynamic", "static")}) {
    const std::string strategy = std::string(dynamic) == "true" ? "token" : "tensor";
    const std::string folder =
        model(R"(, "quantization_config": {"quant_method": "compressed-tensors", "config_groups": {"group_0": {)" +
              rows + R"(, "targets": ["Linear"], "input_activations": {"num_bits": 8, "type": "int", "strategy": ")" +
              strategy + R"(", "dynamic": )" + dynamic + "}}}}");
    expect_refused("run " + folder + kQuick + " --quantize w8a8 --set quantize.activations=" + asked, 2,
                   {std::string("has ") + has + " activations"});
  }
}

TEST_F(QuantizeCli, AnUnknownMethodIsNamedWithTheNearest) {
  const std::string folder = model(R"(, "quantization_config": {"quant_method": "gptqmodel", "bits": 4})");
  expect_refused("run " + folder + kQuick, 3, {"'gptqmodel' is not known", "gptq"});
}

TEST_F(QuantizeCli, MissingScalesAreNamed) {
  const std::string folder = model(R"(, "quantization_config": {"load_in_8bit": true})");
  for (auto& [name, tensor] : weights_) {
    if (name.ends_with("c_attn.weight") || name.ends_with("c_proj.weight") || name.ends_with("c_fc.weight")) {
      const Shape shape = {tensor.shape[1], tensor.shape[0]};  // as Linear8bitLt has it
      tensor = tensor_from(DType::kInt8, shape, std::vector<double>(static_cast<std::size_t>(element_count(shape)), 1));
    }
  }
  weights::write_safetensors(folder + "/model.safetensors", weights_);
  expect_refused("run " + folder + kQuick, 3, {"missing", "attn.c_attn.SCB"});
}

TEST_F(QuantizeCli, QuantizedWeightsWithoutAConfigurationAreNoWeights) {
  const std::string folder = model();
  for (auto& [name, tensor] : weights_) {
    if (!name.ends_with("c_fc.weight")) continue;
    tensor = tensor_from(DType::kInt8, tensor.shape,
                         std::vector<double>(static_cast<std::size_t>(element_count(tensor.shape)), 1));
  }
  weights::write_safetensors(folder + "/model.safetensors", weights_);
  expect_refused("run " + folder + kQuick, 3, {"c_fc.weight is int8, float32 is wanted"});
}

TEST_F(QuantizeCli, SmoothingThatIsStoredApartIsNotIgnored) {
  const std::string folder = model();
  weights_.emplace_back("transformer.h.0.attn.c_attn.smooth_scale",
                        tensor_from(DType::kFloat32, {16}, std::vector<double>(16, 2)));
  weights::write_safetensors(folder + "/model.safetensors", weights_);
  expect_refused("run " + folder + " --quantize w8a8" + kQuick, 3, {"unexpected", "smooth_scale"});
}

TEST_F(QuantizeCli, WeightsThatAreNotFiniteAreNamed) {
  const std::string folder = model();
  for (auto& [name, tensor] : weights_) {
    if (!name.ends_with("c_fc.weight")) continue;
    std::vector<double> values = elements_of(tensor);
    values[3] = NAN;
    tensor = tensor_from(tensor.dtype, tensor.shape, values);
  }
  weights::write_safetensors(folder + "/model.safetensors", weights_);
  // As it is the model runs: points end in different ways.
  expect_refused("run " + folder + " --seq-len 8" + kQuick + " --quantize w8a8,w4", 1,
                 {"bad-input", "c_fc.weight' is not finite"});
  const std::string file = (folder_ / "out.onnx").string();
  expect_refused("export " + folder + " " + file + " --quantize w8a8", 3, {"c_fc.weight' is not finite"});
  EXPECT_FALSE(fs::exists(file)) << "half-written";
}

/// Its products are of dequantized weights already.
TEST_F(QuantizeCli, AModelWithoutLinearLayersIsNamed) {
  const std::string onnx = NONGEMM_SOURCE_DIR "/tests/data/import_ort/quantized/model.onnx";
  expect_refused("run " + onnx + kQuick + " --quantize w8", 3, {"no linear layer to quantize"});
  const std::string file = (folder_ / "out.onnx").string();
  expect_refused("export " + onnx + " " + file + " --quantize w8", 3, {"no linear layer to quantize"});
  EXPECT_FALSE(fs::exists(file)) << "half-written";
}

TEST_F(QuantizeCli, SettingsWithoutEffectAreRefused) {
  expect_refused("run gpt2 --set quantize.tokens=10", 2, {"quantize.tokens", "no effect"});
  expect_refused("run gpt2 --quantize w8 --set quantize.activations=static", 2, {"quantize.activations", "w8a8"});
  expect_refused("run gpt2 --quantize w8 --set quantize.tokens=10", 2, {"quantize.tokens", "--data"});
}

// --- reports ---
TEST_F(QuantizeCli, OnlyWhatWasGivenTellsPointsApart) {
  const std::string command = "run " + model() + kQuick + " --seq-len 8 --quantize llm.int8";
  const Outcome usual = run(command);
  EXPECT_THAT(usual.text, AllOf(HasSubstr("quantize llm.int8"), Not(HasSubstr("quantize.threshold"))));
  EXPECT_THAT(run(command + " --set quantize.threshold=5").text, HasSubstr("quantize.threshold 5"));
}

TEST_F(QuantizeCli, AllProductsAreToldWithTheirWay) {
  const std::string folder = model();
  for (const std::string scheme : {"llm.int8", "w8a8", "w8", "w4", "fp8"}) {
    const Json point = run_quantized(folder + " --seq-len 8 --quantize " + scheme);
    const Json rows = section(point, "quantization_products");
    std::int64_t products = 0;
    std::int64_t left_out = 0;
    for (const Json& row : rows) {
      products += row["products"].get<std::int64_t>();
      if (row["way"] == "as it was") left_out += row["products"].get<std::int64_t>();
    }
    EXPECT_EQ(products, 5) << scheme << " " << rows;
    EXPECT_EQ(left_out, 1) << scheme << " " << rows;
    EXPECT_TRUE(section(point, "quantization").is_object()) << scheme;
  }
}

TEST_F(QuantizeCli, PerplexityIsTakenOfTheTextBothWays) {
  const std::string folder = model();
  const std::string text = write("text.txt", "The quick brown fox jumps over the lazy dog. It was a sunny day.\n");
  const Json point = run_quantized(folder + " --seq-len 8 --data " + text + " --quantize w8a8");
  const Json row = section(point, "quantization");
  // Random weights of a small model know nothing: all words are nearly as likely.
  EXPECT_NEAR(row["perplexity_before"].get<double>(), 700, 40);
  EXPECT_NEAR(row["perplexity"].get<double>(), row["perplexity_before"].get<double>(), 5);
  EXPECT_GT(row["perplexity_tokens"].get<int>(), 14);
  const Json fewer = section(
      run_quantized(folder + " --seq-len 8 --data " + text + " --quantize w8 --set quantize.tokens=7"), "quantization");
  EXPECT_EQ(fewer["perplexity_tokens"], 7);
  const Json none = section(
      run_quantized(folder + " --seq-len 8 --data " + text + " --quantize w8 --set quantize.tokens=0"), "quantization");
  EXPECT_TRUE(none["perplexity"].is_null());
}

// --- model files ---
TEST_F(QuantizeCli, ModelFilesAreQuantizedAlike) {
  const std::string folder = model();
  for (const std::string ending : {".onnx", ".pt2"}) {
    const std::string file = (folder_ / ("model" + ending)).string();
    ASSERT_EQ(run("export " + folder + " " + file + " --seq-len 8").code, 0);
    for (const std::string scheme : {"llm.int8", "w8a8", "w8", "w4", "fp8"}) {
      const Json row = section(run_quantized(file + " --quantize " + scheme), "quantization");
      EXPECT_LT(row["output_error"].get<double>(), 0.2) << file << " " << scheme;
      EXPECT_GT(row["output_error"].get<double>(), 0) << file << " " << scheme;
    }
  }
}

#ifdef NONGEMM_HAS_ORT
TEST_F(QuantizeCli, OnnxRuntimeGivesTheTorchFlowsOutputs) {
  const std::string folder = model();
  struct Case {
    const char* options;
    double allowed;  // of the largest magnitude
  };
  // Dynamic activations have one scale in ONNX Runtime and one a row in torch; static ones are the same numbers.
  for (const auto& [options, allowed] :
       {Case{"w8a8 --set ort.int8=exact", 0.05},
        Case{"w8a8 --set quantize.activations=static --set ort.int8=exact", 2e-3}, Case{"w8", 1e-4}}) {
    const Json point = run_quantized(folder + " --seq-len 16 --flow torch,ort --check --quantize " + options);
    const Json rows = section(point, "check");
    ASSERT_EQ(rows.size(), 1U) << options;
    EXPECT_LT(rows[0]["relative"].get<double>(), allowed) << options;
  }
}

TEST_F(QuantizeCli, WhatOnnxRuntimeCannotRunIsAStatus) {
  const std::string folder = model();
  for (const std::string scheme : {"llm.int8", "w4", "fp8"}) {
    const Outcome outcome = run("run " + folder + kQuick + " --seq-len 8 --flow ort --quantize " + scheme);
    EXPECT_THAT(outcome.text, AllOf(HasSubstr("unsupported"), Not(HasSubstr("terminate")))) << scheme;
  }
}
#endif

}  // namespace
}  // namespace nongemm
