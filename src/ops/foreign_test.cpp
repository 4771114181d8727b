#include "ops/foreign.h"

#include <gtest/gtest.h>

namespace nongemm {
namespace {

TEST(Foreign, NamesSayTheGroup) {
  EXPECT_EQ(guess_group("aten.native_layer_norm.default"), Group::kNormalization);
  EXPECT_EQ(guess_group("aten._native_batch_norm_legit_no_training.default"), Group::kNormalization);
  EXPECT_EQ(guess_group("aten.convolution.default"), Group::kGemm);
  EXPECT_EQ(guess_group("aten.upsample_trilinear3d.vec"), Group::kInterpolation);  // not a linear layer
  EXPECT_EQ(guess_group("aten._softmax.default"), Group::kLogit);
  EXPECT_EQ(guess_group("aten.linalg_vector_norm.default"), Group::kReduction);
  EXPECT_EQ(guess_group("aten.as_strided.default"), Group::kMemoryLayout);
  EXPECT_EQ(guess_group("aten.addcmul.default"), Group::kArithmetic);
  EXPECT_EQ(guess_group("aten.sub_.Scalar"), Group::kArithmetic);
  EXPECT_EQ(guess_group("onnx.QLinearConv.default"), Group::kGemm);
  EXPECT_EQ(guess_group("onnx.DequantizeLinear.default"), Group::kQuantization);
  EXPECT_EQ(guess_group("onnx.LSTM.default"), Group::kGemm);
  EXPECT_EQ(guess_group("mylib.secret.default"), Group::kOther);
}

TEST(Foreign, NamesSayWhatIsWritten) {
  Node node;
  node.op = "mylib.update_.default";
  node.arg_names = {"self", "other"};
  EXPECT_TRUE(foreign_writes(node, 0));
  EXPECT_FALSE(foreign_writes(node, 1));
  node.op = "mylib.update.out";
  node.arg_names = {"x", "out"};
  EXPECT_FALSE(foreign_writes(node, 0));
  EXPECT_TRUE(foreign_writes(node, 1));
  node.op = "aten.__and__.Tensor";
  EXPECT_FALSE(foreign_writes(node, 0));
}

}  // namespace
}  // namespace nongemm
