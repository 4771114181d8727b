// The messages of an ONNX file (onnx.proto) taken apart, for whoever reads models: names and texts as they are,
// everything else as the bytes it lies in. Nothing is understood here, and nothing larger than the file is allocated.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nongemm::onnx {

/// Bodies of bodies of bodies: deeper ones are damage.
inline constexpr int kMostNestedBodies = 16;

struct NodeMessage {
  std::string domain;  // empty for ONNX's own operators
  std::string type;
  std::string overload;  // of a function of the model
  std::string name;
  /// Empty for one that is left out.
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  std::vector<std::string_view> attributes;                   // AttributeProto
  std::vector<std::pair<std::string, std::string>> metadata;  // what exporters note
};

/// Views into the file.
struct GraphMessage {
  std::vector<std::string_view> nodes;                // NodeProto
  std::vector<std::string_view> initializers;         // TensorProto
  std::vector<std::string_view> sparse_initializers;  // SparseTensorProto
  std::vector<std::string_view> inputs;               // ValueInfoProto, as the next two
  std::vector<std::string_view> outputs;
  std::vector<std::string_view> values;
};

/// An operator that the model defines itself.
struct FunctionMessage {
  std::string domain;
  std::string name;
  std::string overload;
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  std::map<std::string, std::int64_t> opsets;
  std::vector<std::string_view> defaults;  // AttributeProto
  std::vector<std::string_view> nodes;
  std::vector<std::string_view> values;
};

struct ModelMessage {
  std::string producer;
  std::map<std::string, std::int64_t> opsets;  // by domain, "" for ONNX's own
  std::string_view graph;
  std::vector<std::string_view> functions;
};

/// @throws Error(kBadInput) for bytes that are damaged, here and below; read_model_message also for those without graph
ModelMessage read_model_message(std::string_view bytes);
GraphMessage read_graph_message(std::string_view bytes);
NodeMessage read_node_message(std::string_view bytes);
FunctionMessage read_function_message(std::string_view bytes);

/// The bodies of a node (GraphProto), in the order of the file: those of If, Loop and Scan.
std::vector<std::string_view> bodies_of(const NodeMessage& node);

/// Where the tensors of a model (of its graph and of bodies) lie that are not in it, each file once.
std::vector<std::string> external_locations(std::string_view model);

/// Names of a TensorProto and of a ValueInfoProto.
std::string tensor_name(std::string_view bytes);
std::string value_name(std::string_view bytes);

}  // namespace nongemm::onnx
