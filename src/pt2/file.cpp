#include "pt2/file.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/zip_writer.h"
#include "graph/graph.h"
#include "pt2/format.h"
#include "pt2/torch_save.h"
#include "pt2/types.h"

namespace nongemm::pt2 {
namespace {

Json sizes_of(const Shape& sizes) {
  Json list = Json::array();
  for (const std::int64_t size : sizes) list.push_back({{"as_int", size}});
  return list;
}

void check(const StateTensor& wanted, const HostTensor& given) {
  if (given.data && given.dtype == wanted.dtype && given.shape == wanted.shape) return;
  throw Error(ErrorKind::kFailed,
              fmt::format("weight '{}' is given as {} {}, the program has {} {}", wanted.name, name_of(given.dtype),
                          to_string(given.shape), name_of(wanted.dtype), to_string(wanted.shape)));
}

/// Bytes that stand in the archive already. Where they lay in memory is compared only while somebody still holds them:
/// weights that are drawn one by one lie at the same place one after the other.
class WrittenStorages {
 public:
  struct Place {
    std::string path;
    std::uint64_t offset = 0;  // in bytes
  };

  std::optional<Place> find(const HostTensor& tensor) const {
    const std::byte* begin = tensor.data.get();
    for (const Written& written : written_) {
      if (written.held.expired() || begin < written.begin) continue;
      const auto offset = static_cast<std::uint64_t>(begin - written.begin);
      const bool aligned = offset % size_of(tensor.dtype) == 0;
      if (aligned && written.dtype == tensor.dtype && offset + tensor.byte_size() <= written.size)
        return Place{written.path, offset};
    }
    return std::nullopt;
  }

  void add(const HostTensor& tensor, const std::string& path) {
    written_.push_back({tensor.data, tensor.data.get(), tensor.byte_size(), tensor.dtype, path});
  }

 private:
  struct Written {
    std::weak_ptr<const std::byte> held;
    const std::byte* begin = nullptr;
    std::uint64_t size = 0;
    DType dtype = DType::kUndefined;
    std::string path;
  };
  std::vector<Written> written_;
};

/// The tensors of one folder of the archive, and the file that describes them.
class StateWriter {
 public:
  StateWriter(ZipWriter& zip, std::string folder, std::string prefix)
      : zip_(zip), folder_(std::move(folder)), prefix_(std::move(prefix)) {}

  void add(const StateTensor& wanted, const HostTensor& given) {
    check(wanted, given);
    std::optional<WrittenStorages::Place> place = written_.find(given);
    if (!place) {
      place = WrittenStorages::Place{prefix_ + std::to_string(count_++), 0};
      zip_.add(folder_ + place->path, std::span(given.data.get(), given.byte_size()));
      written_.add(given, place->path);
    }
    const auto offset = static_cast<std::int64_t>(place->offset / size_of(given.dtype));
    config_[wanted.name] = {{"path_name", place->path},
                            {"is_param", wanted.parameter},
                            {"use_pickle", false},
                            {"tensor_meta", tensor_meta(wanted.dtype, wanted.shape, {}, offset)}};
  }

  void finish(std::string_view config) {
    zip_.add(folder_ + std::string(kModel) + std::string(config), dump_json(Json{{"config", config_}}));
  }

 private:
  ZipWriter& zip_;
  std::string folder_;
  std::string prefix_;
  WrittenStorages written_;
  int count_ = 0;
  Json config_ = Json::object();
};

}  // namespace

Json tensor_meta(DType dtype, const Shape& shape, const Shape& strides, std::int64_t offset) {
  return {{"dtype", number_of(dtype)},
          {"sizes", sizes_of(shape)},
          {"requires_grad", false},
          {"device", {{"type", "cpu"}, {"index", nullptr}}},
          {"strides", sizes_of(strides.empty() ? contiguous_strides(shape) : strides)},
          {"storage_offset", {{"as_int", offset}}},
          {"layout", kStridedLayout}};
}

std::uint64_t write_program(const Program& program, const std::filesystem::path& path, const GiveWeight& give,
                            const std::vector<HostTensor>& inputs) {
  AtomicFile file(path);
  ZipWriter zip([&](std::span<const std::byte> bytes) { file.write(bytes); });
  // The name of the file would do, too; one that never changes makes equal models equal files.
  const std::string root = std::string(kModel) + "/";
  const auto in_root = [&](std::string_view name) { return root + std::string(name); };

  StateWriter weights(zip, in_root(kWeights), "weight_");
  for (std::size_t i = 0; i < program.weights.size(); ++i) weights.add(program.weights[i], give(i));
  weights.finish(kWeightsConfig);
  StateWriter constants(zip, in_root(kConstants), "tensor_");
  for (const StateTensor& constant : program.constants) constants.add(constant, constant.data);
  constants.finish(kConstantsConfig);

  const std::string model(kModel);
  zip.add(in_root(kModels) + model + ".json", dump_json(*program.json));
  zip.add(in_root(kSampleInputs) + model + ".pt", save_inputs(program.inputs, inputs));
  zip.add(in_root(kFormatEntry), kFormat);
  zip.add(in_root(kVersionEntry), "0");
  zip.add(in_root(".data/version"), "6\n");
  zip.add(in_root(kByteOrderEntry), kLittleEndian);
  zip.finish();
  file.commit();
  return zip.bytes();
}

}  // namespace nongemm::pt2
