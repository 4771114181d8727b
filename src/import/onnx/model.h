// An ONNX file as it was read (onnx.proto), before anything is made of it.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "base/file.h"
#include "base/tensor.h"
#include "onnx/onnx_model.h"

namespace nongemm::onnx {

struct ReadGraph;

/// A node with what its exporter says of its origin.
struct ReadNode {
  static constexpr std::size_t kNowhere = SIZE_MAX;

  std::string domain;  // empty for ONNX's own operators
  std::string type;
  std::string overload;
  std::string name;
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  std::vector<Attribute> attributes;
  /// In functions: attributes whose values the call gives, by {name, name in the call}.
  std::vector<std::pair<std::string, std::string>> references;
  /// Paths and classes of the modules around it, outermost first (the dynamo exporter's metadata).
  std::vector<std::pair<std::string, std::string>> modules;
  /// Of If, Loop and Scan, by the attribute's name.
  std::vector<std::pair<std::string, std::shared_ptr<const ReadGraph>>> bodies;
  /// Among the file's nodes, a node before those of its bodies; kNowhere for nodes of functions.
  std::size_t position = kNowhere;

  const Attribute* find(std::string_view attribute) const;
  /// nullptr when it has none of that name.
  const ReadGraph* body(std::string_view attribute) const;
};

/// Sizes that are free have a name, which may be empty, and are kDynamic in the shape.
struct ReadValue {
  DType dtype = DType::kUndefined;
  Shape shape;
  std::vector<std::string> dim_names;
  bool has_shape = false;
};

/// The model's graph, or a body of If, Loop or Scan.
struct ReadGraph {
  std::vector<ReadNode> nodes;  // in an order in which they can run
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  std::map<std::string, ReadValue> values;  // of inputs, outputs, and whatever else the file says the type of
  NamedTensors initializers;
};

/// An operator that the model defines itself.
struct ReadFunction {
  std::int64_t opset = 0;           // of ONNX's own operators in it
  std::vector<Attribute> defaults;  // of attributes that a call may leave out
  ReadGraph graph;
};

/// Domain, name, overload.
using FunctionKey = std::tuple<std::string, std::string, std::string>;

struct ReadModel {
  std::string producer;
  std::map<std::string, std::int64_t> opsets;  // by domain, "" for ONNX's own
  ReadGraph graph;                             // inputs without those that are initializers
  std::map<FunctionKey, ReadFunction> functions;
  std::size_t nodes = 0;  // those of bodies included, those of functions not
};

/// @throws Error (kBadInput) for damaged files, and for external data that is missing or lies outside the model's
///         folder, naming file and tensor
ReadModel read_model(const std::shared_ptr<const MappedFile>& file);

}  // namespace nongemm::onnx
