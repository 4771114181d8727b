#include "flows/ort/library.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/temporary_folder.h"

namespace nongemm::ort_flow {
namespace {

namespace fs = std::filesystem;

TEST(OrtLibrary, IsLookedForWhereItWasNamed) {
  const TemporaryFolder folder;
  const fs::path install = folder.path() / "install/lib";
  const fs::path wheel = folder.path() / "wheel/onnxruntime/capi";
  const fs::path python = folder.path() / "env/lib/python3.11/site-packages/onnxruntime/capi";
  for (const fs::path& place : {install, wheel, python}) {
    fs::create_directories(place);
    std::ofstream(place / "libonnxruntime.so.1.30.0") << "x";
  }
  const auto found = [&](const char* name) { return library_candidates((folder.path() / name).string(), {}); };
  EXPECT_EQ(found("install"), std::vector<std::string>{(install / "libonnxruntime.so.1.30.0").string()});
  EXPECT_EQ(found("wheel"), std::vector<std::string>{(wheel / "libonnxruntime.so.1.30.0").string()});
  EXPECT_EQ(found("wheel/onnxruntime"), std::vector<std::string>{(wheel / "libonnxruntime.so.1.30.0").string()});
  EXPECT_EQ(found("env"), std::vector<std::string>{(python / "libonnxruntime.so.1.30.0").string()});
  EXPECT_TRUE(found("nowhere").empty());
  EXPECT_EQ(library_candidates("", folder.path()), std::vector<std::string>{"libonnxruntime.so.1"});
}

TEST(OrtLibrary, IsTheEnvironmentsWhereAWheelWasInstalled) {
  const TemporaryFolder folder;
  for (const char* package : {"nongemm", "torch", "onnxruntime/capi"}) fs::create_directories(folder.path() / package);
  const fs::path library = folder.path() / "onnxruntime/capi/libonnxruntime.so.1.30.0";
  std::ofstream(library) << "x";
  EXPECT_EQ(library_candidates("", folder.path() / "nongemm"),
            (std::vector<std::string>{library.string(), "libonnxruntime.so.1"}));
}

TEST(OrtLibrary, KnowsReleases) {
  EXPECT_EQ(minor_release("1.30.0"), 30);
  EXPECT_EQ(minor_release("1.9"), 9);
  EXPECT_EQ(minor_release("2.0.0"), -1);
  EXPECT_EQ(minor_release("nonsense"), -1);
}

}  // namespace
}  // namespace nongemm::ort_flow
