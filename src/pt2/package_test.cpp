#include "pt2/package.h"

#include <gtest/gtest.h>

#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/temporary_folder.h"
#include "base/zip_writer.h"

namespace nongemm::pt2 {
namespace {

class Package : public testing::Test {
 protected:
  std::filesystem::path write(const std::vector<std::pair<std::string, std::string>>& entries) const {
    std::string bytes;
    ZipWriter zip([&](std::span<const std::byte> part) {
      bytes.append(reinterpret_cast<const char*>(part.data()), part.size());
    });
    for (const auto& [name, content] : entries) zip.add(name, content);
    zip.finish();
    write_file_atomically(folder_.path() / "model.pt2", bytes);
    return folder_.path() / "model.pt2";
  }

  static std::string refusal(const std::filesystem::path& path) {
    try {
      read_package(path);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
      return error.what();
    }
    return "";
  }

  TemporaryFolder folder_;
};

const std::string kFolder = "mc/data/aotinductor/model/";
const std::string kMetadata =
    R"({"AOTI_DEVICE_KEY": "cuda", "AOTI_PLATFORM": "linux", "AOTI_MACHINE": "x86_64", "AOTI_COMPUTE_CAPABILITY": "90"})";

TEST_F(Package, SaysWhatItLaunchesInWhichOrder) {
  const std::string information = R"({
    "triton_poi_fused_add_0:2": {"stack_traces": [], "post_grad_nodes": ["add_1"], "pre_grad_nodes": ["n2_add"],
                                 "sources": {"add_1": ["n2_add"]}},
    "aoti_torch_cuda_mm_out:10": {"post_grad_nodes": ["mm"], "pre_grad_nodes": ["n3_linear"]},
    "aoti_torch_cuda_mm_out:1": {"post_grad_nodes": [], "pre_grad_nodes": []}})";
  const CompiledPackage package = read_package(write({{"mc/archive_format", "pt2"},
                                                      {kFolder + "c1.wrapper.so", "code"},
                                                      {kFolder + "c1.wrapper_metadata.json", kMetadata},
                                                      {kFolder + "kernel_information.json", information}}));
  EXPECT_EQ(package.model, "model");
  EXPECT_EQ(package.device, "cuda");
  EXPECT_EQ(package.compute_capability, "90");
  ASSERT_EQ(package.kernels.size(), 3U);
  EXPECT_EQ(package.kernels[0].name, "aoti_torch_cuda_mm_out");
  EXPECT_EQ(package.kernels[1].sources, (std::vector<std::vector<std::string>>{{"n2_add"}}));
  EXPECT_EQ(package.kernels[2].source_nodes, (std::vector<std::string>{"n3_linear"}));
}

TEST_F(Package, SaysHowLargeItsConstantsAre) {
  const auto bytes = [&](const std::string& constructor) {
    return read_package(write({{kFolder + "c.so", ""}, {kFolder + "c.wrapper.cpp", constructor}})).constant_bytes;
  };
  const std::string begin = "Model::Model() : AOTInductorModelBase(2,\n  1,\n  2,\n device_str) {\n";
  const std::string first = "constants_info_[0].name = \"a\";\n constants_info_[0].data_size = 18624;\n";
  EXPECT_EQ(bytes(begin + first + "constants_info_[1].data_size = 192;"), 18816U);
  EXPECT_EQ(bytes("Model::Model() : AOTInductorModelBase(1, 1, 0, device_str) {}"), 0U);
  // Never less than there is.
  EXPECT_EQ(bytes(begin + first), std::nullopt);
  EXPECT_EQ(bytes(begin + first + "constants_info_[1].data_size = size();"), std::nullopt);
  EXPECT_EQ(bytes(begin + first + "constants_info_[1].data_size = 18446744073709551615;"), std::nullopt);
  EXPECT_EQ(bytes(": AOTInductorModelBase("), std::nullopt);
  EXPECT_EQ(bytes(""), std::nullopt);
}

TEST_F(Package, IsNamedWhenItIsNone) {
  EXPECT_NE(refusal(write({{"m/archive_format", "pt2"}})).find("no model that AOTInductor compiled"),
            std::string::npos);
  EXPECT_NE(refusal(write({{kFolder + "c1.wrapper.cpp", "code"}})).find("no library to run"), std::string::npos);
  EXPECT_NE(refusal(write({{kFolder + "a.so", ""}, {"mc/data/aotinductor/other/b.so", ""}})).find("several"),
            std::string::npos);
  EXPECT_NE(
      refusal(write({{kFolder + "a.so", ""}, {kFolder + "kernel_information.json", "[1"}})).find("kernel_information"),
      std::string::npos);
  EXPECT_NE(refusal(write({{kFolder + "a.so", ""},
                           {kFolder + "kernel_information.json", R"({"k:1": {"pre_grad_nodes": [3]}})"}}))
                .find("kernel_information"),
            std::string::npos);
  write_file_atomically(folder_.path() / "cut.pt2", "PK");
  EXPECT_NE(refusal(folder_.path() / "cut.pt2").find("cut.pt2"), std::string::npos);
}

}  // namespace
}  // namespace nongemm::pt2
