#include "onnx/wire.h"

#include <fmt/format.h>

#include <optional>
#include <protozero/pbf_builder.hpp>

#include "base/error.h"

namespace nongemm::onnx {

std::int32_t data_type(DType dtype) { return info(dtype).onnx; }

DType dtype_of(std::int32_t data_type) { return dtype_by(&DTypeInfo::onnx, data_type).value_or(DType::kUndefined); }

namespace {

// Field numbers and enumerations of onnx.proto.
enum class Model : protozero::pbf_tag_type { kIrVersion = 1, kProducer = 2, kGraph = 7, kOpsetImport = 8 };
enum class Opset : protozero::pbf_tag_type { kDomain = 1, kVersion = 2 };
enum class GraphField : protozero::pbf_tag_type { kNode = 1, kName = 2, kInitializer = 5, kInput = 11, kOutput = 12 };
enum class NodeField : protozero::pbf_tag_type { kInput = 1, kOutput = 2, kName = 3, kType = 4, kAttribute = 5 };
enum class AttributeField : protozero::pbf_tag_type {
  kName = 1,
  kFloat = 2,
  kInt = 3,
  kString = 4,
  kTensor = 5,
  kGraph = 6,
  kFloats = 7,
  kInts = 8,
  kType = 20,
};
enum class TensorField : protozero::pbf_tag_type {
  kDims = 1,
  kDataType = 2,
  kName = 8,
  kRawData = 9,
  kExternalData = 13,
  kDataLocation = 14,
};
enum class EntryField : protozero::pbf_tag_type { kKey = 1, kValue = 2 };
enum class ValueField : protozero::pbf_tag_type { kName = 1, kType = 2 };
enum class TypeField : protozero::pbf_tag_type { kTensor = 1 };
enum class TensorTypeField : protozero::pbf_tag_type { kElementType = 1, kShape = 2 };
enum class ShapeField : protozero::pbf_tag_type { kDim = 1 };
enum class DimField : protozero::pbf_tag_type { kValue = 1 };

enum AttributeType : std::int32_t {
  kFloat = 1,
  kInt = 2,
  kString = 3,
  kTensor = 4,
  kGraph = 5,
  kFloats = 6,
  kInts = 7
};
constexpr std::int32_t kExternal = 1;

template <typename Field>
using Builder = protozero::pbf_builder<Field>;

std::string_view bytes_of(const HostTensor& tensor) {
  return {reinterpret_cast<const char*>(tensor.data.get()), tensor.byte_size()};
}

void add_tensor_header(Builder<TensorField>& tensor, const std::string& name, DType dtype, const Shape& shape) {
  for (const std::int64_t dim : shape) tensor.add_int64(TensorField::kDims, dim);
  tensor.add_int32(TensorField::kDataType, data_type(dtype));
  tensor.add_string(TensorField::kName, name);
}

void add_entry(Builder<TensorField>& tensor, std::string_view key, const std::string& value) {
  Builder<EntryField> entry(tensor, TensorField::kExternalData);
  entry.add_string(EntryField::kKey, key.data(), key.size());
  entry.add_string(EntryField::kValue, value);
}

void add_initializer(Builder<GraphField>& graph, const Initializer& initializer,
                     const std::optional<ExternalData>& at) {
  Builder<TensorField> tensor(graph, GraphField::kInitializer);
  add_tensor_header(tensor, initializer.name, initializer.dtype, initializer.shape);
  if (!at) {
    const std::string_view bytes = bytes_of(initializer.data);
    tensor.add_bytes(TensorField::kRawData, bytes.data(), bytes.size());
    return;
  }
  add_entry(tensor, "location", at->location);
  add_entry(tensor, "offset", std::to_string(at->offset));
  add_entry(tensor, "length", std::to_string(initializer.byte_size()));
  tensor.add_enum(TensorField::kDataLocation, kExternal);
}

void add_value(Builder<GraphField>& graph, GraphField field, const ValueDef& def) {
  Builder<ValueField> value(graph, field);
  value.add_string(ValueField::kName, def.name);
  Builder<TypeField> type(value, ValueField::kType);
  Builder<TensorTypeField> tensor(type, TypeField::kTensor);
  tensor.add_int32(TensorTypeField::kElementType, data_type(def.dtype));
  // Messages without fields have to stand there, too: a shape of no dimensions, a dimension of unknown size.
  std::string dims;
  Builder<ShapeField> shape(dims);
  for (const std::int64_t size : def.shape) {
    std::string content;
    if (size != kDynamic) Builder<DimField>(content).add_int64(DimField::kValue, size);
    shape.add_message(ShapeField::kDim, content);
  }
  tensor.add_message(TensorTypeField::kShape, dims);
}

void add_nodes(Builder<GraphField>& graph, const GraphDef& def);

void add_subgraph(Builder<AttributeField>& attribute, const GraphDef& def) {
  Builder<GraphField> graph(attribute, AttributeField::kGraph);
  add_nodes(graph, def);
  for (const Initializer& initializer : def.initializers) add_initializer(graph, initializer, std::nullopt);
}

/// Writes an attribute's value and its type.
struct AddValue {
  Builder<AttributeField>& attribute;

  void operator()(std::int64_t value) const {
    attribute.add_int64(AttributeField::kInt, value);
    attribute.add_enum(AttributeField::kType, kInt);
  }
  void operator()(double value) const {
    attribute.add_float(AttributeField::kFloat, static_cast<float>(value));
    attribute.add_enum(AttributeField::kType, kFloat);
  }
  void operator()(const std::string& value) const {
    attribute.add_bytes(AttributeField::kString, value);
    attribute.add_enum(AttributeField::kType, kString);
  }
  void operator()(const std::vector<std::int64_t>& values) const {
    for (const std::int64_t value : values) attribute.add_int64(AttributeField::kInts, value);
    attribute.add_enum(AttributeField::kType, kInts);
  }
  void operator()(const std::vector<double>& values) const {
    for (const double value : values) attribute.add_float(AttributeField::kFloats, static_cast<float>(value));
    attribute.add_enum(AttributeField::kType, kFloats);
  }
  void operator()(const HostTensor& value) const {
    Builder<TensorField> tensor(attribute, AttributeField::kTensor);
    add_tensor_header(tensor, "", value.dtype, value.shape);
    const std::string_view bytes = bytes_of(value);
    tensor.add_bytes(TensorField::kRawData, bytes.data(), bytes.size());
    tensor.commit();
    attribute.add_enum(AttributeField::kType, kTensor);
  }
  void operator()(const std::shared_ptr<GraphDef>& value) const {
    add_subgraph(attribute, *value);
    attribute.add_enum(AttributeField::kType, kGraph);
  }
};

void add_node(Builder<GraphField>& graph, const NodeDef& def) {
  Builder<NodeField> node(graph, GraphField::kNode);
  for (const std::string& input : def.inputs) node.add_string(NodeField::kInput, input);
  for (const std::string& output : def.outputs) node.add_string(NodeField::kOutput, output);
  node.add_string(NodeField::kName, def.name);
  node.add_string(NodeField::kType, def.type);
  for (const Attribute& def_attribute : def.attributes) {
    Builder<AttributeField> attribute(node, NodeField::kAttribute);
    attribute.add_string(AttributeField::kName, def_attribute.name);
    std::visit(AddValue{attribute}, def_attribute.value);
  }
}

/// Everything of a graph but its initializers.
void add_nodes(Builder<GraphField>& graph, const GraphDef& def) {
  for (const NodeDef& node : def.nodes) add_node(graph, node);
  graph.add_string(GraphField::kName, def.name);
  for (const ValueDef& value : def.inputs) add_value(graph, GraphField::kInput, value);
  for (const ValueDef& value : def.outputs) add_value(graph, GraphField::kOutput, value);
}

/// Everything of a model but its graph. The format's version is the oldest that has the opset, for old readers.
void add_header(Builder<Model>& proto, const ModelDef& model) {
  proto.add_int64(Model::kIrVersion, model.opset >= 19 ? 9 : 8);
  proto.add_string(Model::kProducer, "nongemm");
  Builder<Opset> opset(proto, Model::kOpsetImport);
  opset.add_string(Opset::kDomain, "");
  opset.add_int64(Opset::kVersion, model.opset);
}

constexpr std::uint32_t tag_of(protozero::pbf_tag_type field) { return field << 3 | 2; }  // length-delimited

/// Tag and length of a field whose content follows elsewhere.
std::string field_head(protozero::pbf_tag_type field, std::uint64_t length) {
  std::string head;
  protozero::write_varint(std::back_inserter(head), tag_of(field));
  protozero::write_varint(std::back_inserter(head), length);
  return head;
}

/// A weight's TensorProto up to its bytes, as a field of the graph.
std::string inline_weight_head(const Initializer& weight) {
  std::string content;
  Builder<TensorField> tensor(content);
  add_tensor_header(tensor, weight.name, weight.dtype, weight.shape);
  content += field_head(static_cast<protozero::pbf_tag_type>(TensorField::kRawData), weight.byte_size());
  const std::uint64_t length = content.size() + weight.byte_size();
  return field_head(static_cast<protozero::pbf_tag_type>(GraphField::kInitializer), length) + content;
}

}  // namespace

std::string serialize(const ModelDef& model, const std::function<ExternalData(const Initializer&)>& place) {
  std::string bytes;
  Builder<Model> proto(bytes);
  add_header(proto, model);
  Builder<GraphField> graph(proto, Model::kGraph);
  add_nodes(graph, model.graph);
  for (const Initializer& initializer : model.graph.initializers) {
    add_initializer(graph, initializer, initializer.is_weight() ? std::optional(place(initializer)) : std::nullopt);
  }
  graph.commit();
  return bytes;
}

void serialize_with_weights(const ModelDef& model, const Write& write,
                            const std::function<void(const Initializer&)>& write_weight) {
  std::string content;
  Builder<GraphField> graph(content);
  add_nodes(graph, model.graph);
  for (const Initializer& initializer : model.graph.initializers) {
    if (!initializer.is_weight()) add_initializer(graph, initializer, std::nullopt);
  }
  std::uint64_t length = content.size();
  for (const Initializer& initializer : model.graph.initializers) {
    if (initializer.is_weight()) length += inline_weight_head(initializer).size() + initializer.byte_size();
  }
  constexpr std::uint64_t kMostBytes = (std::uint64_t{1} << 31) - 1024;
  if (length > kMostBytes) {
    throw Error(ErrorKind::kUnsupported,
                fmt::format("a model of {:.1f} GB does not fit into one ONNX file", static_cast<double>(length) * 1e-9),
                "write its weights as external data");
  }
  std::string header;
  Builder<Model> proto(header);
  add_header(proto, model);
  write(header + field_head(static_cast<protozero::pbf_tag_type>(Model::kGraph), length));
  write(content);
  for (const Initializer& initializer : model.graph.initializers) {
    if (!initializer.is_weight()) continue;
    write(inline_weight_head(initializer));
    write_weight(initializer);
  }
}

std::uint64_t weight_bytes(const ModelDef& model) {
  std::uint64_t bytes = 0;
  for (const Initializer& initializer : model.graph.initializers) {
    if (initializer.is_weight()) bytes += initializer.byte_size();
  }
  return bytes;
}

}  // namespace nongemm::onnx
