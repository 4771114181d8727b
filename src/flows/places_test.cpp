#include "flows/places.h"

#include <gtest/gtest.h>

#include "base/temporary_folder.h"

namespace nongemm {
namespace {

namespace fs = std::filesystem;

TEST(Places, ModulesLieBesideTheProgramOrInThePackagesOfItsEnvironment) {
  const TemporaryFolder folder;
  const fs::path program = folder.path() / "env/bin/nongemm";
  const fs::path plain = folder.path() / "env/lib/nongemm";
  EXPECT_EQ(installed_modules(program), plain);  // what a message names when there is nothing

  const fs::path older = folder.path() / "env/lib/python3.9/site-packages";
  const fs::path newer = folder.path() / "env/lib/python3.12/site-packages";
  fs::create_directories(older / "nongemm");
  EXPECT_EQ(installed_modules(program), plain);  // no torch beside it: a package of that name that is another's
  fs::create_directories(older / "torch");
  EXPECT_EQ(installed_modules(program), older / "nongemm");
  fs::create_directories(newer / "torch");
  EXPECT_EQ(installed_modules(program), older / "nongemm");
  fs::create_directories(newer / "nongemm");
  EXPECT_EQ(installed_modules(program), newer / "nongemm");

  fs::create_directories(plain);
  EXPECT_EQ(installed_modules(program), plain);
}

TEST(Places, EveryKindOfEnvironment) {
  for (const char* packages :
       {"lib/python3.11/dist-packages", "lib64/python3.13/site-packages", "lib/python3/dist-packages", "."}) {
    const TemporaryFolder folder;
    fs::create_directories(folder.path() / packages / "nongemm");
    fs::create_directories(folder.path() / packages / "torch");
    EXPECT_EQ(installed_modules(folder.path() / "bin/nongemm").lexically_normal(),
              (folder.path() / packages / "nongemm").lexically_normal());
  }
}

TEST(Places, PackagesAreThoseOfAWheelAlone) {
  const TemporaryFolder folder;
  const fs::path packages = folder.path() / "site-packages";
  EXPECT_TRUE(python_packages(packages / "nongemm").empty());
  fs::create_directories(packages / "nongemm");
  EXPECT_TRUE(python_packages(packages / "nongemm").empty());
  fs::create_directories(packages / "torch");
  EXPECT_EQ(python_packages(packages / "nongemm"), packages);
}

}  // namespace
}  // namespace nongemm
