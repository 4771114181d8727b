// From trtexec's files to a report (fixtures: hand-made, and shared ones that TensorRT wrote).
#include "study/engine_report.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "test_paths.h"

namespace nongemm {
namespace {

EngineFiles hand_made(const std::string& layers, const std::string& profile, const std::string& times = "") {
  const std::string folder = std::string(NONGEMM_SOURCE_DIR) + "/tests/fixtures/traces/tensorrt/";
  return {folder + profile, folder + layers, times.empty() ? "" : folder + times};
}

const FieldValue& cell(const Point& point, std::string_view section, std::string_view column, std::size_t row = 0) {
  static const FieldValue kAbsent;
  for (const Table& table : point.tables) {
    if (table.info->id != section) continue;
    for (std::size_t i = 0; i < table.info->columns.size(); ++i) {
      if (table.info->columns[i].id == column) return table.rows.at(row).at(i);
    }
  }
  return kAbsent;
}
double number(const FieldValue& value) { return std::get<double>(value); }

TEST(EngineReport, NamesOfLayersAlone) {
  const Point point = engine_point(hand_made("trt8_layers.json", "trt8_profile.json", "trt8_times.json"), {});
  EXPECT_EQ(point.status.kind, StatusKind::kIncomplete);  // nothing is known of the Myelin block without the model
  EXPECT_DOUBLE_EQ(number(cell(point, "performance", "latency")), 0.09e-3);
  EXPECT_DOUBLE_EQ(number(cell(point, "step_clock", "steps")), 0.1e-3);
  EXPECT_NEAR(number(cell(point, "step_clock", "excess")), 0.1 / 0.09 - 1, 1e-15);
  EXPECT_DOUBLE_EQ(number(cell(point, "fusion", "opaque_share")), 0.4);
  // Times of layers alone do not tell what is inside, and the report says so.
  EXPECT_NE(to_plain(cell(point, "performance", "caution"))
                .find("40 % of the time is in steps that the runtime does not open"),
            std::string::npos);
  EXPECT_DOUBLE_EQ(number(cell(point, "fusion", "added_time")), 0.02e-3);
}

TEST(EngineReport, RepeatedNamesKeepTheirOwnTimes) {
  const Point point = engine_point(hand_made("trt10_layers.json", "trt10_profile.json"), {});
  EXPECT_DOUBLE_EQ(number(cell(point, "steps", "time", 2)), 3e-6);
  EXPECT_DOUBLE_EQ(number(cell(point, "steps", "time", 3)), 5e-6);
  EXPECT_EQ(std::get<std::string>(cell(point, "steps", "pattern", 4)), "attention block");
}

TEST(EngineReport, FilesOfDifferentEnginesAreRefused) {
  const EngineFiles files = hand_made("trt8_names_layers.json", "trt8_profile.json");
  try {
    engine_point(files, {});
    ADD_FAILURE() << "none of the profile's layers is in the file";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
    EXPECT_THAT(error.what(),
                testing::AllOf(testing::HasSubstr("trt8_profile.json"), testing::HasSubstr("trt8_names_layers.json"),
                               testing::HasSubstr("different engines")));
  }
}

TEST(EngineReport, EngineThatTensorRtBuilt) {
  const std::string folder = std::string(NONGEMM_SHARED_DIR) + "/fixtures/tensorrt/";
  const Point point =
      engine_point({folder + "trt86_segformer_times.json", folder + "trt86_segformer_layers.json", ""}, {});
  // Sums of averageMs: of all layers, of Myelin's 18, and of the reformats that no node of the model asked for.
  constexpr double kAll = 1.1341824e-3;
  constexpr double kMyelin = 0.6151904e-3;
  constexpr double kAdded = 0.119136e-3;
  EXPECT_DOUBLE_EQ(number(cell(point, "step_clock", "steps")), kAll);
  EXPECT_DOUBLE_EQ(number(cell(point, "fusion", "added_time")), kAdded);
  EXPECT_DOUBLE_EQ(number(cell(point, "fusion", "opaque_share")), kMyelin / kAll);
  EXPECT_DOUBLE_EQ(number(cell(point, "fusion", "mapped_time")), (kAll - kAdded - kMyelin) / (kAll - kAdded));
}

/// An engine of another exporter's file has none of the names that `nongemm export` writes: its own say more.
TEST(EngineReport, ModelThatNoLayerComesFrom) {
  const std::string folder = std::string(NONGEMM_SHARED_DIR) + "/fixtures/tensorrt/";
  const EngineFiles files{folder + "trt86_segformer_times.json", folder + "trt86_segformer_layers.json", ""};
  RunSpec spec;
  spec.model = "segformer";
  const Point told = engine_point(files, spec);
  const Point alone = engine_point(files, {});
  for (const char* column : {"gemm_share", "nongemm_share", "flops_unknown", "flops"}) {
    EXPECT_EQ(to_plain(cell(told, "performance", column)), to_plain(cell(alone, "performance", column))) << column;
  }
  EXPECT_THAT(told.setting("nodes from"), testing::HasSubstr("none is of model segformer"));
}

TEST(EngineReport, FilesThatAreMissing) {
  EXPECT_THROW(engine_point({"/nowhere/profile.json", "/nowhere/layers.json", ""}, {}), Error);
}

}  // namespace
}  // namespace nongemm
