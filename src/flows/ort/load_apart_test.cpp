// What becomes of a file that ends the process which loads it.
#include "flows/ort/load_apart.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <functional>
#include <stdexcept>
#include <string>

#include "base/error.h"
#include "base/process_state.h"

namespace nongemm::ort_flow {
namespace {

using testing::AllOf;
using testing::HasSubstr;

/// The error's text, with its kind before it.
std::string refused(const std::function<void()>& load, double most_seconds = 30) {
  try {
    load_apart("some.onnx", most_seconds, load);
  } catch (const Error& error) {
    return std::string(name_of(error.kind())) + ": " + error.what();
  }
  return "";
}

TEST(LoadApart, AFaultIsAnErrorWithTheSignalsName) {
  EXPECT_THAT(refused([] { std::raise(SIGFPE); }),
              AllOf(HasSubstr("failed: "), HasSubstr("SIGFPE"), HasSubstr("some.onnx")));
  EXPECT_THAT(refused([] { std::abort(); }), HasSubstr("SIGABRT"));
}

TEST(LoadApart, AnErrorComesBackAsItWas) {
  const std::string text(100'000, 'x');  // more than a pipe holds
  EXPECT_EQ(refused([&] { throw Error(ErrorKind::kUnsupported, text, "another way"); }),
            "unsupported: " + text + "\n  another way");
  EXPECT_THAT(refused([] { throw std::runtime_error("told"); }), HasSubstr("failed: told"));
}

TEST(LoadApart, WhatNeverComesBackIsEnded) {
  EXPECT_THAT(refused(
                  [] {
                    while (true) pause();
                  },
                  0.2),
              AllOf(HasSubstr("did not load some.onnx"), HasSubstr("0 s")));
}

TEST(LoadApart, NothingOfItStays) {
  int here = 0;
  EXPECT_EQ(refused([&] { here = 1; }), "");
  EXPECT_EQ(here, 0);
}

TEST(LoadApart, AnInterruptEndsIt) {
  process_state().interrupted = true;
  EXPECT_THAT(refused([] {
                while (true) pause();
              }),
              HasSubstr("interrupted"));
  process_state().interrupted = false;
}

}  // namespace
}  // namespace nongemm::ort_flow
