// The project's nms and roi_align give, through the dispatcher, what torchvision's give (tests/reference/make_roi.py).
#include "flows/torch/roi/roi_operators.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "flows/torch/bridge/values.h"
#include "test_paths.h"
#include "weights/safetensors.h"

namespace nongemm::torch_flow {
namespace {

class RoiOperators : public testing::Test {
 protected:
  void SetUp() override {
    register_roi_operators();
    for (auto& [name, tensor] : weights::read_safetensors(NONGEMM_SOURCE_DIR "/tests/data/roi_operators.safetensors")) {
      cases_[name] = to_torch(tensor, c10::Device(c10::kCPU));
    }
  }

  bool has(const std::string& name) const { return cases_.contains(name); }
  const at::Tensor& get(const std::string& name) const { return cases_.at(name); }

  static at::Tensor call(const char* name, std::vector<c10::IValue> stack) {
    const c10::InferenceMode inference;
    c10::Dispatcher::singleton().findSchemaOrThrow(name, "").callBoxed(stack);
    return stack.at(0).toTensor();
  }

 private:
  std::map<std::string, at::Tensor> cases_;
};

TEST_F(RoiOperators, SuppressAsTorchvisionDoes) {
  int number = 0;
  for (; has("nms." + std::to_string(number) + ".kept"); ++number) {
    const std::string name = "nms." + std::to_string(number);
    const at::Tensor kept = call("torchvision::nms", {get(name + ".boxes"), get(name + ".scores"),
                                                      get(name + ".threshold").const_data_ptr<double>()[0]});
    EXPECT_TRUE(kept.equal(get(name + ".kept"))) << name;
  }
  EXPECT_GE(number, 10);
}

TEST_F(RoiOperators, AlignBitForBitAsTorchvisionDoes) {
  int number = 0;
  for (; has("align." + std::to_string(number) + ".output"); ++number) {
    const std::string name = "align." + std::to_string(number);
    const double* options = get(name + ".options").const_data_ptr<double>();
    const auto integer = [&](int i) { return static_cast<std::int64_t>(options[i]); };
    const at::Tensor out = call("torchvision::roi_align", {get(name + ".input"), get(name + ".rois"), options[0],
                                                           integer(1), integer(2), integer(3), options[4] != 0});
    EXPECT_TRUE(out.equal(get(name + ".output"))) << name;
  }
  EXPECT_GE(number, 16);
}

}  // namespace
}  // namespace nongemm::torch_flow
