// `run --data` from the user's files to the report: text with each kind of tokenizer, image and COCO folders, and files
// that are not what they should be.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "cli_program.h"
#include "prepare/model.h"
#include "test_paths.h"
#include "weights/safetensors.h"
#include "weights/synthetic.h"

namespace nongemm {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
namespace fs = std::filesystem;

const fs::path kData = fs::path(NONGEMM_SOURCE_DIR) / "tests/fixtures/data";
const fs::path kModels = fs::path(NONGEMM_SHARED_DIR) / "fixtures/numerics";

class OwnData : public ProgramTest {
 protected:
  /// The one point of a run's report.
  nlohmann::json run_once(const std::string& arguments) {
    const std::string out = (folder_ / "out").string();
    fs::remove_all(out);
    const Outcome outcome = run("run " + arguments + " --iterations 1 --warmup 0 --no-limits --output " + out);
    const nlohmann::json report = nlohmann::json::parse(std::ifstream(out + "/report.json"), nullptr, false);
    if (report.is_discarded()) {
      ADD_FAILURE() << arguments << ": " << outcome.text;
      return {};
    }
    nlohmann::json point = report["points"][0];
    EXPECT_EQ(outcome.code == 0, point["status"] == "ok") << outcome.text;
    return point;
  }

  /// A checkpoint's folder: a fixture's tokenizer, a configuration that fits it, synthetic weights.
  fs::path checkpoint(const std::string& tokenizer, const std::string& config) {
    const fs::path folder = folder_ / tokenizer;
    fs::copy(kData / "tokenizers" / tokenizer, folder);
    std::ofstream(folder / "config.json") << config;
    const Graph graph = build_graph(find_model(folder.string()), {});
    weights::write_safetensors(folder / "model.safetensors",
                               weights::synthesize_all(weights::weight_specs(graph), /*seed=*/0));
    return folder;
  }

  std::string gpt2() {
    return checkpoint("gpt2", R"({"model_type": "gpt2", "vocab_size": 700, "n_positions": 64, "n_embd": 8,
                                  "n_layer": 1, "n_head": 2})")
        .string();
  }

  /// Photographs of several kinds, and files that are none.
  std::string images() {
    for (const char* name : {"cmyk.jpg", "grey.jpg", "rgb8.png"}) copy_image(name, "images/a");
    for (const char* name : {"grey16.png", "turned6.jpg"}) copy_image(name, "images/b");
    write("images/b/empty.jpg", "");
    write("images/b/no_image.png", "hello");
    return (folder_ / "images").string();
  }

  void copy_image(const std::string& name, const std::string& into) {
    fs::create_directories(folder_ / into);
    fs::copy_file(kData / "images" / name, folder_ / into / name, fs::copy_options::overwrite_existing);
  }
};

double figure(const nlohmann::json& point, const char* name) {
  const nlohmann::json& value = point["sections"]["performance"][name];
  return value.is_number() ? value.get<double>() : -1;
}

TEST_F(OwnData, TextGoesThroughEveryKindOfTokenizer) {
  const std::string text = write("text.txt", "Größe matters: 1234 dogs can't jump.\n\n  東京 \xFF 😀 <s> [CLS]\n");
  const std::string llama =
      R"({"model_type": "llama", "vocab_size": 1000, "hidden_size": 8, "intermediate_size": 12,
          "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 1})";
  const std::string bert = R"({"model_type": "bert", "vocab_size": 950, "hidden_size": 8, "num_hidden_layers": 1,
                               "num_attention_heads": 2, "intermediate_size": 12})";
  const std::string gpt2 = R"({"model_type": "gpt2", "vocab_size": 700, "n_positions": 64, "n_embd": 8, "n_layer": 1,
                               "n_head": 2})";
  const std::pair<const char*, std::string> checkpoints[] = {
      {"gpt2", gpt2}, {"bert", bert}, {"bert_json", bert}, {"llama", llama}, {"llama2_json", llama}, {"llama3", llama}};
  for (const auto& [tokenizer, config] : checkpoints) {
    const nlohmann::json point =
        run_once(checkpoint(tokenizer, config).string() + " --seq-len 24 --batch 2 --data " + text);
    ASSERT_EQ(point["status"], "ok") << tokenizer << ": " << point["reason"];
    EXPECT_EQ(point["settings"]["sequence"], "24");
    EXPECT_THAT(point["settings"]["inputs"].get<std::string>(),
                AllOf(HasSubstr("text.txt"), HasSubstr("invalid UTF-8")));
    EXPECT_GT(figure(point, "preprocessing"), 0) << tokenizer;
    EXPECT_GT(figure(point, "preprocess_tokenize"), 0) << tokenizer;
    EXPECT_EQ(figure(point, "preprocess_decode"), -1) << tokenizer;
  }
}

TEST_F(OwnData, DamagedTokenizersAreNamed) {
  const std::string model = gpt2();
  const std::string text = write("text.txt", "some text");
  std::ofstream(model + "/vocab.json") << R"({"a": "b"})";
  nlohmann::json point = run_once(model + " --data " + text);
  EXPECT_EQ(point["status"], "bad-input");
  EXPECT_THAT(point["reason"].get<std::string>(), HasSubstr("vocab.json"));
  fs::remove(model + "/vocab.json");
  point = run_once(model + " --data " + text);
  EXPECT_THAT(point["reason"].get<std::string>(), HasSubstr("no tokenizer"));
}

TEST_F(OwnData, ATextModelWithoutATokenizerSaysWhereToPutOne) {
  const nlohmann::json point = run_once("gpt2 --data " + write("text.txt", "some text"));
  EXPECT_NE(point["status"], "ok");
  EXPECT_THAT(point["reason"].get<std::string>(), HasSubstr("tokenizer"));
}

TEST_F(OwnData, ImageFoldersGoThroughEveryVisionModel) {
  const std::string folder = images();
  // Small images for what resizes to 800 pixels otherwise.
  const std::string small = R"({"image_processor_type": "%", "size": {"shortest_edge": 64, "longest_edge": 96}})";
  for (const char* name : {"vit", "swin", "segformer", "detr", "maskformer", "fasterrcnn", "maskrcnn"}) {
    const fs::path model = folder_ / name;
    fs::copy(kModels / name, model);
    fs::permissions(model, fs::perms::owner_all);
    if (std::string(name) == "detr" || std::string(name) == "maskformer") {
      std::ofstream(model / "preprocessor_config.json") << std::string(small).replace(
          small.find('%'), 1, name[0] == 'd' ? "DetrImageProcessor" : "MaskFormerImageProcessor");
    }
    const nlohmann::json point = run_once(model.string() + " --batch 2 --data " + folder);
    ASSERT_EQ(point["status"], "ok") << name << ": " << point["reason"];
    EXPECT_THAT(point["settings"]["inputs"].get<std::string>(), HasSubstr("7 images")) << name;
    EXPECT_GT(figure(point, "preprocess_decode"), 0) << name;
    EXPECT_GT(figure(point, "preprocess_normalize"), 0) << name;
    EXPECT_GE(figure(point, "preprocessing"), figure(point, "preprocess_decode")) << name;
  }
}

TEST_F(OwnData, UnreadableImagesAreSkippedWithTheirNumber) {
  const std::string folder = images();
  const nlohmann::json point = run_once((kModels / "segformer").string() + " --batch 5 --data " + folder);
  ASSERT_EQ(point["status"], "ok") << point["reason"];
  EXPECT_THAT(point["settings"]["inputs"].get<std::string>(), AllOf(HasSubstr("2 skipped"), HasSubstr("empty.jpg")));
}

TEST_F(OwnData, CocoFoldersCountWhatIsMissing) {
  copy_image("rgb420.jpg", "coco/val2017");
  write("coco/annotations/instances_val2017.json",
        R"({"images": [{"id": 1, "file_name": "rgb420.jpg"}, {"id": 2, "file_name": "gone.jpg"}]})");
  const nlohmann::json point =
      run_once((kModels / "maskrcnn").string() + " --batch 2 --data " + (folder_ / "coco").string());
  ASSERT_EQ(point["status"], "ok") << point["reason"];
  EXPECT_THAT(point["settings"]["inputs"].get<std::string>(), AllOf(HasSubstr("COCO"), HasSubstr("1 missing")));
}

TEST_F(OwnData, FoldersWithoutDataAreRefused) {
  fs::create_directories(folder_ / "nothing");
  const std::string model = (kModels / "segformer").string();
  const auto reason = [&](const std::string& data) {
    const nlohmann::json point = run_once(model + " --data " + (folder_ / data).string());
    EXPECT_NE(point["status"], "ok") << data;
    return point["reason"].get<std::string>();
  };
  EXPECT_THAT(reason("nothing"), HasSubstr("nothing"));
  EXPECT_THAT(reason("not_there"), HasSubstr("not_there"));
  write("broken/annotations/instances_val2017.json", "{\"images\": [");
  EXPECT_THAT(reason("broken"), HasSubstr("instances_val2017.json"));
}

TEST_F(OwnData, CheckpointsOfAnotherArchitectureAreRefused) {
  const nlohmann::json point = run_once("bert --weights " + (kModels / "gpt2").string());
  EXPECT_EQ(point["status"], "bad-input");
  EXPECT_THAT(point["reason"].get<std::string>(), HasSubstr("another architecture"));
}

}  // namespace
}  // namespace nongemm
