#include "flows/ort/errors.h"

#include <gtest/gtest.h>

namespace nongemm::ort_flow {
namespace {

TEST(RuntimeMessages, NameNoPlacesInTheRuntimesSource) {
  EXPECT_EQ(without_source_places("Load model from a.onnx failed:/onnxruntime_src/onnxruntime/core/graph/graph.cc:1404 "
                                  "onnxruntime::Graph::Graph(const onnxruntime::Model&, std::unordered_map<std::"
                                  "__cxx11::basic_string<char>, int>&, bool) This is an invalid model. No type."),
            "Load model from a.onnx failed: This is an invalid model. No type.");
  EXPECT_EQ(without_source_places(
                "Exception: /onnxruntime_src/a.h:3 T f(std::function<void(int)>) const [with T = int (*)(A[2])] "
                "x >= 0 was false. (a b)"),
            "Exception: x >= 0 was false. (a b)");
  EXPECT_EQ(without_source_places("/onnxruntime_src/a.cc:3 A::f()::<lambda(B&)> bad"), "bad");
  EXPECT_EQ(without_source_places("one /onnxruntime_src/a.cc:3 f() two /onnxruntime_src/b.cc:4 g(int) three"),
            "one two three");
}

TEST(RuntimeMessages, OtherTextStaysAsItIs) {
  EXPECT_EQ(without_source_places("plain (text)"), "plain (text)");
  EXPECT_EQ(without_source_places("cut /onnxruntime_src/a.cc:3 f("), "cut /onnxruntime_src/a.cc:3 f(");
}

}  // namespace
}  // namespace nongemm::ort_flow
