// An ONNX file as it was read (onnx.proto), before anything is made of it.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/tensor.h"
#include "onnx/model.h"

namespace nongemm::onnx {

/// A node with what its exporter says of its origin.
struct ReadNode {
  std::string domain;  // empty for ONNX's own operators
  std::string type;
  std::string name;
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  std::vector<Attribute> attributes;
  /// Paths and classes of the modules around it, outermost first (the dynamo exporter's metadata).
  std::vector<std::pair<std::string, std::string>> modules;
  bool has_graph = false;  // a body of If, Loop or Scan, which is not read

  const Attribute* find(std::string_view attribute) const;
};

/// Sizes that are free have a name, which may be empty, and are kDynamic in the shape.
struct ReadValue {
  DType dtype = DType::kUndefined;
  Shape shape;
  std::vector<std::string> dim_names;
  bool has_shape = false;
};

struct ReadModel {
  std::string producer;
  std::map<std::string, std::int64_t> opsets;  // by domain, "" for ONNX's own
  std::vector<ReadNode> nodes;                 // in an order in which they can run
  std::vector<std::string> inputs;             // without initializers
  std::vector<std::string> outputs;
  std::map<std::string, ReadValue> values;  // of inputs, outputs, and whatever else the file says the type of
  NamedTensors initializers;
};

/// @throws Error (kBadInput) for damaged files, and for external data that is missing or lies outside the model's
///         folder, naming file and tensor
ReadModel read_model(const std::shared_ptr<const MappedFile>& file);

}  // namespace nongemm::onnx
