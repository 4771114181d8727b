// Faster R-CNN and Mask R-CNN with a ResNet and a feature pyramid: torchvision.models.detection, with everything from
// the images' resizing to the pasting of masks in the graph.
#include "models/detection/rcnn.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"
#include "models/architectures.h"
#include "models/detection/box_ops.h"
#include "models/detection/fpn.h"
#include "models/parts/functional.h"
#include "models/vision/resnet.h"

namespace nongemm {

using namespace fn;

namespace {

std::vector<double> numbers(const Config& config, const char* key, std::vector<double> otherwise) {
  return config.has(key) ? config.numbers(key) : otherwise;
}

void require_all_positive(const Config& config, const char* key, const std::vector<std::int64_t>& values) {
  constexpr std::int64_t kMost = std::int64_t{1} << 24;
  if (values.empty()) config.fail(key, "is empty");
  for (const std::int64_t value : values) {
    if (value < 1 || value > kMost) config.fail(key, "must hold numbers of at least 1");
  }
}

/// Of several sizes the last one counts in inference.
std::int64_t last_of(const Config& config, const char* key, std::int64_t otherwise) {
  const std::vector<std::int64_t> sizes = config.integers(key, {otherwise});
  require_all_positive(config, key, sizes);
  return sizes.back();
}

}  // namespace

Rcnn::Rcnn(const Config& config, const ModelOptions& options)
    : min_size(last_of(config, "min_size", 800)),
      max_size(config.positive("max_size", 1333)),
      size_divisible(config.bounded("size_divisible", 32, 1 << 16)),
      fixed_size(config.integers("fixed_size", {})),
      image_mean(numbers(config, "image_mean", {0.485, 0.456, 0.406})),
      image_std(numbers(config, "image_std", {0.229, 0.224, 0.225})),
      classes(config.positive("num_classes", 91)),
      channels(config.positive("fpn_channels", 256)),
      representation(config.positive("representation_size", 1024)),
      anchor_sizes(config.integers("anchor_sizes", {32, 64, 128, 256, 512})),
      aspect_ratios(numbers(config, "aspect_ratios", {0.5, 1.0, 2.0})),
      rpn_depth(config.positive("rpn_conv_depth", 1)),
      rpn_pre_nms(config.positive("rpn_pre_nms_top_n_test", 1000)),
      rpn_post_nms(config.positive("rpn_post_nms_top_n_test", 1000)),
      rpn_nms_threshold(config.number("rpn_nms_thresh", 0.7)),
      rpn_score_threshold(config.number("rpn_score_thresh", 0.0)),
      box_score_threshold(config.number("box_score_thresh", 0.05)),
      box_nms_threshold(config.number("box_nms_thresh", 0.5)),
      box_weights{10.0, 10.0, 5.0, 5.0},
      detections(config.positive("box_detections_per_img", 100)),
      mask_layers(config.integers("mask_layers", {256, 256, 256, 256})),
      mask_width(config.positive("mask_dim_reduced", 256)),
      device(options.device) {
  if (options.detections) detections = *options.detections;
  if (detections < 1) throw Error(ErrorKind::kUsage, "detections per image must be at least 1");
  if (image_mean.size() != 3) config.fail("image_mean", "does not hold three numbers");
  if (image_std.size() != 3) config.fail("image_std", "does not hold three numbers");
  if (!fixed_size.empty()) require_all_positive(config, "fixed_size", fixed_size);
  if (!fixed_size.empty() && fixed_size.size() != 2) config.fail("fixed_size", "does not hold width and height");
  if (config.has("bbox_reg_weights")) {
    const std::vector<double> weights = config.numbers("bbox_reg_weights");
    if (weights.size() != box_weights.size()) config.fail("bbox_reg_weights", "does not hold four numbers");
    std::copy(weights.begin(), weights.end(), box_weights.begin());
  }
  if (classes < 2) config.fail("num_classes", "must be at least 2, the background included");
  require_all_positive(config, "anchor_sizes", anchor_sizes);
  if (anchor_sizes.size() != 5) config.fail("anchor_sizes", "needs one size for each of the 5 pyramid levels");
  if (aspect_ratios.empty()) config.fail("aspect_ratios", "is empty");
  for (const double ratio : aspect_ratios) {
    if (!(ratio > 0)) config.fail("aspect_ratios", "must be above 0");
  }
  require_all_positive(config, "mask_layers", mask_layers);
}

namespace {

ResNet resnet_of(const Config& config) {
  ResNet resnet;
  if (!config.has("resnet")) return resnet;
  const Config inner = config.object("resnet");
  const std::string block = inner.text("block", "bottleneck");
  if (block != "bottleneck" && block != "basic") inner.fail("block", "is neither 'bottleneck' nor 'basic'");
  resnet.bottleneck = block == "bottleneck";
  resnet.layers = inner.integers("layers", resnet.layers);
  resnet.planes = inner.integers("planes", resnet.planes);
  resnet.width_per_group = inner.positive("width_per_group", 64);
  require_all_positive(inner, "layers", resnet.layers);
  require_all_positive(inner, "planes", resnet.planes);
  if (resnet.layers.size() != 4) inner.fail("layers", "does not hold four numbers");
  if (resnet.planes.size() != 4) inner.fail("planes", "does not hold four numbers");
  for (const std::int64_t planes : resnet.planes) {
    if (planes * resnet.width_per_group < 64) inner.fail("width_per_group", "leaves no channels");
  }
  return resnet;
}

NormLayer norm_of(const Config& config) {
  const std::string name = config.text("norm_layer", "frozen_batch_norm");
  const double epsilon = config.number("norm_eps", 1e-5);
  if (name == "batch_norm") {
    return [epsilon](Builder& b, const std::string& module, const Tensor& x) {
      return batch_norm_2d(b, module, x, epsilon);
    };
  }
  if (name != "frozen_batch_norm") config.fail("norm_layer", "is neither 'batch_norm' nor 'frozen_batch_norm'");
  return [epsilon](Builder& b, const std::string& module, const Tensor& x) {
    return frozen_batch_norm_2d(b, module, x, epsilon);
  };
}

struct Batch {
  Tensor pixels;                 // [images, 3, height, width]
  std::vector<ImageSize> sizes;  // after resizing, before padding
};

Tensor channel_values(Builder& b, const std::vector<double>& values, DType dtype) {
  const std::vector<float> floats(values.begin(), values.end());
  const Tensor exact = b.constant(HostTensor::from<float>(DType::kFloat32, {3}, floats));
  return dtype == DType::kFloat32 ? exact : to(exact, dtype);
}

/// The size of an image after GeneralizedRCNNTransform: the short side min_size, the long side at most max_size.
ImageSize resized(const Rcnn& model, ImageSize image) {
  if (!model.fixed_size.empty()) return {model.fixed_size[1], model.fixed_size[0]};
  const auto [low, high] = std::minmax(image.first, image.second);
  const double scale = std::min(static_cast<double>(model.min_size) / static_cast<double>(low),
                                static_cast<double>(model.max_size) / static_cast<double>(high));
  const auto side = [&](std::int64_t size) {
    return static_cast<std::int64_t>(std::floor(static_cast<double>(size) * scale));
  };
  return {side(image.first), side(image.second)};
}

Batch transform(Builder& b, const Rcnn& model, const std::vector<Tensor>& images) {
  const auto scope = b.scope("transform", "GeneralizedRCNNTransform");
  Batch batch;
  std::vector<Tensor> ready;
  ImageSize padded{0, 0};
  for (const Tensor& image : images) {
    const Tensor mean = channel_values(b, model.image_mean, image.dtype());
    const Tensor deviation = channel_values(b, model.image_std, image.dtype());
    const Tensor centered = sub(image, unsqueeze(unsqueeze(mean, 1), 2));
    const Tensor normal = div(centered, unsqueeze(unsqueeze(deviation, 1), 2));
    const ImageSize size = resized(model, {image.size(1), image.size(2)});
    const Tensor scaled =
        b.call("aten.upsample_bilinear2d.vec", {unsqueeze(normal, 0), Shape{size.first, size.second}, false, kNone});
    ready.push_back(select(scaled, 0, 0));
    batch.sizes.push_back(size);
    padded = {std::max(padded.first, size.first), std::max(padded.second, size.second)};
  }
  const std::int64_t multiple = model.size_divisible;
  const auto round_up = [&](std::int64_t size) { return (size + multiple - 1) / multiple * multiple; };
  padded = {round_up(padded.first), round_up(padded.second)};
  const auto count = static_cast<std::int64_t>(images.size());
  batch.pixels = b.call("aten.new_full.default", {ready[0], Shape{count, 3, padded.first, padded.second}, 0});
  for (std::int64_t i = 0; i < count; ++i) {
    const ImageSize size = batch.sizes[static_cast<std::size_t>(i)];
    Tensor place = select(batch.pixels, 0, i);
    if (size.first < padded.first) place = slice(place, 1, 0, size.first);
    if (size.second < padded.second) place = slice(place, 2, 0, size.second);
    b.call("aten.copy_.default", {place, ready[static_cast<std::size_t>(i)]});
  }
  return batch;
}

std::vector<ImageSize> sizes_asked(const ModelOptions& options) {
  std::vector<ImageSize> sizes(options.image_sizes.begin(), options.image_sizes.end());
  if (sizes.empty()) {
    sizes.assign(static_cast<std::size_t>(options.batch), {options.height.value_or(800), options.width.value_or(1066)});
  }
  for (const ImageSize& size : sizes) {
    if (size.first < 1 || size.second < 1) {
      throw Error(ErrorKind::kUsage, "images of no size", "use a positive height and width");
    }
  }
  return sizes;
}

/// Names of earlier torchvision releases.
CheckpointRules checkpoint_rules() {
  return {.ignored = {"*.num_batches_tracked"},
          .optional_prefixes = {},
          .renames = {{"rpn.head.conv.weight", "rpn.head.conv.0.0.weight"},
                      {"rpn.head.conv.bias", "rpn.head.conv.0.0.bias"},
                      {"_blocks.*.weight", "_blocks.*.0.weight"},
                      {"_blocks.*.bias", "_blocks.*.0.bias"},
                      {"mask_head.mask_fcn1.", "mask_head.0.0."},
                      {"mask_head.mask_fcn2.", "mask_head.1.0."},
                      {"mask_head.mask_fcn3.", "mask_head.2.0."},
                      {"mask_head.mask_fcn4.", "mask_head.3.0."}}};
}

Graph build(const Config& config, const ModelOptions& options, bool with_masks) {
  const Rcnn model(config, options);
  const ResNet resnet = resnet_of(config);
  const std::vector<ImageSize> original = sizes_asked(options);
  for (const ImageSize& size : original) {
    const ImageSize small = resized(model, size);
    if (small.first < 1 || small.second < 1) {
      throw Error(ErrorKind::kUsage,
                  "an image of " + std::to_string(size.first) + " x " + std::to_string(size.second) +
                      " pixels shrinks to nothing",
                  "use an image that is less oblong");
    }
  }
  Builder b(with_masks ? "maskrcnn" : "fasterrcnn", options.dtype);
  b.graph().attributes["synthetic detections"] = "about " + std::to_string(model.rpn_post_nms) + " proposals and " +
                                                 std::to_string(model.detections) + " detections per image";
  b.graph().checkpoint_rules = checkpoint_rules();
  std::vector<Tensor> images;
  for (std::size_t i = 0; i < original.size(); ++i) {
    images.push_back(b.input("0." + std::to_string(i), options.dtype, {3, original[i].first, original[i].second},
                             {InputKind::Content::kImage, 0}));
  }

  const Batch batch = transform(b, model, images);
  std::vector<Tensor> levels;
  {
    const auto backbone = b.scope("backbone", "BackboneWithFPN");
    std::vector<Tensor> features;
    {
      const auto body = b.scope("body", "IntermediateLayerGetter");
      features = resnet_features(b, resnet, batch.pixels, norm_of(config));
      features.erase(features.begin());  // the stem's
    }
    const auto pyramid = b.scope("fpn", "FeaturePyramidNetwork");
    levels = feature_pyramid(b, features, model.channels);
  }
  const ImageSize padded = {batch.pixels.size(2), batch.pixels.size(3)};
  const std::vector<Tensor> proposals = propose_regions(b, model, levels, batch.sizes, padded);
  std::vector<Detections> found = detect(b, model, with_masks, levels, proposals, batch.sizes);
  for (std::size_t i = 0; i < found.size(); ++i) {
    found[i].boxes = resize_boxes(found[i].boxes, batch.sizes[i], original[i]);
    if (with_masks) found[i].masks = paste_masks(found[i].masks, found[i].boxes, original[i], model.detections);
  }
  for (std::size_t i = 0; i < found.size(); ++i) {
    const std::string image = std::to_string(i);
    b.output(image + ".boxes", found[i].boxes);
    b.output(image + ".labels", found[i].labels);
    b.output(image + ".scores", found[i].scores);
    if (with_masks) b.output(image + ".masks", found[i].masks);
  }
  return b.finish();
}

Graph build_faster(const Config& config, const ModelOptions& options) { return build(config, options, false); }
Graph build_mask(const Config& config, const ModelOptions& options) { return build(config, options, true); }

// Without pretrained weights torchvision's builders use plain batch normalization; the published COCO weights want it
// frozen, with an epsilon of 0.
constexpr std::array kFaster = {
    ModelRow{.name = "fasterrcnn",
             .title = "Faster R-CNN (ResNet-50 FPN)",
             .config = R"({"norm_layer": "batch_norm"})",
             .parameters = 41808406,
             .height = 800,
             .width = 1066},
    ModelRow{.name = "fasterrcnn-coco",
             .title = "Faster R-CNN (ResNet-50 FPN, COCO weights)",
             .config = R"({"norm_layer": "frozen_batch_norm", "norm_eps": 0.0})",
             .parameters = 41755286,
             .height = 800,
             .width = 1066},
};
constexpr std::array kMask = {
    ModelRow{.name = "maskrcnn",
             .title = "Mask R-CNN (ResNet-50 FPN)",
             .config = R"({"norm_layer": "batch_norm"})",
             .parameters = 44454513,
             .height = 800,
             .width = 1066},
    ModelRow{.name = "maskrcnn-coco",
             .title = "Mask R-CNN (ResNet-50 FPN, COCO weights)",
             .config = R"({"norm_layer": "frozen_batch_norm", "norm_eps": 0.0})",
             .parameters = 44401393,
             .height = 800,
             .width = 1066},
};

}  // namespace

const Architecture& faster_rcnn_architecture() {
  static const Architecture kArchitecture = {.model_type = "torchvision.faster_rcnn",
                                             .domain = Domain::kObjectDetection,
                                             .dataset = "COCO",
                                             .build = build_faster,
                                             .models = kFaster};
  return kArchitecture;
}

const Architecture& mask_rcnn_architecture() {
  static const Architecture kArchitecture = {.model_type = "torchvision.mask_rcnn",
                                             .domain = Domain::kObjectDetection,
                                             .dataset = "COCO",
                                             .build = build_mask,
                                             .models = kMask};
  return kArchitecture;
}

}  // namespace nongemm
