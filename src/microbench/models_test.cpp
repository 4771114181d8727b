// Presets and replay: calls as models make them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "base/error.h"
#include "microbench/op_command.h"
#include "microbench/presets.h"
#include "microbench/replay.h"

namespace nongemm::microbench {
namespace {

using testing::HasSubstr;

std::vector<ModelCall> preset(const std::string& name) {
  std::vector<std::string> skipped;
  return preset_calls(name, ModelOptions(), nullptr, skipped);
}

TEST(Presets, HoldEveryDistinctCallOnce) {
  std::set<std::string> keys;
  for (const ModelCall& call : preset("gpt2")) {
    EXPECT_TRUE(keys.insert(key_of(call.call)).second);
    EXPECT_FALSE(counts_as_gemm(call.call.info.op->entry.group)) << call.call.info.name;
    if (call.call.info.name != "aten.layer_norm.default") continue;
    EXPECT_EQ(call.nodes, 25);  // two in each of 12 layers, one at the end
    EXPECT_THAT(shapes_text(call.call), HasSubstr("768] x [768] x [768]"));
  }
  EXPECT_EQ(keys.count(""), 0U);
  EXPECT_GT(keys.size(), 10U);
}

TEST(Presets, CommandsMakeTheSameCallsAgain) {
  for (const char* name : {"gpt2", "bert", "swin-t", "segformer", "detr"}) {
    for (const ModelCall& call : preset(name)) {
      const Call again = fill_operands(call.call.info, given_of(call.call));
      EXPECT_EQ(key_of(again), key_of(call.call)) << name << ": " << call.call.info.name;
    }
  }
}

TEST(Presets, AllModelsOrOneGroup) {
  const std::vector<ModelCall> all = preset("all");
  std::set<std::string> models;
  std::set<Group> groups;
  for (const ModelCall& call : all) {
    models.insert(call.model);
    groups.insert(call.call.info.op->entry.group);
  }
  EXPECT_GT(models.size(), 10U);
  EXPECT_TRUE(groups.contains(Group::kNormalization) && groups.contains(Group::kInterpolation));
  EXPECT_FALSE(groups.contains(Group::kGemm));
  for (const ModelCall& call : preset("activation")) {
    EXPECT_EQ(call.call.info.op->entry.group, Group::kActivation) << call.call.info.name;
  }
  try {
    preset("gtp2");
    ADD_FAILURE() << "an unknown preset was found";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("did you mean 'gpt2'"));
  }
}

TEST(Replay, CausesAreToldWhereTheyCan) {
  double bytes = 1e6;
  const auto cause = [&](double there_us, double gap_us, double alone_us, double cold_us, bool device) {
    InModelFigures in_model;
    in_model.time_s = there_us * 1e-6;
    in_model.gap_s = gap_us * 1e-6;
    return cause_of(in_model, {alone_us * 1e-6, alone_us * 1e-6, cold_us * 1e-6, bytes}, device);
  };
  EXPECT_EQ(cause(110, 0, 100, 300, false), "");
  EXPECT_THAT(cause(290, 0, 100, 300, false), HasSubstr("come from memory"));
  EXPECT_THAT(cause(150, 0, 100, 300, false), HasSubstr("partly from memory"));
  EXPECT_THAT(cause(10, 20, 10, 10, true), HasSubstr("launch gap: the device waits 20"));
  EXPECT_THAT(cause(3, 0, 2, 2, false), HasSubstr("short"));
  EXPECT_EQ(cause(50, 0, 100, 300, false), "");
  EXPECT_EQ(cause(500, 0, 100, std::nan(""), false), "");
  bytes = 0;  // a view
  EXPECT_THAT(cause(10, 0, 0.2, 8, false), HasSubstr("cold start"));
}

}  // namespace
}  // namespace nongemm::microbench
