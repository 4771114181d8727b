#include "base/host_memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace nongemm {
namespace {

TEST(HostMemory, IsKnown) {
  EXPECT_GT(memory_information("MemTotal"), 1e8);
  EXPECT_EQ(memory_information("NoSuchKey"), 0.0);
  EXPECT_GT(available_memory(), 0.0);
  EXPECT_LE(available_memory(), memory_information("MemTotal"));
}

TEST(HostMemory, WhatFitsIsLetThrough) { EXPECT_NO_THROW(require_memory("a byte", 1, "")); }

TEST(HostMemory, WhatCannotFitIsRefusedWithItsNeed) {
  try {
    require_memory("the model", 1e18, "take a smaller one");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kOutOfMemory);
    EXPECT_THAT(error.what(), testing::HasSubstr("the model needs about 1000000000.0 GB, "));
    EXPECT_EQ(error.way_out(), "take a smaller one");
  }
}

}  // namespace
}  // namespace nongemm
