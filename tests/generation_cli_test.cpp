// Text generation as users meet it: figures of both phases, swept prompts, and what cannot be generated.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "base/tensor.h"
#include "cli_program.h"
#include "weights/safetensors.h"

namespace nongemm {
namespace {

using testing::HasSubstr;

class GenerationCli : public ProgramTest {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    gpt2_ = model("gpt2", R"({"model_type": "gpt2", "vocab_size": 50, "n_positions": 32, "n_embd": 16, "n_layer": 2,
                              "n_head": 2})");
    mistral_ = model("mistral", R"({"model_type": "mistral", "vocab_size": 50, "max_position_embeddings": 64,
                                    "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 2,
                                    "num_attention_heads": 2, "num_key_value_heads": 1, "sliding_window": 6})");
  }
  std::string model(const std::string& name, const std::string& config) {
    write(name + "/config.json", config);
    return (folder_ / name).string();
  }
  /// Runs and reads the report.
  nlohmann::json report(const std::string& arguments) {
    const std::string out = (folder_ / "out").string();
    std::filesystem::remove_all(out);
    const Outcome ran =
        run("run " + arguments + " --iterations 3 --warmup 1 --threads 1 --no-limits --format json --output " + out);
    EXPECT_EQ(ran.code, 0) << ran.text;
    return nlohmann::json::parse(std::ifstream(out + "/report.json"));
  }
  void refused(const std::string& arguments, const std::string& why) {
    const Outcome ran = run("run " + arguments);
    EXPECT_NE(ran.code, 0) << arguments;
    EXPECT_THAT(ran.text, HasSubstr(why)) << arguments;
  }

  std::string gpt2_, mistral_;
};

TEST_F(GenerationCli, TellsPrefillAndDecodeApart) {
  for (const std::string cache : {"dynamic", "static"}) {
    const nlohmann::json point = report(gpt2_ + " --generate 6 --prompt 8 --batch 2 --cache " + cache)["points"][0];
    EXPECT_EQ(point["status"], "ok") << point["reason"];
    const nlohmann::json& sections = point["sections"];
    const nlohmann::json& generation = sections["generation"];
    EXPECT_EQ(generation["prompt"], 8);
    EXPECT_EQ(generation["batch"], 2);
    EXPECT_EQ(generation["cache"], cache);
    EXPECT_EQ(generation["generations"], 3);
    EXPECT_GT(generation["first_token"], 0.0);
    EXPECT_GT(generation["token"], 0.0);
    EXPECT_TRUE(generation["replayed_token"].is_null());
    // Step 3 has 8 + 2 tokens behind it: 2 layers, keys and values, 2 samples, 16 channels, fp32.
    EXPECT_EQ(generation["cache_bytes"], 2 * 2 * 2 * 10 * 16 * 4);
    ASSERT_EQ(sections["phases"].size(), 2U);
    EXPECT_EQ(sections["phases"][0]["phase"], "prefill");
    EXPECT_EQ(sections["phases"][1]["phase"], "decode");
    ASSERT_EQ(sections["tokens"].size(), 6U);
    EXPECT_EQ(sections["tokens"][5]["cached"], 12);
    EXPECT_EQ(sections["generated_text"].size(), 2U);
    for (const nlohmann::json& phase : sections["phases"]) {
      // All that the node pass has of its own wall time; its speed may differ from that of plain runs here.
      EXPECT_GT(phase["gemm"], 0.0);
      EXPECT_GT(phase["nongemm"], 0.0);
    }
  }
}

TEST_F(GenerationCli, BothCachesGenerateTheSame) {
  const auto text = [&](const std::string& model, const std::string& cache) {
    const nlohmann::json json = report(model + " --generate 12 --prompt 5 --seed 3 --cache " + cache);
    return json["points"][0]["sections"]["generated_text"][0]["text"].get<std::string>();
  };
  EXPECT_EQ(text(gpt2_, "dynamic"), text(gpt2_, "static"));
  EXPECT_EQ(text(mistral_, "dynamic"), text(mistral_, "static"));
}

/// Steps before and after the window is full are other graphs: what is measured of one stays within it.
TEST_F(GenerationCli, AWindowThatFillsUpIsMeasured) {
  for (const std::string prompt : {"1", "2", "4", "9"}) {
    for (const std::string more : {"", " --cuda-graph"}) {
      const nlohmann::json point =
          report(mistral_ + " --generate 9 --cache static --prompt " + prompt + more)["points"][0];
      EXPECT_EQ(point["status"], "ok") << prompt << point["reason"];
      EXPECT_EQ(point["sections"]["phases"].size(), 2U) << prompt;
    }
  }
}

TEST_F(GenerationCli, PromptsOfDifferentLengthsArePadded) {
  for (const std::string cache : {"dynamic", "static"}) {
    const std::string more = " --generate 6 --prompt 9 --seed 5 --cache " + cache;
    const nlohmann::json sections = report(mistral_ + more + " --batch 3 --shortest-prompt 4")["points"][0]["sections"];
    EXPECT_EQ(sections["generation"]["padding"], 0 + 2 + 5);  // 9, 7 and 4 tokens
    // The longest sample is what it is without the others.
    const nlohmann::json alone = report(mistral_ + more)["points"][0]["sections"];
    EXPECT_EQ(sections["generated_text"][0]["text"], alone["generated_text"][0]["text"]) << cache;
    EXPECT_EQ(alone["generation"]["padding"], 0);
  }
}

TEST_F(GenerationCli, PromptsAreTakenFromAFile) {
  const HostTensor ids = HostTensor::from<std::int64_t>(DType::kInt64, {2, 4}, {1, 2, 3, 4, 0, 0, 7, 8});
  const HostTensor mask = HostTensor::from<std::int64_t>(DType::kInt64, {2, 4}, {1, 1, 1, 1, 0, 0, 1, 1});
  const std::string file = (folder_ / "prompts.safetensors").string();
  weights::write_safetensors(file, {{"input_ids", ids}, {"attention_mask", mask}});
  const nlohmann::json sections = report(gpt2_ + " --generate 5 --inputs " + file)["points"][0]["sections"];
  EXPECT_EQ(sections["generation"]["batch"], 2);
  EXPECT_EQ(sections["generation"]["prompt"], 4);
  EXPECT_EQ(sections["generation"]["padding"], 2);
  refused(gpt2_ + " --generate 5 --prompt 8 --inputs " + file, "--inputs");
  refused(gpt2_ + " --generate 5 --batch 8 --inputs " + file, "--inputs");
  weights::write_safetensors(file, {{"input_ids", HostTensor::from<std::int64_t>(DType::kInt64, {1, 2}, {1, 50})}});
  refused(gpt2_ + " --generate 5 --inputs " + file, "vocabulary");
  weights::write_safetensors(file, {{"tokens", ids}});
  refused(gpt2_ + " --generate 5 --inputs " + file, "input_ids");
}

#ifdef NONGEMM_HAS_ORT
TEST_F(GenerationCli, OnnxRuntimeGeneratesTheSame) {
  const auto point = [&](const std::string& more) {
    return report(mistral_ + " --generate 12 --prompt 5 --batch 2 --seed 3 " + more)["points"][0];
  };
  const nlohmann::json text = point("--flow torch")["sections"]["generated_text"];
  for (const std::string cache : {"dynamic", "static"}) {
    const nlohmann::json sections = point("--flow ort --cache " + cache)["sections"];
    EXPECT_EQ(sections["generated_text"], text) << cache;
    ASSERT_EQ(sections["phases"].size(), 2U) << cache;
    EXPECT_EQ(sections["tokens"].size(), 12U) << cache;
    for (const nlohmann::json& phase : sections["phases"]) {
      EXPECT_GT(phase["gemm"], 0.0) << cache;
      EXPECT_GT(phase["nongemm"], 0.0) << cache;
    }
    for (const nlohmann::json& group : sections["phase_groups"]) EXPECT_NE(group["group"], "Other") << cache;
  }
  refused(gpt2_ + " --flow ort --generate 4 --prompt 8 --sample top_k=3", "multinomial");
}
#endif

TEST_F(GenerationCli, DrawnTokensAreThoseOfTheSeed) {
  const auto text = [&](int seed) {
    const nlohmann::json json = report(
        gpt2_ + " --generate 16 --prompt 4 --sample temperature=1.5,top_k=20,top_p=0.9 --seed " + std::to_string(seed));
    return json["points"][0]["sections"]["generated_text"][0]["text"].get<std::string>();
  };
  EXPECT_EQ(text(1), text(1));
  EXPECT_NE(text(1), text(2));
}

TEST_F(GenerationCli, SweptPromptsAreOneTable) {
  const Outcome ran =
      run("run " + gpt2_ + " --generate 3 --prompt 4,8,16 --threads 1 --iterations 2 --warmup 0 --no-limits");
  EXPECT_EQ(ran.code, 0) << ran.text;
  EXPECT_THAT(ran.text, HasSubstr("All generations"));
  EXPECT_THAT(ran.text, HasSubstr("First token"));
}

TEST_F(GenerationCli, SaysWhatCannotBeGenerated) {
  refused("bert --generate 4", "decoder");
  refused(gpt2_ + " --generate 8 --prompt 30", "n_positions");
  refused(gpt2_ + " --prompt 8", "--generate");
  refused(gpt2_ + " --cache static", "--generate");
  refused(gpt2_ + " --generate 4 --seq-len 8", "--prompt");
  refused(gpt2_ + " --generate 4 --sample top_q=3", "top_q=3");
  refused(gpt2_ + " --generate 0", "--generate");
  refused(gpt2_ + " --generate 4 --prompt 8 --batch 2 --shortest-prompt 9", "--prompt");
  refused(gpt2_ + " --generate 4 --prompt 8 --shortest-prompt 4", "--batch");
  refused(gpt2_ + " --batch 2 --shortest-prompt 4", "--generate");
}

}  // namespace
}  // namespace nongemm
