#include "data/image/preprocess.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/temporary_folder.h"
#include "data/test_data.h"

namespace nongemm::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<Image> photos(const ImageTransform& transform, int count) {
  std::vector<Image> images;
  for (int i = 0; i < count; ++i) {
    DecodeOptions options;
    options.apply_orientation = transform.apply_orientation;
    images.push_back(load_image(fixture("preprocess/photo" + std::to_string(i) + ".png"), options));
  }
  return images;
}

NamedTensors preprocess(const ImageTransform& transform, int count) {
  std::vector<Image> images = photos(transform, count);
  for (Image& image : images) image = resize_and_crop(transform, image);
  return collate(transform, images);
}

float value_at(const HostTensor& tensor, std::size_t index) {
  return tensor.dtype == DType::kInt64 ? static_cast<float>(tensor.as<std::int64_t>()[index])
                                       : tensor.as<float>()[index];
}

TEST(Preprocess, GivesTheValuesOfTheOriginals) {
  const auto index = nlohmann::json::parse(read_fixture("preprocess/index.json"));
  for (const auto& [name, expected] : index.items()) {
    SCOPED_TRACE(name);
    const ImageTransform transform =
        expected["config"] ? read_preprocessor_config(fixture("preprocess/" + name + ".json"), ImageTransform())
                           : find_image_transform(name).value();
    const NamedTensors inputs = preprocess(transform, expected["images"]);
    const std::string bytes = read_fixture("preprocess/" + name + ".f32");
    std::vector<float> values(bytes.size() / sizeof(float));
    std::memcpy(values.data(), bytes.data(), bytes.size());
    ASSERT_EQ(inputs.size(), expected["tensors"].size());
    for (const auto& [tensor_name, tensor] : inputs) {
      const auto& wanted = expected["tensors"].at(tensor_name);
      ASSERT_EQ(tensor.shape, wanted["shape"].get<Shape>());
      const std::size_t stride = wanted["stride"];
      const auto count = static_cast<std::size_t>(element_count(tensor.shape));
      std::size_t at = wanted["offset"];
      for (std::size_t i = 0; i < count; i += stride, ++at) EXPECT_FLOAT_EQ(value_at(tensor, i), values.at(at));
    }
  }
}

TEST(Preprocess, BatchesOfDifferentSizesNeedPadding) {
  const ImageTransform transform = read_preprocessor_config(fixture("preprocess/vit_within.json"), ImageTransform());
  EXPECT_THROW(preprocess(transform, 2), Error);
}

TEST(Preprocess, EveryNameOfTheTableIsFound) {
  for (std::string_view name : image_transform_names()) EXPECT_TRUE(find_image_transform(name)) << name;
  EXPECT_FALSE(find_image_transform("gpt2"));
}

TEST(Preprocess, ExtremeShapesAreRefusedNotAttempted) {
  const ImageTransform transform = find_image_transform("vit-b").value();
  EXPECT_THROW(resize_and_crop(transform, Image::allocate(1, 60000)), Error);
  // The shorter side would vanish.
  EXPECT_THROW(resize_and_crop(find_image_transform("detr").value(), Image::allocate(60000, 1)), Error);
}

std::string refusal(const std::string& config) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "preprocessor_config.json";
  write_file_atomically(path, config);
  try {
    read_preprocessor_config(path, find_image_transform("detr").value());
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

TEST(PreprocessorConfig, NamesTheKeyThatIsWrong) {
  EXPECT_EQ(refusal("{}"), "accepted");
  EXPECT_EQ(refusal(R"({"size": null, "crop_size": null})"), "accepted");
  EXPECT_THAT(refusal("[]"), HasSubstr("preprocessor_config.json: not a JSON object"));
  EXPECT_THAT(refusal("{"), HasSubstr("preprocessor_config.json is not valid JSON"));
  for (const char* config : {R"({"size": "big"})", R"({"size": {"height": 5}})", R"({"size": {"shortest_edge": -1}})",
                             R"({"size": 1e9})", R"({"size": {"height": 99999999999999999999, "width": 5}})"}) {
    EXPECT_THAT(refusal(config), HasSubstr("key 'size")) << config;
  }
  EXPECT_THAT(refusal(R"({"resample": 0})"), HasSubstr("key 'resample'"));
  EXPECT_THAT(refusal(R"({"image_mean": [1, 2]})"), HasSubstr("key 'image_mean'"));
  EXPECT_THAT(refusal(R"({"image_std": [1, 0, 1]})"), HasSubstr("key 'image_std'"));
  EXPECT_THAT(refusal(R"({"rescale_factor": 0})"), HasSubstr("key 'rescale_factor'"));
  EXPECT_THAT(refusal(R"({"do_resize": 1})"), HasSubstr("key 'do_resize'"));
}

}  // namespace
}  // namespace nongemm::data
