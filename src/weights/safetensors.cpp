#include "weights/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>
#include <numeric>
#include <unordered_set>

#include "base/error.h"
#include "base/host_memory.h"
#include "weights/checked_size.h"

namespace nongemm::weights {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors data is little-endian and used in place");

constexpr std::size_t kLengthBytes = 8;
// The limit of the format's own library: no header of an honest checkpoint comes near.
constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;
constexpr std::size_t kMaxRank = 64;
constexpr std::size_t kMaxNameBytes = 4096;
constexpr const char* kWayOut = "fetch or save the file again";

[[noreturn]] void refuse(std::string_view file_name, const std::string& what) {
  throw Error(ErrorKind::kBadInput, fmt::format("{}: {}", file_name, what), kWayOut);
}

/// Element types that the format knows and this program does not.
bool is_foreign_dtype(std::string_view text) {
  constexpr std::string_view kForeign[] = {"F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ", "F4", "F6_E2M3", "F6_E3M2", "C64"};
  return std::find(std::begin(kForeign), std::end(kForeign), text) != std::end(kForeign);
}

std::string_view safetensors_name_of(DType dtype) {
  if (!info(dtype).safetensors.empty()) return info(dtype).safetensors;
  throw Error(ErrorKind::kUnsupported, fmt::format("safetensors has no element type for {}", name_of(dtype)));
}

/// Takes exactly what a header may hold, so that a hostile one costs neither stack nor more memory than its own size:
/// {name: {"dtype": string, "shape": [unsigned...], "data_offsets": [begin, end]}, "__metadata__": {string: string}}.
class HeaderReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit HeaderReader(std::string_view file_name) : file_name_(file_name) {}

  std::vector<SafetensorsEntry> take_entries() { return std::move(entries_); }

  bool start_object(std::size_t) override {
    if (place_ == Place::kStart) {
      place_ = Place::kTop;
    } else if (place_ == Place::kTopValue) {
      place_ = in_metadata_ ? Place::kMetadata : Place::kTensor;
      has_shape_ = has_offsets_ = false;
    } else {
      unexpected("an object");
    }
    return true;
  }

  bool key(std::string& name) override {
    if (name.size() > kMaxNameBytes) refuse(file_name_, fmt::format("a name in the header has {} bytes", name.size()));
    if (place_ == Place::kTop) {
      in_metadata_ = name == "__metadata__";
      if (!names_.insert(name).second) refuse(file_name_, fmt::format("tensor '{}' appears twice in the header", name));
      if (!in_metadata_) entries_.emplace_back().name = name;
      place_ = Place::kTopValue;
    } else if (place_ == Place::kTensor) {
      if (name == "dtype") {
        place_ = Place::kDType;
      } else if (name == "shape") {
        place_ = Place::kShape;
      } else if (name == "data_offsets") {
        place_ = Place::kOffsets;
      } else {
        refuse_tensor(fmt::format("unknown key '{}' in the header", name));
      }
    }
    return true;
  }

  bool string(std::string& text) override {
    if (place_ == Place::kMetadata) return true;
    if (place_ != Place::kDType) unexpected("a string");
    SafetensorsEntry& entry = entries_.back();
    if (entry.dtype != DType::kUndefined) refuse_tensor("key 'dtype' appears twice");
    if (is_foreign_dtype(text)) {
      throw Error(
          ErrorKind::kUnsupported,
          fmt::format("{}: tensor '{}' has element type {}, which is not handled", file_name_, entry.name, text),
          "convert the checkpoint to F32, F16 or BF16");
    }
    const std::optional<DType> dtype = dtype_by(&DTypeInfo::safetensors, text);
    if (!dtype) refuse_tensor(fmt::format("unknown dtype '{}'", text));
    entry.dtype = *dtype;
    place_ = Place::kTensor;
    return true;
  }

  bool start_array(std::size_t) override {
    if (place_ == Place::kShape && !has_shape_) {
      place_ = Place::kShapeItems;
      has_shape_ = true;
    } else if (place_ == Place::kOffsets && !has_offsets_) {
      place_ = Place::kOffsetsItems;
      has_offsets_ = true;
      offsets_.clear();
    } else {
      unexpected("a list");
    }
    return true;
  }

  bool number_unsigned(std::uint64_t value) override {
    if (place_ == Place::kShapeItems) {
      Shape& shape = entries_.back().shape;
      if (shape.size() == kMaxRank) refuse_tensor(fmt::format("its shape has more than {} dimensions", kMaxRank));
      if (value > static_cast<std::uint64_t>(INT64_MAX)) refuse_tensor("a dimension is absurdly large");
      shape.push_back(static_cast<std::int64_t>(value));
    } else if (place_ == Place::kOffsetsItems) {
      if (offsets_.size() == 2) refuse_tensor("'data_offsets' must hold two numbers");
      offsets_.push_back(value);
    } else {
      unexpected("a number");
    }
    return true;
  }

  bool end_array() override {
    if (place_ == Place::kOffsetsItems) {
      if (offsets_.size() != 2) refuse_tensor("'data_offsets' must hold two numbers");
      entries_.back().begin = offsets_[0];
      entries_.back().end = offsets_[1];
    }
    place_ = Place::kTensor;
    return true;
  }

  bool end_object() override {
    if (place_ == Place::kTensor) finish_tensor();
    place_ = Place::kTop;
    return true;
  }

  bool null() override { unexpected("null"); }
  bool boolean(bool) override { unexpected("a boolean"); }
  bool number_integer(std::int64_t) override { unexpected("a negative number"); }
  bool number_float(double, const std::string&) override { unexpected("a fraction or a number beyond 64 bits"); }
  bool binary(binary_t&) override { unexpected("binary data"); }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception&) override {
    refuse(file_name_, fmt::format("the header is not valid JSON at byte {}", position));
  }

 private:
  enum class Place {
    kStart,
    kTop,
    kTopValue,
    kMetadata,
    kTensor,
    kDType,
    kShape,
    kShapeItems,
    kOffsets,
    kOffsetsItems
  };

  [[noreturn]] void refuse_tensor(const std::string& what) const {
    refuse(file_name_, fmt::format("tensor '{}': {}", entries_.back().name, what));
  }

  [[noreturn]] void unexpected(const char* what) const {
    if (in_metadata_) refuse(file_name_, fmt::format("'__metadata__' holds {}; it maps names to strings", what));
    if (entries_.empty()) refuse(file_name_, fmt::format("the header holds {} where tensors are expected", what));
    refuse_tensor(fmt::format("{} where its dtype, shape or data_offsets are expected", what));
  }

  void finish_tensor() {
    const SafetensorsEntry& entry = entries_.back();
    if (entry.dtype == DType::kUndefined) refuse_tensor("key 'dtype' is missing");
    if (!has_shape_) refuse_tensor("key 'shape' is missing");
    if (!has_offsets_) refuse_tensor("key 'data_offsets' is missing");
    const std::optional<std::uint64_t> size = checked_byte_size(entry.dtype, entry.shape);
    if (!size) refuse_tensor(fmt::format("shape {} is absurdly large", to_string(entry.shape)));
    if (entry.begin > entry.end) {
      refuse_tensor(fmt::format("data_offsets [{}, {}] end before they begin", entry.begin, entry.end));
    }
    if (entry.end - entry.begin != *size) {
      refuse_tensor(fmt::format("shape {} in {} needs {} bytes, its data_offsets [{}, {}] hold {}",
                                to_string(entry.shape), name_of(entry.dtype), *size, entry.begin, entry.end,
                                entry.end - entry.begin));
    }
  }

  std::string_view file_name_;
  std::vector<SafetensorsEntry> entries_;
  std::unordered_set<std::string> names_;
  Place place_ = Place::kStart;
  bool in_metadata_ = false;
  bool has_shape_ = false;
  bool has_offsets_ = false;
  std::vector<std::uint64_t> offsets_;
};

/// The format allows neither overlap nor hole: sorted by offset, each tensor begins where the one before ends.
void check_layout(const std::vector<SafetensorsEntry>& entries, std::uint64_t data_bytes, std::string_view file_name) {
  std::vector<const SafetensorsEntry*> sorted;
  for (const SafetensorsEntry& entry : entries) sorted.push_back(&entry);
  std::sort(sorted.begin(), sorted.end(), [](const SafetensorsEntry* a, const SafetensorsEntry* b) {
    return std::pair(a->begin, a->end) < std::pair(b->begin, b->end);
  });
  std::uint64_t covered = 0;
  const SafetensorsEntry* before = nullptr;
  for (const SafetensorsEntry* entry : sorted) {
    if (entry->end > data_bytes) {
      refuse(file_name,
             fmt::format("tensor '{}' ends at byte {} of the data, but the file holds {}: it is truncated or damaged",
                         entry->name, entry->end, data_bytes));
    }
    if (entry->begin < covered) {
      refuse(file_name, fmt::format("tensor '{}' overlaps tensor '{}'", entry->name, before->name));
    }
    if (entry->begin > covered) {
      refuse(file_name,
             fmt::format("{} bytes before tensor '{}' belong to no tensor", entry->begin - covered, entry->name));
    }
    covered = entry->end;
    before = entry;
  }
  if (covered != data_bytes) {
    refuse(file_name, fmt::format("{} bytes at the end belong to no tensor", data_bytes - covered));
  }
}

std::uint64_t read_length(const char* bytes) {
  std::uint64_t length = 0;
  std::memcpy(&length, bytes, kLengthBytes);
  return length;
}

/// A header is a JSON object. Its length is left to the reader, which says what is wrong with it.
bool is_safetensors(std::string_view head, std::uint64_t) {
  return head.size() > kLengthBytes && head[kLengthBytes] == '{';
}

}  // namespace

std::vector<SafetensorsEntry> parse_safetensors_header(std::span<const std::byte> file, std::string_view file_name) {
  if (file.size() < kLengthBytes) {
    refuse(file_name, fmt::format("is truncated: {} bytes are no safetensors file", file.size()));
  }
  const char* text = reinterpret_cast<const char*>(file.data());
  const std::uint64_t length = read_length(text);
  if (length > kMaxHeaderBytes) {
    refuse(file_name, fmt::format("the header claims {} bytes: this is no safetensors file or it is damaged", length));
  }
  if (length > file.size() - kLengthBytes) {
    refuse(file_name, fmt::format("is truncated: the header has {} bytes, the whole file {}", length, file.size()));
  }
  const std::string_view header(text + kLengthBytes, length);
  HeaderReader reader(file_name);
  nlohmann::json::sax_parse(header, &reader);
  std::vector<SafetensorsEntry> entries = reader.take_entries();
  check_layout(entries, file.size() - kLengthBytes - length, file_name);
  return entries;
}

NamedTensors read_safetensors(const std::shared_ptr<const MappedFile>& file) {
  const std::vector<SafetensorsEntry> entries = parse_safetensors_header(file->bytes(), file->path().string());
  const std::uint64_t length = read_length(reinterpret_cast<const char*>(file->bytes().data()));
  const std::byte* data = file->bytes().data() + kLengthBytes + length;
  const auto is_aligned = [&](const SafetensorsEntry& entry) {
    return reinterpret_cast<std::uintptr_t>(data + entry.begin) % size_of(entry.dtype) == 0;
  };
  double copied = 0;
  for (const SafetensorsEntry& entry : entries) {
    if (!is_aligned(entry)) copied += static_cast<double>(entry.end - entry.begin);
  }
  require_memory("aligning the tensors of " + file->path().string(), copied, "save the file again");
  NamedTensors tensors;
  tensors.reserve(entries.size());
  for (const SafetensorsEntry& entry : entries) {
    const std::byte* bytes = data + entry.begin;
    if (is_aligned(entry)) {
      tensors.emplace_back(entry.name,
                           HostTensor{entry.dtype, entry.shape, std::shared_ptr<const std::byte>(file, bytes)});
      continue;
    }
    auto [tensor, copy] = HostTensor::allocate(entry.dtype, entry.shape);
    std::memcpy(copy, bytes, entry.end - entry.begin);
    tensors.emplace_back(entry.name, std::move(tensor));
  }
  return tensors;
}

NamedTensors read_safetensors(const std::filesystem::path& path) { return read_safetensors(MappedFile::open(path)); }

CheckpointFormat safetensors_format() {
  return {"safetensors", is_safetensors,
          [](const std::shared_ptr<const MappedFile>& file) { return read_safetensors(file); }};
}

void write_safetensors(const std::filesystem::path& path, const NamedTensors& tensors,
                       const std::map<std::string, std::string>& metadata) {
  // Widest elements first: the data starts at a multiple of 8, so everything after stays aligned.
  std::vector<std::size_t> order(tensors.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return size_of(tensors[a].second.dtype) > size_of(tensors[b].second.dtype);
  });
  std::vector<std::uint64_t> begins(tensors.size());
  std::uint64_t offset = 0;
  for (std::size_t i : order) {
    begins[i] = offset;
    offset += tensors[i].second.byte_size();
  }

  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::unordered_set<std::string_view> names;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const auto& [name, tensor] = tensors[i];
    if (!names.insert(name).second || name == "__metadata__") {
      throw Error(ErrorKind::kFailed,
                  fmt::format("{}: tensor '{}' cannot be written under that name", path.string(), name));
    }
    // Not header[name]: an ordered_json object looks names up one by one.
    header.get_ref<nlohmann::ordered_json::object_t&>().emplace_back(
        name, nlohmann::ordered_json{{"dtype", safetensors_name_of(tensor.dtype)},
                                     {"shape", tensor.shape},
                                     {"data_offsets", {begins[i], begins[i] + tensor.byte_size()}}});
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');

  const std::uint64_t length = text.size();
  AtomicFile file(path);
  file.write(std::as_bytes(std::span(&length, 1)));
  file.write(text);
  for (std::size_t i : order) file.write({tensors[i].second.data.get(), tensors[i].second.byte_size()});
  file.commit();
}

}  // namespace nongemm::weights
