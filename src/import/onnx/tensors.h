// TensorProto: tensors inside an ONNX file, or beside it as external data.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <protozero/pbf_reader.hpp>
#include <string>

#include "base/file.h"
#include "base/tensor.h"

namespace nongemm::onnx {

class TensorReader {
 public:
  explicit TensorReader(std::shared_ptr<const MappedFile> file) : file_(std::move(file)) {}

  /// Shares the file's bytes where they are aligned. A tensor of a type that is not handled has no dtype and no data.
  /// @throws Error naming the tensor, protozero::exception
  std::pair<std::string, HostTensor> read(protozero::pbf_reader message);

 private:
  struct Parts;
  struct External {
    std::shared_ptr<const MappedFile> file;
    std::uint64_t copied = 0;  // bytes that could not be shared
  };

  Parts parts_of(protozero::pbf_reader message) const;
  static std::string location_of(const Parts& parts);
  HostTensor external(const std::string& name, const Parts& parts);
  const MappedFile& external_file(const std::string& name, const std::string& location);

  std::shared_ptr<const MappedFile> file_;
  std::map<std::string, External> external_;
};

}  // namespace nongemm::onnx
