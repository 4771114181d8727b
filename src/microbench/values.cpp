// Tensors of what a spec says. Large ones repeat a block: what an operator takes does not depend on it.
#include <algorithm>
#include <cstring>
#include <string>

#include "base/elements.h"
#include "base/error.h"
#include "microbench/call_graph.h"
#include "weights/synthetic.h"

namespace nongemm::microbench {
namespace {

using Kind = Content::Kind;

/// SplitMix64 (Steele, Lea, Flood 2014).
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t x = (state_ += 0x9e3779b97f4a7c15u);
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
  }
  std::int64_t below(std::int64_t limit) {
    return limit < 1 ? 0 : static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(limit));
  }

 private:
  std::uint64_t state_;
};

constexpr std::int64_t kIntegers = 10;
constexpr std::int64_t kImage = 800;  // pixels

InitSpec init_of(Kind kind) {
  if (kind == Kind::kZeros) return InitSpec::constant(0.0);
  if (kind == Kind::kOnes) return InitSpec::constant(1.0);
  return kind == Kind::kUniform ? InitSpec::uniform(0.0, 1.0) : InitSpec::normal(0.0, 1.0);
}

/// Corners of boxes of 16 pixels and more, after the number of an image where there is one.
double box_value(const TensorSpec& spec, std::size_t i, Random& random, double& low_x, double& low_y) {
  const std::size_t width =
      spec.shape.empty() ? 1 : static_cast<std::size_t>(std::max<std::int64_t>(1, spec.shape.back()));
  const std::size_t column = i % width + (spec.content.kind == Kind::kBoxes ? 1 : 0);
  switch (column) {
    case 0:
      return 0;
    case 1:
      return low_x = static_cast<double>(random.below(kImage));
    case 2:
      return low_y = static_cast<double>(random.below(kImage));
    case 3:
      return low_x + 16 + static_cast<double>(random.below(kImage / 4));
    default:
      return low_y + 16 + static_cast<double>(random.below(kImage / 4));
  }
}

HostTensor make_boxes(const TensorSpec& spec, std::uint64_t seed) {
  auto [tensor, bytes] = HostTensor::allocate(DType::kFloat32, spec.shape);
  Random random(seed);
  double low_x = 0;
  double low_y = 0;
  const std::size_t count = tensor.byte_size() / sizeof(float);
  for (std::size_t i = 0; i < count; ++i) {
    const auto value = static_cast<float>(box_value(spec, i, random, low_x, low_y));
    std::memcpy(bytes + i * sizeof(float), &value, sizeof(float));
  }
  return tensor;
}

std::int64_t integer_of(const TensorSpec& spec, Random& random) {
  switch (spec.content.kind) {
    case Kind::kZeros:
      return 0;
    case Kind::kOnes:
      return 1;
    case Kind::kIndices:
      return random.below(spec.content.limit);
    default:
      return spec.dtype == DType::kBool ? random.below(2) : random.below(kIntegers);
  }
}

HostTensor make_integers(const TensorSpec& spec, std::uint64_t seed) {
  auto [tensor, bytes] = HostTensor::allocate(spec.dtype, spec.shape);
  const std::size_t size = size_of(spec.dtype);
  const auto count = static_cast<std::size_t>(element_count(spec.shape));
  const ElementWriter write = element_writer(spec.dtype);
  constexpr std::size_t kBlock = std::size_t{1} << 20;
  Random random(seed);
  const std::size_t drawn = std::min(count, kBlock);
  for (std::size_t i = 0; i < drawn; ++i) {
    write(bytes, i, static_cast<double>(integer_of(spec, random)));
  }
  for (std::size_t i = drawn; i < count; i += drawn) {
    std::memcpy(bytes + i * size, bytes, std::min(drawn, count - i) * size);
  }
  return tensor;
}

HostTensor make_tensor(const TensorSpec& spec, const std::string& name, std::uint64_t seed) {
  if (is_complex(spec.dtype)) {
    TensorSpec parts = spec;
    parts.dtype = part_of(spec.dtype);
    parts.shape.push_back(2);
    HostTensor pairs = make_tensor(parts, name, seed);
    pairs.dtype = spec.dtype;
    pairs.shape = spec.shape;
    return pairs;
  }
  if (!is_floating(spec.dtype)) return make_integers(spec, seed);
  if (spec.content.kind == Kind::kBoxes || spec.content.kind == Kind::kRois) {
    if (spec.dtype != DType::kFloat32) {
      throw Error(ErrorKind::kUnsupported, "boxes of " + std::string(name_of(spec.dtype)) + " are not made",
                  "use --dtype fp32");
    }
    return make_boxes(spec, seed);
  }
  return weights::synthesize({name, spec.dtype, spec.shape, init_of(spec.content.kind)}, seed);
}

}  // namespace

std::vector<HostTensor> make_tensors(const std::vector<TensorSpec>& specs, std::uint64_t seed) {
  std::vector<HostTensor> tensors;
  for (std::size_t i = 0; i < specs.size(); ++i) {
    tensors.push_back(make_tensor(specs[i], "operand " + std::to_string(i), seed + i));
  }
  return tensors;
}

}  // namespace nongemm::microbench
