#include "ops/onnx_operators.h"

#include <gmock/gmock.h>

namespace nongemm {
namespace {

TEST(OnnxOperators, ByNodeName) {
  EXPECT_EQ(onnx_operator_in_name("/encoder/layer.0/attention/MatMul")->name, "MatMul");
  EXPECT_EQ(onnx_operator_in_name("/encoder/layer.0/attention/MatMul_12")->name, "MatMul");
  EXPECT_EQ(onnx_operator_in_name("/encoder/MatMul_myl0_4")->name, "MatMul");
  EXPECT_EQ(onnx_operator_in_name("Conv_0")->group, Group::kGemm);
  EXPECT_EQ(onnx_operator_in_name("model/conv/Conv2D")->group, Group::kGemm);
  EXPECT_EQ(onnx_operator_in_name("Softmax")->group, Group::kLogit);
  for (const char* none : {"", "/", "123", "segformer.stages.0.bias", "(Unnamed Layer* 98) [Constant]", "__myl_Move"}) {
    EXPECT_EQ(onnx_operator_in_name(none), nullptr) << none;
  }
}

}  // namespace
}  // namespace nongemm
