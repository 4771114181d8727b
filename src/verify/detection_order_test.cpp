#include "verify/detection_order.h"

#include <gtest/gtest.h>

namespace nongemm {
namespace {

NamedTensors detections(const std::vector<float>& lefts, const std::vector<std::int64_t>& labels,
                        const std::vector<float>& scores) {
  const auto count = static_cast<std::int64_t>(scores.size());
  std::vector<float> boxes;
  for (const float left : lefts) {
    for (const float value : {left, 0.0F, left + 5.0F, 5.0F}) boxes.push_back(value);
  }
  return {{"0.boxes", HostTensor::from<float>(DType::kFloat32, {count, 4}, boxes)},
          {"0.labels", HostTensor::from<std::int64_t>(DType::kInt64, {count}, labels)},
          {"0.scores", HostTensor::from<float>(DType::kFloat32, {count}, scores)}};
}

std::vector<float> lefts_of(const NamedTensors& tensors) {
  std::vector<float> lefts;
  for (std::int64_t i = 0; i < tensors[0].second.shape[0]; ++i) lefts.push_back(tensors[0].second.as<float>()[4 * i]);
  return lefts;
}

TEST(DetectionOrder, EqualScoresTakeTheReferencesOrder) {
  const NamedTensors wanted = detections({1, 2, 3, 4}, {1, 1, 2, 1}, {0.9F, 0.5F, 0.5F, 0.5F});
  const NamedTensors ours = detections({1, 3, 4, 2.01F}, {1, 2, 1, 1}, {0.9F, 0.5F, 0.5F, 0.5F});
  EXPECT_EQ(lefts_of(in_reference_order(ours, wanted)), (std::vector<float>{1, 2.01F, 3, 4}));
}

TEST(DetectionOrder, DifferentScoresKeepTheirOrder) {
  const NamedTensors wanted = detections({1, 2}, {1, 1}, {0.9F, 0.5F});
  const NamedTensors ours = detections({2, 1}, {1, 1}, {0.9F, 0.5F});
  EXPECT_EQ(lefts_of(in_reference_order(ours, wanted)), (std::vector<float>{2, 1}));
}

TEST(DetectionOrder, OtherNumbersOfDetectionsAreLeftAlone) {
  const NamedTensors wanted = detections({1, 2}, {1, 1}, {0.5F, 0.5F});
  const NamedTensors ours = detections({2, 1, 0}, {1, 1, 1}, {0.5F, 0.5F, 0.5F});
  EXPECT_EQ(lefts_of(in_reference_order(ours, wanted)), (std::vector<float>{2, 1, 0}));
  EXPECT_EQ(in_reference_order({}, wanted).size(), 0U);
  EXPECT_EQ(lefts_of(in_reference_order(detections({}, {}, {}), detections({}, {}, {}))).size(), 0U);
}

}  // namespace
}  // namespace nongemm
