#include "weights/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/temporary_folder.h"
#include "weights/safetensors.h"

namespace nongemm::weights {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

HostTensor tensor(float value) { return HostTensor::from<float>(DType::kFloat32, {1}, {value}); }

std::string error_of(const fs::path& path) {
  try {
    open_checkpoint(path);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

class CheckpointTest : public testing::Test {
 protected:
  fs::path file(const std::string& name) const { return folder_.path() / name; }
  void write_shards() const {
    write_safetensors(file("model-00001-of-00002.safetensors"), {{"b", tensor(2)}, {"a", tensor(1)}});
    write_safetensors(file("model-00002-of-00002.safetensors"), {{"c", tensor(3)}});
  }
  void write_index(const std::string& text) const { write_file_atomically(file("model.safetensors.index.json"), text); }

  TemporaryFolder folder_;
};

TEST_F(CheckpointTest, OpensAFileOrItsFolder) {
  write_safetensors(file("model.safetensors"), {{"b", tensor(2)}, {"a", tensor(1)}});
  for (const fs::path& path : {folder_.path(), file("model.safetensors")}) {
    const Checkpoint checkpoint = open_checkpoint(path);
    EXPECT_THAT(checkpoint.names(), ElementsAre("b", "a"));
    EXPECT_EQ(checkpoint.format(), "safetensors");
    EXPECT_EQ(checkpoint.path(), file("model.safetensors"));
    ASSERT_NE(checkpoint.find("a"), nullptr);
    EXPECT_EQ(checkpoint.find("a")->as<float>()[0], 1.0f);
    EXPECT_EQ(checkpoint.find("z"), nullptr);
  }
}

TEST_F(CheckpointTest, NamesWhatAFileIsInstead) {
  const auto message = [&](const std::string& name, const std::string& content) {
    write_file_atomically(file(name), content);
    return error_of(file(name));
  };
  EXPECT_THAT(message("a.safetensors", "\x10\x20"), HasSubstr("is truncated: it has 2 bytes"));
  EXPECT_THAT(message("b.bin", "\x80\x04\x95rest"), HasSubstr("bare Python pickle"));
  EXPECT_THAT(message("c.bin", "text"), HasSubstr("none of the known checkpoint formats"));
  EXPECT_THAT(message("d\x1B[31m.bin", "text"), HasSubstr("d?[31m.bin"));  // no escapes for the terminal
}

TEST_F(CheckpointTest, OpensTheOnlyCheckpointOfAFolderUnderAnyName) {
  write_file_atomically(file("README.md"), "text");
  EXPECT_THAT(error_of(folder_.path()), HasSubstr("holds no checkpoint"));
  write_safetensors(file("swin_t.pth"), {{"a", tensor(1)}});  // recognised by content
  EXPECT_THAT(open_checkpoint(folder_.path()).names(), ElementsAre("a"));
  write_safetensors(file("swin_s.safetensors"), {{"a", tensor(1)}});
  // What `nongemm verify` keeps beside a model is none.
  write_safetensors(file("inputs.safetensors"), {{"x", tensor(1)}});
  write_safetensors(file("outputs.safetensors"), {{"y", tensor(1)}});
  EXPECT_THAT(error_of(folder_.path()), HasSubstr("several checkpoints: swin_s.safetensors, swin_t.pth"));
}

TEST_F(CheckpointTest, OpensShards) {
  write_shards();
  write_index(R"({"metadata": {"total_size": 12}, "weight_map": {"a": "model-00001-of-00002.safetensors",
                  "b": "model-00001-of-00002.safetensors", "c": "model-00002-of-00002.safetensors"}})");
  for (const fs::path& path : {folder_.path(), file("model.safetensors.index.json")}) {
    const Checkpoint checkpoint = open_checkpoint(path);
    EXPECT_THAT(checkpoint.names(), ElementsAre("b", "a", "c"));
    EXPECT_EQ(checkpoint.format(), "safetensors, 2 files");
    EXPECT_EQ(checkpoint.find("c")->as<float>()[0], 3.0f);
  }
}

TEST_F(CheckpointTest, RefusesShardsThatDoNotFitTheirIndex) {
  write_shards();
  write_index(R"({"weight_map": {"a": "model-00002-of-00002.safetensors"}})");
  EXPECT_THAT(error_of(folder_.path()), HasSubstr("tensor 'a' should be in model-00002-of-00002.safetensors"));
  write_index(R"({"weight_map": {"a": "model-00009-of-00002.safetensors"}})");
  EXPECT_THAT(error_of(folder_.path()), HasSubstr("model-00009-of-00002.safetensors: cannot be opened"));
  write_safetensors(file("model-00002-of-00002.safetensors"), {{"a", tensor(3)}});
  write_index(R"({"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}})");
  EXPECT_THAT(error_of(folder_.path()), HasSubstr("tensor 'a' appears twice"));
}

TEST_F(CheckpointTest, RefusesWrongIndexes) {
  for (const char* name : {"../model.safetensors", "/etc/passwd", "", ".", "..", "a/b"}) {
    write_index(std::string(R"({"weight_map": {"a": ")") + name + "\"}}");
    EXPECT_THAT(error_of(folder_.path()), HasSubstr("tensor 'a' must be given the name of a file")) << name;
  }
  write_index(R"({"weight_map": {"a": 3}})");
  EXPECT_THAT(error_of(folder_.path()), HasSubstr("tensor 'a' must be given the name of a file"));
  write_index(R"({"weight_map": {}})");
  EXPECT_THAT(error_of(folder_.path()), HasSubstr("names no tensors"));
  write_index(R"({"weights": {}})");
  EXPECT_THAT(error_of(folder_.path()), HasSubstr("key 'weight_map'"));
  write_index(R"([1, 2])");
  EXPECT_THAT(error_of(folder_.path()), HasSubstr("key 'weight_map'"));
  write_index("{\"weight_map\": ");
  EXPECT_THAT(error_of(folder_.path()), HasSubstr("not valid JSON"));
  write_index(std::string(1'000'000, '['));
  EXPECT_THAT(error_of(folder_.path()), HasSubstr("nested more than"));
}

TEST_F(CheckpointTest, NamesWhatIsNoCheckpoint) {
  EXPECT_THAT(error_of(file("missing.safetensors")), HasSubstr("missing.safetensors: cannot be opened: No such file"));
  write_file_atomically(file("pointer.bin"), "version https://git-lfs example\noid sha256:0");
  EXPECT_THAT(error_of(file("pointer.bin")), HasSubstr("Git LFS pointer"));
  write_file_atomically(file("page.bin"), "<!DOCTYPE html>");
  EXPECT_THAT(error_of(file("page.bin")), HasSubstr("web page"));
  write_file_atomically(file("text.bin"), "hello");
  EXPECT_THAT(error_of(file("text.bin")), HasSubstr("none of the known checkpoint formats (safetensors"));
  write_file_atomically(file("empty.bin"), "");
  EXPECT_THAT(error_of(file("empty.bin")), HasSubstr("empty.bin: is empty"));
  write_file_atomically(file("cut.bin"), std::string_view("\x80\x10\0\0\0\0\0\0{\"a\":", 13));
  EXPECT_THAT(error_of(file("cut.bin")), HasSubstr("is truncated: the header has 4224 bytes"));
}

}  // namespace
}  // namespace nongemm::weights
