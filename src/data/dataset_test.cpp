#include "data/dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/error.h"
#include "base/temporary_folder.h"
#include "data/test_data.h"

namespace nongemm::data {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

InputSpec images_for(const char* model) {
  InputSpec spec;
  spec.image = find_image_transform(model);
  return spec;
}

InputSpec text_for(const char* tokenizer, std::int64_t sequence) {
  InputRequest request;
  request.names = {tokenizer};
  request.folder = fixture(std::string("tokenizers/") + tokenizer);
  request.sequence = sequence;
  return make_input_spec(request);
}

void put_image(const fs::path& path) {
  fs::create_directories(path.parent_path());
  fs::copy_file(fixture("images/rgb420.jpg"), path);
}

void put_text(const fs::path& path, std::string_view text) {
  fs::create_directories(path.parent_path());
  write_file_atomically(path, text);
}

std::vector<std::string> names_of(const Batch& batch) {
  std::vector<std::string> names;
  for (const Sample& sample : batch.samples) names.push_back(sample.name);
  return names;
}

std::vector<std::string> inputs_of(const Batch& batch) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : batch.inputs) names.push_back(name + " " + to_string(tensor.shape));
  return names;
}

std::string message_of(const fs::path& path, const InputSpec& spec) {
  try {
    open_data(path, spec)->next_batch(1);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Dataset, ReadsAnImageNetFolderInOrderAndStartsAgain) {
  const TemporaryFolder folder;
  for (const char* name : {"n02/a.JPEG", "n01/b.jpg", "n01/a.png", "n01/readme.txt"}) put_image(folder.path() / name);
  const auto source = open_data(folder.path(), images_for("vit-b"));
  EXPECT_EQ(source->counts().samples, 3u);
  const Batch batch = source->next_batch(2);
  EXPECT_THAT(names_of(batch), ElementsAre("n01/a.png", "n01/b.jpg"));
  EXPECT_THAT(inputs_of(batch), ElementsAre("0 [2, 3, 224, 224]"));
  EXPECT_THAT(names_of(source->next_batch(2)), ElementsAre("n02/a.JPEG", "n01/a.png"));
  for (const Sample& sample : batch.samples) {
    EXPECT_GT(sample.times.decode, 0);
    EXPECT_GT(sample.times.resize, 0);
    EXPECT_GT(sample.times.normalize, 0);
    EXPECT_EQ(sample.times.tokenize, 0);
  }
  EXPECT_THAT(source->description(), StartsWith("3 images of the image folder"));
}

TEST(Dataset, SkipsDamagedImagesAndCountsThemOnce) {
  const TemporaryFolder folder;
  put_text(folder.path() / "1.jpg", "no image");
  put_image(folder.path() / "2.jpg");
  put_text(folder.path() / "3.png", "");
  const auto source = open_data(folder.path(), images_for("maskrcnn"));
  const Batch batch = source->next_batch(3);
  EXPECT_THAT(names_of(batch), ElementsAre("2.jpg", "2.jpg", "2.jpg"));
  EXPECT_THAT(inputs_of(batch), ElementsAre("0.0 [3, 23, 37]", "0.1 [3, 23, 37]", "0.2 [3, 23, 37]"));
  EXPECT_EQ(source->counts().skipped, 2u);
  EXPECT_THAT(source->counts().first_skipped_reason, HasSubstr("1.jpg: not a supported image"));
}

TEST(Dataset, SaysWhenNothingCanBeUsed) {
  const TemporaryFolder folder;
  EXPECT_THAT(message_of(folder.path() / "none", images_for("detr")), HasSubstr("none: no such file"));
  EXPECT_THAT(message_of(folder.path(), images_for("detr")), HasSubstr("no images"));
  EXPECT_THAT(message_of(folder.path(), text_for("gpt2", 8)), HasSubstr("no text"));
  put_text(folder.path() / "a.jpg", "no image");
  EXPECT_THAT(message_of(folder.path(), images_for("detr")), HasSubstr("none of the 1 images can be used: "));
  put_text(folder.path() / "a.parquet", "");
  EXPECT_THAT(message_of(folder.path(), text_for("gpt2", 8)), HasSubstr("Parquet files are not read"));
  put_text(folder.path() / "a.txt", "");
  EXPECT_THAT(message_of(folder.path(), text_for("gpt2", 8)), HasSubstr("no text in it"));
}

TEST(Dataset, ReadsACocoFolder) {
  const TemporaryFolder folder;
  put_image(folder.path() / "val2017/000000000139.jpg");
  put_image(folder.path() / "val2017/000000000285.jpg");
  put_text(folder.path() / "annotations/captions_val2017.json", "{}");
  put_text(folder.path() / "annotations/instances_train2017.json", R"({"images": [{"file_name": "x.jpg"}]})");
  put_text(folder.path() / "annotations/instances_val2017.json",
           R"({"info": {"file_name": "no.jpg"}, "licenses": [{"images": [{"file_name": "no.jpg"}]}],
               "images": [{"id": 285, "file_name": "000000000285.jpg", "nested": {"file_name": "no.jpg"}},
                          {"id": 1, "file_name": "gone.jpg"}, {"id": 2, "file_name": "../val2017/000000000139.jpg"},
                          {"id": 139, "file_name": "000000000139.jpg"}],
               "annotations": [{"image_id": 139, "bbox": [1, 2, 3, 4]}]})");
  const auto source = open_data(folder.path(), images_for("detr"));
  EXPECT_EQ(source->counts().samples, 2u);
  EXPECT_EQ(source->counts().missing, 2u);
  const Batch batch = source->next_batch(2);
  EXPECT_THAT(names_of(batch), ElementsAre("val2017/000000000285.jpg", "val2017/000000000139.jpg"));
  EXPECT_THAT(inputs_of(batch), ElementsAre("pixel_values [2, 3, 800, 1286]", "pixel_mask [2, 800, 1286]"));
}

TEST(Dataset, SaysWhatIsWrongWithAnnotations) {
  const TemporaryFolder folder;
  put_image(folder.path() / "images/a.jpg");
  put_text(folder.path() / "annotations/instances_val.json", R"({"images": [{"file_name": "b.jpg"}]})");
  EXPECT_THAT(message_of(folder.path(), images_for("detr")), HasSubstr("annotations name 1 images, none of them"));
  put_text(folder.path() / "annotations/instances_val.json", R"({"images": [{"file_name": )");
  EXPECT_THAT(message_of(folder.path(), images_for("detr")), HasSubstr("instances_val.json: damaged JSON"));
}

std::vector<std::int64_t> ids_of(const Batch& batch) {
  const HostTensor& tensor = batch.inputs.front().second;
  return {tensor.as<std::int64_t>(), tensor.as<std::int64_t>() + element_count(tensor.shape)};
}

TEST(Dataset, CutsTextIntoBlocks) {
  const TemporaryFolder folder;
  const std::string text = "The quick brown fox\njumps over the lazy dog.\n";
  put_text(folder.path() / "wiki.train.tokens", "never reached by this test");
  put_text(folder.path() / "wiki.test.tokens", text);
  const InputSpec spec = text_for("gpt2", 5);
  const auto expected = spec.tokenizer->encode(text);
  const auto source = open_data(folder.path(), spec);
  const Batch batch = source->next_batch(2);
  EXPECT_THAT(inputs_of(batch), ElementsAre("input_ids [2, 5]", "attention_mask [2, 5]"));
  EXPECT_THAT(names_of(batch), ElementsAre("wiki.test.tokens#0", "wiki.test.tokens#1"));
  EXPECT_EQ(ids_of(batch), std::vector<std::int64_t>(expected.begin(), expected.begin() + 10));
  EXPECT_GT(batch.samples[0].times.tokenize, 0);
}

TEST(Dataset, SaysWhichTokensOfABlockAreReadForTheFirstTime) {
  const TemporaryFolder folder;
  const std::string text = "The quick brown fox\njumps over the lazy dog.\n";
  put_text(folder.path() / "text.txt", text);
  for (const char* model : {"gpt2", "bert"}) {
    const InputSpec spec = text_for(model, 9);
    const auto special = static_cast<std::int64_t>(spec.tokenizer->prefix().size() + spec.tokenizer->suffix().size());
    const auto source = open_data(folder.path(), spec);
    std::int64_t seen = 0;
    std::vector<std::int64_t> read;
    for (int i = 0; i < 3; ++i) {
      const Batch batch = source->next_batch(2);
      const auto ids = ids_of(batch);
      for (std::int64_t row = 0; row < 2; ++row) {
        const Sample& sample = batch.samples[static_cast<std::size_t>(row)];
        EXPECT_EQ(sample.first_token, static_cast<std::int64_t>(spec.tokenizer->prefix().size()));
        EXPECT_LE(sample.end_token - sample.first_token, 9 - special);
        for (auto at = sample.first_token; at < sample.end_token; ++at) {
          read.push_back(ids[static_cast<std::size_t>(row * 9 + at)]);
        }
        seen += sample.end_token - sample.first_token;
      }
    }
    const auto expected = spec.tokenizer->encode(text, false);
    EXPECT_EQ(seen, static_cast<std::int64_t>(expected.size())) << model;
    EXPECT_EQ(read, std::vector<std::int64_t>(expected.begin(), expected.end())) << model;
  }
}

TEST(Dataset, RepeatsShortTextAndPutsSpecialTokensAroundBlocks) {
  const TemporaryFolder folder;
  put_text(folder.path() / "short.txt", "dog \xFF dog");
  const InputSpec spec = text_for("bert", 32);
  const auto source = open_data(folder.path() / "short.txt", spec);
  const Batch batch = source->next_batch(1);
  EXPECT_THAT(inputs_of(batch), ElementsAre("input_ids [1, 32]", "attention_mask [1, 32]", "token_type_ids [1, 32]"));
  const auto ids = ids_of(batch);
  EXPECT_EQ(ids.front(), spec.tokenizer->prefix().at(0));
  EXPECT_EQ(ids.back(), spec.tokenizer->suffix().at(0));
  EXPECT_EQ(source->counts().replaced_bytes, 1u);
}

TEST(Dataset, ReadsLargeTextInSegments) {
  const TemporaryFolder folder;
  std::string text;
  while (text.size() < 3 << 20) text += "A line of text that is repeated, \xC3\xBC and so on.\n";
  put_text(folder.path() / "lines.txt", text);
  std::replace(text.begin(), text.end(), '\n', ' ');
  put_text(folder.path() / "one_line.txt", text);
  for (const char* name : {"lines.txt", "one_line.txt"}) {
    const auto source = open_data(folder.path() / name, text_for("llama3", 1 << 20));
    EXPECT_EQ(source->next_batch(1).samples.size(), 1u);
    EXPECT_EQ(source->counts().replaced_bytes, 0u) << name;
  }
}

TEST(Dataset, SaysWhenTextCannotBeRead) {
  const char* unreadable = "/proc/self/mem";  // opens, but nothing lies at address 0
  if (!fs::exists(unreadable)) GTEST_SKIP() << unreadable << " is missing: no file here opens and cannot be read";
  const auto source = open_data(unreadable, text_for("gpt2", 8));
  EXPECT_THROW(source->next_batch(1), Error);
}

TEST(InputSpec, ComesFromNamesAndFolder) {
  InputRequest request;
  request.names = {"swin-t", "torchvision.swin_transformer"};
  EXPECT_EQ(make_input_spec(request).image->shortest, 232);
  request.image_size = 64;
  EXPECT_EQ(make_input_spec(request).image->center_crop, (Size{64, 64}));
  request.names = {"tiny", "segformer"};
  request.image_size = std::nullopt;
  EXPECT_EQ(make_input_spec(request).image->size, (Size{512, 512}));
  request.folder = fixture("tokenizers/gpt2/config.json");
  request.names = {"gpt2"};
  EXPECT_NE(make_input_spec(request).tokenizer, nullptr);
  request.folder.clear();
  EXPECT_THROW(make_input_spec(request), Error);
  EXPECT_THROW(open_data(fixture("images"), text_for("bert", 2)), Error);
}

}  // namespace
}  // namespace nongemm::data
