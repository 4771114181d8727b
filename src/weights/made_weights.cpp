#include "weights/made_weights.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "base/elements.h"
#include "base/error.h"

namespace nongemm::weights {
namespace {

using Results = std::vector<HostTensor>;

struct Matrix {
  std::vector<double> values;
  std::size_t rows = 0;
  std::size_t columns = 0;
};

Matrix matrix_of(const HostTensor& tensor) {
  return {elements_of(tensor), static_cast<std::size_t>(tensor.shape.at(0)),
          static_cast<std::size_t>(tensor.shape.at(1))};
}

/// Quantized they would be numbers like others.
void check_finite(const std::string& name, const HostTensor& tensor) {
  if (!is_floating(tensor.dtype)) return;
  const std::vector<double> values = elements_of(tensor);
  if (std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); })) return;
  throw Error(ErrorKind::kBadInput, "the weight '" + name + "' is not finite, and cannot be quantized",
              "leave its layer out (--quantize-skip), or mend the checkpoint");
}

double largest_of(const double* begin, const double* end) {
  double largest = 0;
  for (const double* value = begin; value != end; ++value) largest = std::max(largest, std::fabs(*value));
  return largest;
}

HostTensor transposed(const HostTensor& tensor) {
  const Matrix matrix = matrix_of(tensor);
  std::vector<double> values;
  values.reserve(matrix.values.size());
  for (std::size_t c = 0; c < matrix.columns; ++c) {
    for (std::size_t r = 0; r < matrix.rows; ++r) values.push_back(matrix.values[r * matrix.columns + c]);
  }
  return tensor_from(tensor.dtype, {tensor.shape[1], tensor.shape[0]}, values);
}

/// As bitsandbytes does: of values in fp16, in fp32.
Results int8_rows(const HostTensor& weight) {
  Matrix matrix = matrix_of(converted(weight, DType::kFloat16));
  std::vector<float> scales;
  std::vector<std::int8_t> values;
  values.reserve(matrix.values.size());
  for (std::size_t r = 0; r < matrix.rows; ++r) {
    const double* row = matrix.values.data() + r * matrix.columns;
    const auto scale = static_cast<float>(largest_of(row, row + matrix.columns));
    const float factor = scale > 0 ? 1.0f / scale * 127.0f : 0.0f;
    for (std::size_t c = 0; c < matrix.columns; ++c) {
      values.push_back(static_cast<std::int8_t>(std::nearbyint(static_cast<float>(row[c]) * factor)));
    }
    scales.push_back(scale);
  }
  return {HostTensor::from<std::int8_t>(DType::kInt8, weight.shape, values),
          HostTensor::from<float>(DType::kFloat32, {weight.shape[0]}, scales)};
}

std::int64_t integer(const Node& node, std::size_t i) { return std::get<std::int64_t>(node.args.at(i)); }

/// Of 8 bits: those of 4 lie two to a byte, which no runtime takes here.
Results in_groups(const HostTensor& weight, const Node& node) {
  if (integer(node, 1) != 8) throw Error(ErrorKind::kUnsupported, "weights of 4 bits are made by the torch flow alone");
  const Matrix matrix = matrix_of(weight);
  const auto group = static_cast<std::size_t>(integer(node, 2));
  std::vector<double> scales;
  std::vector<std::int8_t> values;
  for (std::size_t r = 0; r < matrix.rows; ++r) {
    for (std::size_t first = 0; first < matrix.columns; first += group) {
      const double* begin = matrix.values.data() + r * matrix.columns + first;
      const double* end = begin + std::min(group, matrix.columns - first);
      const auto found = static_cast<float>(largest_of(begin, end)) / 127.5f;
      const auto scale = static_cast<float>(rounded_to(weight.dtype, found));
      for (const double* value = begin; value != end; ++value) {
        const float step = scale > 0 ? std::nearbyint(static_cast<float>(*value) / scale) : 0.0f;
        values.push_back(static_cast<std::int8_t>(std::clamp(step, -128.0f, 127.0f)));
      }
      scales.push_back(scale);
    }
  }
  const auto groups = static_cast<std::int64_t>((matrix.columns + group - 1) / group);
  return {HostTensor::from<std::int8_t>(DType::kInt8, weight.shape, values),
          tensor_from(weight.dtype, {weight.shape[0], groups}, scales)};
}

/// One number for all of a vector, or the vector itself.
HostTensor expanded(const HostTensor& tensor, const Node& node) {
  const auto& sizes = std::get<std::vector<Int>>(node.args.at(1));
  const std::vector<double> from = elements_of(tensor);
  std::vector<double> values(static_cast<std::size_t>(sizes.at(0).value), from.at(0));
  if (from.size() > 1) values = from;
  return tensor_from(tensor.dtype, {sizes[0].value}, values);
}

HostTensor reshaped(const HostTensor& tensor, const Node& node) {
  const std::vector<double> values = elements_of(tensor);
  Shape shape;
  for (const Int& size : std::get<std::vector<Int>>(node.args.at(1))) {
    shape.push_back(size.value < 0 ? static_cast<std::int64_t>(values.size()) : size.value);
  }
  return tensor_from(tensor.dtype, shape, values);
}

/// Scales of a checkpoint, in the type that they are stored in.
HostTensor multiplied(const HostTensor& tensor, const Node& node) {
  std::vector<double> values = elements_of(tensor);
  for (double& value : values) value *= std::get<double>(node.args.at(1));
  return tensor_from(tensor.dtype, tensor.shape, values);
}

class Maker {
 public:
  Maker(const Graph& preparation, const std::function<HostTensor(std::size_t)>& stored)
      : graph_(preparation), stored_(stored) {}

  HostTensor value(ValueId id) const {
    for (std::size_t i = 0; i < graph_.weights.size(); ++i) {
      if (graph_.weights[i].value != id) continue;
      HostTensor stored = stored_(i);
      check_finite(graph_.weights[i].name, stored);
      return stored;
    }
    const Node& node = graph_.nodes.at(graph_.values.at(id).producer);
    const auto place = std::find(node.outputs.begin(), node.outputs.end(), id) - node.outputs.begin();
    return results_of(node).at(static_cast<std::size_t>(place));
  }

 private:
  Results results_of(const Node& node) const {
    const HostTensor first = value(std::get<Use>(node.args.at(0)).value);
    if (node.op == "aten.t.default") return {transposed(first)};
    if (node.op == "aten.contiguous.default") return {first};  // all are
    if (node.op == "aten.reshape.default") return {reshaped(first, node)};
    if (node.op == "aten.expand.default") return {expanded(first, node)};
    if (node.op == "aten.mul.Scalar") return {multiplied(first, node)};
    if (node.op == "nongemm.int8_row_quantize.default") return int8_rows(first);
    if (node.op == "nongemm.group_quantize.default") return in_groups(first, node);
    throw Error(ErrorKind::kUnsupported, node.op + " makes weights in the torch flow alone", "use --flow torch");
  }

  const Graph& graph_;
  const std::function<HostTensor(std::size_t)>& stored_;
};

}  // namespace

HostTensor made_weight(const Graph& graph, std::size_t place,
                       const std::function<HostTensor(std::size_t stored)>& stored) {
  if (graph.preparation == nullptr) return stored(place);
  const Graph& preparation = *graph.preparation;
  const std::string& name = graph.weights.at(place).name;
  for (const Output& output : preparation.outputs) {
    if (output.name == name) return Maker(preparation, stored).value(output.value);
  }
  for (std::size_t i = 0; i < preparation.weights.size(); ++i) {
    if (preparation.weights[i].name == name) return stored(i);
  }
  throw Error(ErrorKind::kFailed, "nothing makes the weight '" + name + "'");
}

}  // namespace nongemm::weights
