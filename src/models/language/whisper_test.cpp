// Whisper: options and configurations that are refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/architectures.h"
#include "models/test_models.h"

namespace nongemm {
namespace {

using testing::HasSubstr;

TEST(Whisper, RefusesWhatItCannotBuild) {
  ModelOptions options;
  options.sequence = 449;
  EXPECT_THAT(refusal([&] { build_graph(find_model("whisper-tiny"), options); }), HasSubstr("max_target_positions"));
  const auto message = [](const char* config) { return refusal([&] { build(whisper_architecture(), config); }); };
  EXPECT_THAT(message(R"({"encoder_attention_heads": 5})"), HasSubstr("encoder_attention_heads"));
  EXPECT_THAT(message(R"({"pad_token_id": 60000})"), HasSubstr("pad_token_id"));
  options.sequence = 4;
  options.inputs = {{"input_features", {1, 80, 2999}, {}}};
  EXPECT_THAT(refusal([&] { build_graph(find_model("whisper-tiny"), options); }), HasSubstr("[1, 80, 3000]"));
}

}  // namespace
}  // namespace nongemm
