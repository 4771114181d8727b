#include "weights/torch_archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>

#include "base/error.h"
#include "base/temporary_folder.h"
#include "test_paths.h"
#include "weights/safetensors.h"

// The fixtures come from torch.save: tests/reference/make_torch_checkpoints.py.

namespace nongemm::weights {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

fs::path fixture(const std::string& name) { return fs::path(NONGEMM_SOURCE_DIR) / "tests/fixtures/weights" / name; }

std::string error_of(const fs::path& path) {
  try {
    open_checkpoint(path);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

void expect_equal(const Checkpoint& given, const NamedTensors& expected) {
  EXPECT_EQ(given.names().size(), expected.size());
  for (const auto& [name, tensor] : expected) {
    const HostTensor* found = given.find(name);
    ASSERT_NE(found, nullptr) << name;
    EXPECT_EQ(found->dtype, tensor.dtype) << name;
    EXPECT_EQ(found->shape, tensor.shape) << name;
    ASSERT_EQ(found->byte_size(), tensor.byte_size()) << name;
    EXPECT_EQ(std::memcmp(found->data.get(), tensor.data.get(), tensor.byte_size()), 0) << name;
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(found->data.get()) % size_of(found->dtype), 0u) << name;
  }
}

TEST(TorchArchive, ReadsEveryTypeAndLayout) {
  const NamedTensors expected = read_safetensors(fixture("tensors.safetensors"));
  for (const char* name : {"tensors.pth", "protocol4.pth", "legacy.pth"}) {
    SCOPED_TRACE(name);
    expect_equal(open_checkpoint(fixture(name)), expected);
  }
  EXPECT_EQ(open_checkpoint(fixture("tensors.pth")).format(), "torch archive");
  EXPECT_EQ(open_checkpoint(fixture("legacy.pth")).format(), "torch legacy");
}

TEST(TorchArchive, ReadsStateDictsOfModules) {
  const NamedTensors expected = read_safetensors(fixture("net.safetensors"));
  for (const char* name : {"net.pth", "deflated.pth", "nested.pth"}) {
    SCOPED_TRACE(name);
    expect_equal(open_checkpoint(fixture(name)), expected);
  }
  const Checkpoint net = open_checkpoint(fixture("net.pth"));
  EXPECT_EQ(net.find("embedding.weight")->data, net.find("head.weight")->data) << "tied weights share their bytes";
}

TEST(TorchArchive, RefusesCodeByName) {
  EXPECT_THAT(error_of(fixture("attack.pth")), HasSubstr("attack.pth: the pickle names 'posix.system'"));
  EXPECT_THAT(error_of(fixture("attack_legacy.pth")), HasSubstr("names 'posix.system'"));
  EXPECT_THAT(error_of(fixture("namespace.pth")), HasSubstr("names 'argparse.Namespace'"));
  EXPECT_THAT(error_of(fixture("sparse.pth")), HasSubstr("names 'torch._utils._rebuild_sparse_tensor'"));
  EXPECT_THAT(error_of(fixture("complex.pth")), HasSubstr("names 'torch.ComplexFloatStorage'"));
  EXPECT_THAT(error_of(fixture("script.pt")), HasSubstr("TorchScript"));
}

TEST(TorchArchive, SaysWhatIsWrong) {
  EXPECT_THAT(error_of(fixture("no_tensors.pth")), HasSubstr("holds no dictionary of tensors, neither itself"));
  EXPECT_THAT(error_of(fixture("no_tensors.pth")), HasSubstr("it holds: epoch, optimizer"));
  EXPECT_THAT(error_of(fixture("bare.pth")), HasSubstr("holds no dictionary of tensors"));
  EXPECT_THAT(error_of(fixture("big_endian.pth")), HasSubstr("big-endian"));
  EXPECT_THAT(error_of(fixture("short_storage.pth")),
              HasSubstr("tensor 'embedding.weight': storage '0' has 76 bytes, 20 elements of float32 are wanted"));
}

// A sample; the fuzz targets do the rest.
class DamagedTest : public testing::TestWithParam<const char*> {};

TEST_P(DamagedTest, TruncationIsRefused) {
  const TemporaryFolder folder;
  const std::string whole = read_file(fixture(GetParam()), 100'000);
  for (std::size_t size = 0; size < whole.size(); size += 11) {
    std::ofstream(folder.path() / "x.pth", std::ios::binary) << whole.substr(0, size);
    EXPECT_NE(error_of(folder.path() / "x.pth"), "no error") << size;
  }
}

TEST_P(DamagedTest, DamageDoesNotCrash) {
  const TemporaryFolder folder;
  const std::string whole = read_file(fixture(GetParam()), 100'000);
  constexpr int kChanges[] = {0x01, 0x80, 0xff};
  for (std::size_t i = 0; i < whole.size(); i += 7) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ kChanges[i % 3]);
    std::ofstream(folder.path() / "x.pth", std::ios::binary) << damaged;
    error_of(folder.path() / "x.pth");
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, DamagedTest, testing::Values("net.pth", "deflated.pth", "legacy.pth"),
                         [](const auto& info) { return std::string(info.param).substr(0, 3); });

}  // namespace
}  // namespace nongemm::weights
