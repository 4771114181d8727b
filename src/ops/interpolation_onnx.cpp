// ONNX rules of interpolation.cpp. Resize where it samples at the points PyTorch samples at; runtimes round these
// points in their own way, and far from the origin a point that is off by one unit in the last place is off by 1e-4 of
// a pixel. Elsewhere two gathers a dimension, weighted.
#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "ops/onnx_rules.h"

namespace nongemm::onnx_rules {
namespace {

using Name = OnnxLowering::Name;

/// One dimension that is resized.
struct Resized {
  std::int64_t in = kDynamic;
  std::int64_t out = kDynamic;
  /// Given in place of a size, 0 otherwise: sampling points follow from this and not from the sizes.
  double factor = 0;
  bool align_corners = false;

  bool known() const { return in > 0 && out > 0; }
  bool changes() const { return in != out || factor != 0; }
};

/// Scale factors as given (.vec), empty otherwise.
std::vector<double> given_factors(const Operands& operands) {
  const int at = operands.schema().find_arg("scale_factors");
  const auto* factors =
      at < 0 ? nullptr : std::get_if<std::vector<double>>(&operands.raw(static_cast<std::size_t>(at)));
  return factors == nullptr || operands.has(1) ? std::vector<double>() : *factors;
}

/// `i`: 0 for the height, 1 for the width.
Resized dimension(OnnxLowering& onnx, std::size_t i, bool align_corners) {
  const std::vector<double> factors = given_factors(onnx.operands());
  return {onnx.operands().tensor(0, 4).shape[2 + i], onnx.result_type(0, 4).shape[2 + i],
          factors.size() == 2 ? factors[i] : 0.0, align_corners};
}

/// Input elements per output element as PyTorch has it (area_pixel_compute_scale).
float step_of(const Resized& resized) {
  const auto in = static_cast<float>(resized.in);
  const auto out = static_cast<float>(resized.out);
  if (resized.align_corners) return resized.out > 1 ? (in - 1.0F) / (out - 1.0F) : 0.0F;
  return resized.factor != 0 ? static_cast<float>(1.0 / resized.factor) : in / out;
}

/// Output elements per input element as Resize has it.
float scale_of(const Resized& resized) {
  if (resized.factor != 0) return static_cast<float>(resized.factor);
  return static_cast<float>(resized.out) / static_cast<float>(resized.in);
}

float limited(const Resized& resized, float point) {
  return std::clamp(point, 0.0F, static_cast<float>(resized.in - 1));
}

/// Where PyTorch samples (area_pixel_compute_source_index). Its builds round product and difference once, together.
float torch_point(const Resized& resized, std::int64_t i) {
  const double step = step_of(resized);
  const auto place = static_cast<double>(i);
  return limited(resized, static_cast<float>(resized.align_corners ? step * place : step * (place + 0.5) - 0.5));
}

/// Where Resize samples, computed as ONNX Runtime does.
float resize_point(const Resized& resized, std::int64_t i) {
  const auto place = static_cast<float>(i);
  const auto ends = static_cast<float>(resized.out - 1);
  if (!resized.align_corners) return limited(resized, (place + 0.5F) / scale_of(resized) - 0.5F);
  return resized.out == 1 ? 0.0F : limited(resized, place * static_cast<float>(resized.in - 1) / ends);
}

/// nearest_neighbor_compute_source_index
float torch_nearest(const Resized& resized, std::int64_t i) {
  const std::int64_t half = i / 2;
  if (resized.out == 2 * resized.in) return static_cast<float>(half);
  return limited(resized, std::floor(static_cast<float>(i) * step_of(resized)));
}

float resize_nearest_point(const Resized& resized, std::int64_t i) {
  return limited(resized, std::floor(static_cast<float>(i) / scale_of(resized)));
}

using Point = float (*)(const Resized&, std::int64_t);

bool same_points(const Resized& resized, Point a, Point b) {
  if (!resized.known() || !resized.changes()) return true;
  for (std::int64_t i = 0; i < resized.out; ++i) {
    if (a(resized, i) != b(resized, i)) return false;
  }
  return true;
}

std::vector<float> points(const Resized& resized, Point point) {
  std::vector<float> all(static_cast<std::size_t>(resized.out));
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = point(resized, static_cast<std::int64_t>(i));
  return all;
}

Name sizes_of_result(OnnxLowering& onnx, const Name& input) {
  const Type& type = onnx.operands().tensor(0);
  const Shape& wanted = onnx.result_type().shape;
  if (std::find(wanted.begin(), wanted.end(), kDynamic) == wanted.end()) return onnx.integer_constants(wanted);
  return onnx.concat({onnx.size_of(input, type, 0), onnx.size_of(input, type, 1), onnx.integers(1)}, 0);
}

void resize(OnnxLowering& onnx, OnnxLowering::Attributes attributes) {
  const std::vector<double> factors = given_factors(onnx.operands());
  OnnxLowering::Names inputs = {onnx.tensor(0), ""};
  if (factors.size() == 2) {
    const std::vector<float> scales = {1.0F, 1.0F, static_cast<float>(factors[0]), static_cast<float>(factors[1])};
    inputs.push_back(onnx.constant(HostTensor::from(DType::kFloat32, {4}, scales)));
  } else {
    inputs.push_back("");
    inputs.push_back(sizes_of_result(onnx, inputs[0]));
  }
  onnx.result(onnx.add("Resize", inputs, std::move(attributes)));
}

void refuse_size_with_factors(OnnxLowering& onnx) {
  const Operands& operands = onnx.operands();
  if (operands.schema().find_arg("scales_h") >= 0 && operands.has(operands.position("scales_h"))) {
    onnx.unsupported("a size together with scale factors");
  }
}

Name gather_elements(OnnxLowering& onnx, const Name& value, const std::vector<std::int64_t>& places, std::size_t axis) {
  return onnx.gather(value, onnx.integer_constants(places), axis);
}

/// Linear between neighbours along one axis, the last or the one before.
Name weighted_neighbours(OnnxLowering& onnx, const Name& value, const Resized& resized, std::size_t axis) {
  std::vector<std::int64_t> before;
  std::vector<std::int64_t> after;
  std::vector<float> from_before;
  std::vector<float> from_after;
  for (const float point : points(resized, torch_point)) {
    const auto place = static_cast<std::int64_t>(point);
    before.push_back(place);
    after.push_back(std::min(place + 1, resized.in - 1));
    from_after.push_back(point - static_cast<float>(place));
    from_before.push_back(1.0F - from_after.back());
  }
  const Shape shape = axis == 2 ? Shape{resized.out, 1} : Shape{resized.out};
  const auto part = [&](const std::vector<std::int64_t>& places, const std::vector<float>& weights) {
    const Name factors = onnx.constant(HostTensor::from(DType::kFloat32, shape, weights));
    return onnx.add("Mul", {gather_elements(onnx, value, places, axis), factors});
  };
  return onnx.add("Add", {part(before, from_before), part(after, from_after)});
}

}  // namespace

void resize_nearest(OnnxLowering& onnx) {
  refuse_size_with_factors(onnx);
  const std::array dims = {dimension(onnx, 0, false), dimension(onnx, 1, false)};
  const auto same = [](const Resized& resized) { return same_points(resized, torch_nearest, resize_nearest_point); };
  if ((same(dims[0]) && same(dims[1])) || !dims[0].known() || !dims[1].known()) {
    return resize(onnx, {{"mode", std::string("nearest")},
                         {"coordinate_transformation_mode", std::string("asymmetric")},
                         {"nearest_mode", std::string("floor")}});
  }
  Name value = onnx.tensor(0);
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (!dims[i].changes()) continue;
    const std::vector<float> places = points(dims[i], torch_nearest);
    value = gather_elements(onnx, value, {places.begin(), places.end()}, 2 + i);
  }
  onnx.result(value);
}

void resize_bilinear(OnnxLowering& onnx) {
  refuse_size_with_factors(onnx);
  const bool align_corners = onnx.operands().flag(onnx.operands().position("align_corners"));
  const std::array dims = {dimension(onnx, 0, align_corners), dimension(onnx, 1, align_corners)};
  const auto same = [](const Resized& resized) { return same_points(resized, torch_point, resize_point); };
  // What half types round away is more than what the points differ by.
  const bool exact = onnx.result_type().dtype != DType::kFloat32 || (same(dims[0]) && same(dims[1]));
  if (exact || !dims[0].known() || !dims[1].known()) {
    return resize(onnx,
                  {{"mode", std::string("linear")},
                   {"coordinate_transformation_mode", std::string(align_corners ? "align_corners" : "half_pixel")}});
  }
  Name value = onnx.tensor(0);
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (dims[i].changes()) value = weighted_neighbours(onnx, value, dims[i], 2 + i);
  }
  onnx.result(value);
}

void resize_bicubic(OnnxLowering& onnx) {
  refuse_size_with_factors(onnx);
  const bool align_corners = onnx.operands().flag(onnx.operands().position("align_corners"));
  resize(onnx, {{"mode", std::string("cubic")},
                {"coordinate_transformation_mode", std::string(align_corners ? "align_corners" : "half_pixel")},
                {"cubic_coeff_a", -0.75}});
}

}  // namespace nongemm::onnx_rules
