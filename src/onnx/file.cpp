#include "onnx/file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <span>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/parallel.h"
#include "onnx/wire.h"

namespace nongemm::onnx {
namespace {

/// Runtimes map external data: ONNX asks for offsets at page boundaries.
constexpr std::uint64_t kAlignment = 4096;
constexpr std::uint64_t kBlockBytes = std::uint64_t{32} << 20;

/// Rows [first, first + count) of the transpose of a matrix with `rows` x `columns` elements.
template <typename Element>
void transpose_rows(const std::byte* source, std::byte* target, std::size_t rows, std::size_t columns,
                    std::size_t first, std::size_t count) {
  const auto* from = reinterpret_cast<const Element*>(source);
  auto* to = reinterpret_cast<Element*>(target);
  constexpr std::size_t kTile = 32;  // a tile of both matrices stays in the first-level cache
  for (std::size_t row = 0; row < rows; row += kTile) {
    const std::size_t row_end = std::min(row + kTile, rows);
    for (std::size_t column = 0; column < count; column += kTile) {
      const std::size_t column_end = std::min(column + kTile, count);
      for (std::size_t j = column; j < column_end; ++j) {
        for (std::size_t i = row; i < row_end; ++i) to[j * rows + i] = from[i * columns + first + j];
      }
    }
  }
}

void transpose_rows(const HostTensor& matrix, std::byte* target, std::size_t first, std::size_t count) {
  const auto rows = static_cast<std::size_t>(matrix.shape[0]);
  const auto columns = static_cast<std::size_t>(matrix.shape[1]);
  const auto with = [&](auto element) {
    transpose_rows<decltype(element)>(matrix.data.get(), target, rows, columns, first, count);
  };
  switch (size_of(matrix.dtype)) {
    case 1:
      return with(std::uint8_t{});
    case 2:
      return with(std::uint16_t{});
    case 4:
      return with(std::uint32_t{});
    default:
      return with(std::uint64_t{});
  }
}

void check_weight(const Initializer& initializer, const HostTensor& weight) {
  Shape shape = weight.shape;
  if (initializer.transposed) std::reverse(shape.begin(), shape.end());
  if (weight.data && weight.dtype == initializer.dtype && shape == initializer.shape) return;
  throw Error(ErrorKind::kFailed,
              fmt::format("weight '{}' is given as {} {}, the model has {} {}", initializer.name, name_of(weight.dtype),
                          to_string(weight.shape), name_of(initializer.dtype), to_string(initializer.shape)));
}

/// Writes a weight, a transposed one block by block.
void write_weight(AtomicFile& file, const Initializer& initializer, const GiveWeight& give) {
  const HostTensor weight = give(initializer.weight);
  check_weight(initializer, weight);
  if (!initializer.transposed) {
    file.write(std::span(weight.data.get(), weight.byte_size()));
    return;
  }
  const auto columns = static_cast<std::size_t>(weight.shape[1]);
  const std::size_t row_bytes = static_cast<std::size_t>(weight.shape[0]) * size_of(weight.dtype);
  const std::size_t block = std::max<std::size_t>(kBlockBytes / std::max<std::size_t>(row_bytes, 1), 1);
  std::vector<std::byte> buffer(std::min(block, columns) * row_bytes);
  for (std::size_t first = 0; first < columns; first += block) {
    const std::size_t count = std::min(block, columns - first);
    transpose_rows(weight, buffer.data(), first, count);
    file.write(std::span(buffer.data(), count * row_bytes));
  }
}

/// One weight after the other; gives each one's place.
std::map<std::string, std::uint64_t> write_data(AtomicFile& file, const ModelDef& model, const GiveWeight& give,
                                                std::uint64_t& size) {
  std::map<std::string, std::uint64_t> offsets;
  const std::vector<std::byte> padding(kAlignment);
  for (const Initializer& initializer : model.graph.initializers) {
    if (!initializer.is_weight()) continue;
    if (const std::uint64_t rest = size % kAlignment; rest != 0) {
      file.write(std::span(padding).first(kAlignment - rest));
      size += kAlignment - rest;
    }
    offsets[initializer.name] = size;
    write_weight(file, initializer, give);
    size += initializer.byte_size();
  }
  return offsets;
}

}  // namespace

WrittenModel write_model(const ModelDef& model, const std::filesystem::path& path, const GiveWeight& give,
                         std::uint64_t most_inline) {
  WrittenModel written{path, {}, 0};
  AtomicFile file(path);
  const auto write = [&](std::string_view bytes) {
    file.write(bytes);
    written.bytes += bytes.size();
  };
  if (weight_bytes(model) <= most_inline) {
    serialize_with_weights(model, write, [&](const Initializer& weight) {
      write_weight(file, weight, give);
      written.bytes += weight.byte_size();
    });
    file.commit();
    return written;
  }
  written.data = path;
  written.data += ".data";
  AtomicFile data(written.data);
  const std::map<std::string, std::uint64_t> offsets = write_data(data, model, give, written.bytes);
  write(serialize(model, [&](const Initializer& weight) {
    return ExternalData{written.data.filename().string(), offsets.at(weight.name)};
  }));
  data.commit();
  file.commit();
  return written;
}

HostTensor tensor_of(const Initializer& initializer, const GiveWeight& give) {
  if (!initializer.is_weight()) return initializer.data;
  HostTensor weight = give(initializer.weight);
  check_weight(initializer, weight);
  if (!initializer.transposed) return weight;
  auto [transposed, bytes] = HostTensor::allocate(weight.dtype, initializer.shape);
  std::byte* target = bytes;
  const auto columns = static_cast<std::size_t>(weight.shape[1]);
  const std::size_t row_bytes = static_cast<std::size_t>(weight.shape[0]) * size_of(weight.dtype);
  constexpr std::size_t kRowsPerTask = 256;
  parallel_for((columns + kRowsPerTask - 1) / kRowsPerTask, 0, [&, source = weight](std::size_t task) {
    const std::size_t first = task * kRowsPerTask;
    transpose_rows(source, target + first * row_bytes, first, std::min(kRowsPerTask, columns - first));
  });
  return transposed;
}

}  // namespace nongemm::onnx
