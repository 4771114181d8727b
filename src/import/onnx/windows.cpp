// Convolutions, pooling, and other operators on neighbourhoods of images.
#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "import/onnx/call.h"

namespace nongemm::onnx {
namespace {

using Axes = std::vector<std::int64_t>;

/// What convolutions and pooling share. `begin` and `end` are the padding on both sides.
struct Window {
  Shape kernel;
  Shape strides;
  Shape dilations;
  Shape begin;
  Shape end;

  bool even() const { return begin == end; }
  /// PyTorch's pooling takes at most half of what a window covers.
  bool pads_little() const {
    for (std::size_t i = 0; i < kernel.size(); ++i) {
      if (begin[i] > ((kernel[i] - 1) * dilations[i] + 1) / 2) return false;
    }
    return true;
  }
};

/// Padding that makes the result as large as the operand divided by the stride.
void pad_to_same(const Tensor& x, bool more_at_end, Window& window) {
  for (std::size_t i = 0; i < window.kernel.size(); ++i) {
    const std::int64_t size = x.size(static_cast<std::int64_t>(i) + 2);
    if (size == kDynamic) throw NotMapped();
    const std::int64_t covered = (window.kernel[i] - 1) * window.dilations[i] + 1;
    const std::int64_t results = (size + window.strides[i] - 1) / window.strides[i];
    const std::int64_t total = std::max<std::int64_t>((results - 1) * window.strides[i] + covered - size, 0);
    window.begin[i] = more_at_end ? total / 2 : total - total / 2;
    window.end[i] = total - window.begin[i];
  }
}

Window window_of(const OnnxCall& c, const Tensor& x, const Shape& kernel) {
  const std::size_t dims = kernel.size();
  Window window;
  window.kernel = kernel;
  window.strides = c.integers("strides").value_or(Axes(dims, 1));
  window.dilations = c.integers("dilations").value_or(Axes(dims, 1));
  window.begin = window.end = Shape(dims, 0);
  if (window.strides.size() != dims || window.dilations.size() != dims) throw NotMapped();
  const auto positive = [](std::int64_t value) { return value > 0; };
  if (!std::all_of(window.strides.begin(), window.strides.end(), positive)) throw NotMapped();
  const std::string how = c.text("auto_pad", "NOTSET");
  if (how == "SAME_UPPER" || how == "SAME_LOWER") {
    pad_to_same(x, how == "SAME_UPPER", window);
  } else if (how == "NOTSET" || how.empty()) {
    const Axes pads = c.integers("pads").value_or(Axes(2 * dims, 0));
    if (pads.size() != 2 * dims) throw NotMapped();
    for (std::size_t i = 0; i < dims; ++i) {
      window.begin[i] = pads[i];
      window.end[i] = pads[dims + i];
    }
  }
  return window;
}

/// What the operator's own padding cannot say is done before.
Tensor padded_before(OnnxCall& c, const Tensor& x, Window& window, double value) {
  Shape pairs;
  for (std::size_t i = window.kernel.size(); i-- > 0;) {
    pairs.push_back(window.begin[i]);
    pairs.push_back(window.end[i]);
  }
  std::fill(window.begin.begin(), window.begin.end(), 0);
  window.end = window.begin;
  return c.call("aten.pad.default", {x, pairs, "constant", value});
}

/// Where both sides are padded differently, that is done before.
Tensor padded(OnnxCall& c, const Tensor& x, Window& window, double value) {
  return window.even() ? x : padded_before(c, x, window, value);
}

Tensor padded_for_pooling(OnnxCall& c, const Tensor& x, Window& window, double value) {
  return window.even() && window.pads_little() ? x : padded_before(c, x, window, value);
}

Shape kernel_of(const OnnxCall& c, const Tensor& weight) {
  return c.integers("kernel_shape").value_or(Axes(weight.shape().begin() + 2, weight.shape().end()));
}

void conv(OnnxCall& c) {
  const Tensor weight = c.tensor(1);
  if (weight.rank() < 3 || weight.rank() > 5) throw NotMapped();
  Window window = window_of(c, c.tensor(0), kernel_of(c, weight));
  const Tensor x = padded(c, c.tensor(0), window, 0);
  const Tensor bias = c.optional_tensor(2);
  const std::int64_t groups = c.integer("group", 1);
  if (weight.rank() < 5) {
    const char* op = weight.rank() == 3 ? "aten.conv1d.default" : "aten.conv2d.default";
    return c.give(c.call(op, {x, weight, bias, window.strides, window.begin, window.dilations, groups}));
  }
  Shape shape = {x.size(0), weight.size(0)};
  for (std::size_t i = 0; i < 3; ++i) {
    const std::int64_t size = x.size(static_cast<std::int64_t>(i) + 2);
    const std::int64_t covered = (window.kernel[i] - 1) * window.dilations[i] + 1;
    shape.push_back(size == kDynamic ? kDynamic : (size + 2 * window.begin[i] - covered) / window.strides[i] + 1);
  }
  c.give(c.call_outside("aten.conv3d.default",
                        {{"input", x},
                         {"weight", weight},
                         {"bias", bias},
                         {"stride", window.strides},
                         {"padding", window.begin},
                         {"dilation", window.dilations},
                         {"groups", groups}},
                        OnnxCall::dense(x.dtype(), std::move(shape))));
}

void conv_transpose(OnnxCall& c) {
  const Tensor x = c.tensor(0);
  const Tensor weight = c.tensor(1);
  if (weight.rank() < 3 || weight.rank() > 5 || c.integers("output_shape")) throw NotMapped();
  if (const std::string how = c.text("auto_pad", "NOTSET"); how.starts_with("SAME")) throw NotMapped();
  const Window window = window_of(c, x, kernel_of(c, weight));
  if (!window.even()) throw NotMapped();
  const std::size_t dims = window.kernel.size();
  const Shape more = c.integers("output_padding").value_or(Axes(dims, 0));
  const std::int64_t groups = c.integer("group", 1);
  const Tensor bias = c.optional_tensor(2);
  if (dims == 2) {
    return c.give(c.call("aten.conv_transpose2d.input",
                         {x, weight, bias, window.strides, window.begin, more, groups, window.dilations}));
  }
  Shape shape = {x.size(0), weight.size(1) * groups};
  for (std::size_t i = 0; i < dims; ++i) {
    const std::int64_t size = x.size(static_cast<std::int64_t>(i) + 2);
    const std::int64_t covered = (window.kernel[i] - 1) * window.dilations[i] + 1;
    shape.push_back(size == kDynamic ? kDynamic
                                     : (size - 1) * window.strides[i] - 2 * window.begin[i] + covered + more.at(i));
  }
  c.give(c.call_outside(dims == 1 ? "aten.conv_transpose1d.default" : "aten.conv_transpose3d.input",
                        {{"input", x},
                         {"weight", weight},
                         {"bias", bias},
                         {"stride", window.strides},
                         {"padding", window.begin},
                         {"output_padding", more},
                         {"groups", groups},
                         {"dilation", window.dilations}},
                        OnnxCall::dense(x.dtype(), std::move(shape))));
}

/// The size of pooled images; the last window may reach over the end, but has to begin before it.
Shape pooled(const Tensor& x, const Window& window, bool ceil_mode) {
  Shape shape = {x.size(0), x.size(1)};
  for (std::size_t i = 0; i < window.kernel.size(); ++i) {
    const std::int64_t size = x.size(static_cast<std::int64_t>(i) + 2);
    if (size == kDynamic) throw NotMapped();
    const std::int64_t covered = (window.kernel[i] - 1) * window.dilations[i] + 1;
    const std::int64_t room = size + 2 * window.begin[i] - covered;
    std::int64_t results = (room + (ceil_mode ? window.strides[i] - 1 : 0)) / window.strides[i] + 1;
    if (ceil_mode && (results - 1) * window.strides[i] >= size + window.begin[i]) --results;
    shape.push_back(results);
  }
  return shape;
}

Window pooling_window(const OnnxCall& c, const Tensor& x) {
  const Shape kernel = c.integers("kernel_shape").value_or(Axes());
  if (kernel.empty() || kernel.size() > 3 || x.rank() != static_cast<std::int64_t>(kernel.size()) + 2)
    throw NotMapped();
  return window_of(c, x, kernel);
}

void max_pool(OnnxCall& c) {
  const Tensor image = c.tensor(0);
  if (!is_floating(image.dtype()) || c.integer("storage_order", 0) != 0) throw NotMapped();
  Window window = pooling_window(c, image);
  const Tensor x = padded_for_pooling(c, image, window, -std::numeric_limits<double>::infinity());
  const bool ceil_mode = c.integer("ceil_mode", 0) != 0;
  if (window.kernel.size() == 2) {
    return c.give(c.call("aten.max_pool2d.default",
                         {x, window.kernel, window.strides, window.begin, window.dilations, ceil_mode}));
  }
  c.give(c.call_outside(window.kernel.size() == 1 ? "aten.max_pool1d.default" : "aten.max_pool3d.default",
                        {{"self", x},
                         {"kernel_size", window.kernel},
                         {"stride", window.strides},
                         {"padding", window.begin},
                         {"dilation", window.dilations},
                         {"ceil_mode", ceil_mode}},
                        OnnxCall::dense(x.dtype(), pooled(x, window, ceil_mode))));
}

void average_pool(OnnxCall& c) {
  const Tensor image = c.tensor(0);
  Window window = pooling_window(c, image);
  const bool counts_padding = c.integer("count_include_pad", 0) != 0;
  const bool ceil_mode = c.integer("ceil_mode", 0) != 0;
  const auto not_one = [](std::int64_t value) { return value != 1; };
  if (std::any_of(window.dilations.begin(), window.dilations.end(), not_one)) throw NotMapped();
  if (!(window.even() && window.pads_little()) && (!counts_padding || ceil_mode)) throw NotMapped();
  const Tensor x = padded_for_pooling(c, image, window, 0);
  if (window.kernel.size() == 2) {
    return c.give(
        c.call("aten.avg_pool2d.default", {x, window.kernel, window.strides, window.begin, ceil_mode, counts_padding}));
  }
  c.give(c.call_outside(window.kernel.size() == 1 ? "aten.avg_pool1d.default" : "aten.avg_pool3d.default",
                        {{"self", x},
                         {"kernel_size", window.kernel},
                         {"stride", window.strides},
                         {"padding", window.begin},
                         {"ceil_mode", ceil_mode},
                         {"count_include_pad", counts_padding}},
                        OnnxCall::dense(x.dtype(), pooled(x, window, ceil_mode))));
}

Shape image_axes(const Tensor& x) {
  Shape axes;
  for (std::int64_t i = 2; i < x.rank(); ++i) axes.push_back(i);
  return axes;
}

void global_average_pool(OnnxCall& c) {
  const Tensor x = c.tensor(0);
  if (x.rank() == 4) return c.give(c.call("aten.adaptive_avg_pool2d.default", {x, Shape{1, 1}}));
  c.give(c.call("aten.mean.dim", {x, image_axes(x), true}));
}

void global_max_pool(OnnxCall& c) {
  const Tensor x = c.tensor(0);
  c.give(c.call("aten.amax.default", {x, image_axes(x), true}));
}

bool is_whole_multiple(std::int64_t size, std::int64_t of) { return of > 0 && size >= of && size % of == 0; }

/// Files hold factors as floats: 1.7 as 1.7000000477. PyTorch multiplies by 1 / factor, by which a pixel at a border
/// (17 / 1.7) would fall into the one before it.
double as_written(double number) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), static_cast<float>(number)).ptr;
  double exact = number;
  std::from_chars(text.data(), end, exact);
  return exact;
}

/// Of images: (X, roi, scales, sizes).
void resize(OnnxCall& c) {
  const Tensor x = c.tensor(0);
  if (x.rank() != 4 || (!c.has(2) && !c.has(3)) || c.integer("antialias", 0) != 0 || c.integers("axes") ||
      c.integer("exclude_outside", 0) != 0 || c.text("keep_aspect_ratio_policy", "stretch") != "stretch") {
    throw NotMapped();
  }
  const KnownValue* value = c.known(c.has(3) ? 3 : 2);
  if (value == nullptr || value->numbers.size() != 4) throw NotMapped();
  Shape size;
  std::vector<double> factors;
  bool whole = true;
  bool exact = true;  // the sizes follow from the factors without rounding: either says the same
  for (std::size_t i = 0; i < 4; ++i) {
    const std::int64_t before = x.size(static_cast<std::int64_t>(i));
    if (before == kDynamic) throw NotMapped();
    const auto after =
        c.has(3) ? value->integers()[i] : static_cast<std::int64_t>(static_cast<double>(before) * value->numbers[i]);
    if (i < 2 && after != before) throw NotMapped();
    whole = whole && is_whole_multiple(after, before);
    if (i < 2) continue;
    size.push_back(after);
    if (c.has(3)) continue;
    factors.push_back(as_written(value->numbers[i]));
    exact = exact && static_cast<double>(after) == static_cast<double>(before) * value->numbers[i];
  }
  // Where a factor was rounded away, pixels lie where the factor says, not where the sizes do.
  const std::string mode = c.text("mode", "nearest");
  const std::string where = c.text("coordinate_transformation_mode", "half_pixel");
  const bool corners = where == "align_corners";
  if (mode == "nearest") {
    const std::string rounding = c.text("nearest_mode", "round_prefer_floor");
    // Enlarged by whole numbers every pixel is repeated, whichever way that is said.
    const bool repeats =
        whole && (where == "half_pixel" || where == "pytorch_half_pixel") && rounding.starts_with("round");
    if (!repeats && (where != "asymmetric" || rounding != "floor")) throw NotMapped();
    const char* op = "aten.upsample_nearest2d.vec";
    return c.give(exact ? c.call(op, {x, size, kNone}) : c.call(op, {x, kNone, factors}));
  }
  if (!corners && where != "half_pixel" && where != "pytorch_half_pixel") throw NotMapped();
  if (mode == "cubic" && c.number("cubic_coeff_a", -0.75) != -0.75) throw NotMapped();
  const char* op = mode == "cubic" ? "aten.upsample_bicubic2d.vec" : "aten.upsample_bilinear2d.vec";
  c.give(exact ? c.call(op, {x, size, corners, kNone}) : c.call(op, {x, kNone, corners, factors}));
}

void grid_sample(OnnxCall& c) {
  const Tensor x = c.tensor(0);
  const Tensor grid = c.tensor(1);
  if (x.rank() != 4) throw NotMapped();
  const std::string mode = c.text("mode", "linear");
  const std::string padding = c.text("padding_mode", "zeros");
  const std::int64_t interpolation = mode.ends_with("cubic") ? 2 : mode == "nearest" ? 1 : 0;
  c.give(c.call_outside("aten.grid_sampler_2d.default",
                        {{"input", x},
                         {"grid", grid},
                         {"interpolation_mode", interpolation},
                         {"padding_mode", padding == "border"       ? 1
                                          : padding == "reflection" ? 2
                                                                    : 0},
                         {"align_corners", c.integer("align_corners", 0) != 0}},
                        OnnxCall::dense(x.dtype(), {x.size(0), x.size(1), grid.size(1), grid.size(2)})));
}

/// (X, boxes, image of each box).
void roi_align(OnnxCall& c) {
  if (c.text("mode", "avg") != "avg") throw NotMapped();
  const Tensor boxes = c.tensor(1);
  const Tensor image = c.call("aten.unsqueeze.default", {c.call("aten.to.dtype", {c.tensor(2), boxes.dtype()}), 1});
  const std::string where =
      c.text("coordinate_transformation_mode", c.opset() < 16 ? "output_half_pixel" : "half_pixel");
  const Tensor rois = c.call("aten.cat.default", {std::vector<Tensor>{image, boxes}, 1});
  c.give(c.call("torchvision.roi_align.default",
                {c.tensor(0), rois, c.number("spatial_scale", 1), c.integer("output_height", 1),
                 c.integer("output_width", 1), c.integer("sampling_ratio", 0), where == "half_pixel"}));
}

/// Channels become pixels: [N, C, H, W] -> [N, C / b^2, H b, W b].
void depth_to_space(OnnxCall& c) {
  const Tensor x = c.tensor(0);
  const std::int64_t block = c.integer("blocksize", 1);
  if (x.rank() != 4 || block < 1) throw NotMapped();
  const std::int64_t channels = x.size(1) / (block * block);
  const bool depth_first = c.text("mode", "DCR") == "DCR";
  const Shape apart = depth_first ? Shape{x.size(0), block, block, channels, x.size(2), x.size(3)}
                                  : Shape{x.size(0), channels, block, block, x.size(2), x.size(3)};
  const Shape order = depth_first ? Shape{0, 3, 4, 1, 5, 2} : Shape{0, 1, 4, 2, 5, 3};
  const Tensor moved = c.call("aten.permute.default", {c.call("aten.reshape.default", {x, apart}), order});
  c.give(c.call("aten.reshape.default", {moved, Shape{x.size(0), channels, x.size(2) * block, x.size(3) * block}}));
}

void space_to_depth(OnnxCall& c) {
  const Tensor x = c.tensor(0);
  const std::int64_t block = c.integer("blocksize", 1);
  if (x.rank() != 4 || block < 1) throw NotMapped();
  const std::int64_t rows = x.size(2) / block;
  const std::int64_t columns = x.size(3) / block;
  const Tensor apart = c.call("aten.reshape.default", {x, Shape{x.size(0), x.size(1), rows, block, columns, block}});
  const Tensor moved = c.call("aten.permute.default", {apart, Shape{0, 3, 5, 1, 2, 4}});
  c.give(c.call("aten.reshape.default", {moved, Shape{x.size(0), x.size(1) * block * block, rows, columns}}));
}

constexpr std::array kRules = {
    OnnxRule{"Conv", conv},
    OnnxRule{"ConvTranspose", conv_transpose},
    OnnxRule{"MaxPool", max_pool},
    OnnxRule{"AveragePool", average_pool},
    OnnxRule{"GlobalAveragePool", global_average_pool},
    OnnxRule{"GlobalMaxPool", global_max_pool},
    OnnxRule{"Resize", resize},
    OnnxRule{"GridSample", grid_sample},
    OnnxRule{"RoiAlign", roi_align},
    OnnxRule{"DepthToSpace", depth_to_space},
    OnnxRule{"SpaceToDepth", space_to_depth},
};

}  // namespace

std::span<const OnnxRule> window_rules() { return kRules; }

}  // namespace nongemm::onnx
