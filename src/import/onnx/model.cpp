#include "import/onnx/model.h"

#include <algorithm>
#include <protozero/pbf_reader.hpp>
#include <set>
#include <utility>

#include "base/error.h"
#include "import/onnx/tensors.h"
#include "onnx/messages.h"
#include "onnx/wire.h"

namespace nongemm::onnx {
namespace {

using protozero::pbf_reader;
using protozero::pbf_wire_type;

constexpr std::uint32_t field(protozero::pbf_tag_type tag, pbf_wire_type form) {
  return protozero::tag_and_type(tag, form);
}
constexpr std::uint32_t text(protozero::pbf_tag_type tag) { return field(tag, pbf_wire_type::length_delimited); }
constexpr std::uint32_t number(protozero::pbf_tag_type tag) { return field(tag, pbf_wire_type::varint); }

pbf_reader reader_of(std::string_view bytes) { return {bytes.data(), bytes.size()}; }

/// "['', 'h.0', 'h.0.attn']" as the dynamo exporter writes lists of texts.
std::vector<std::string> quoted_texts(std::string_view list) {
  std::vector<std::string> texts;
  for (std::size_t at = list.find('\''); at != std::string_view::npos; at = list.find('\'', at)) {
    const std::size_t end = list.find('\'', at + 1);
    if (end == std::string_view::npos) break;
    texts.emplace_back(list.substr(at + 1, end - at - 1));
    at = end + 1;
  }
  return texts;
}

/// The last entry of each list is the operator itself.
void add_modules(const std::vector<std::pair<std::string, std::string>>& metadata, ReadNode& node) {
  for (const auto& [key, value] : metadata) {
    const bool paths = key == "pkg.torch.onnx.name_scopes";
    if (!paths && key != "pkg.torch.onnx.class_hierarchy") continue;
    std::vector<std::string> texts = quoted_texts(value);
    if (!texts.empty()) texts.pop_back();
    node.modules.resize(std::max(node.modules.size(), texts.size()));
    for (std::size_t i = 0; i < texts.size(); ++i) {
      (paths ? node.modules[i].first : node.modules[i].second) = std::move(texts[i]);
    }
  }
}

void read_shape(pbf_reader message, ReadValue& value) {
  value.has_shape = true;
  while (message.next()) {
    if (message.tag_and_type() != text(1)) {
      message.skip();
      continue;
    }
    std::int64_t size = kDynamic;
    std::string dim_name;
    pbf_reader dim = message.get_message();
    while (dim.next()) {
      if (dim.tag_and_type() == number(1)) {
        size = std::max(dim.get_int64(), kDynamic);
      } else if (dim.tag_and_type() == text(2)) {
        dim_name = dim.get_string();
      } else {
        dim.skip();
      }
    }
    value.shape.push_back(size);
    value.dim_names.push_back(std::move(dim_name));
  }
}

/// TypeProto; only tensors have a type here.
void read_type(pbf_reader message, ReadValue& value) {
  while (message.next()) {
    if (message.tag_and_type() != text(1)) {
      message.skip();
      continue;
    }
    pbf_reader tensor = message.get_message();
    while (tensor.next()) {
      if (tensor.tag_and_type() == number(1)) {
        value.dtype = dtype_of(tensor.get_int32());
      } else if (tensor.tag_and_type() == text(2)) {
        read_shape(tensor.get_message(), value);
      } else {
        tensor.skip();
      }
    }
  }
}

/// Gives its name.
std::string read_value(std::string_view bytes, std::map<std::string, ReadValue>& values) {
  ReadValue value;
  pbf_reader message = reader_of(bytes);
  while (message.next()) {
    if (message.tag_and_type() == text(2)) {
      read_type(message.get_message(), value);
    } else {
      message.skip();
    }
  }
  std::string name = value_name(bytes);
  values[name] = std::move(value);
  return name;
}

class ModelReader {
 public:
  explicit ModelReader(const std::shared_ptr<const MappedFile>& file) : file_(file), tensors_(file) {}

  ReadModel read() {
    const auto bytes = file_->bytes();
    const ModelMessage message = read_model_message({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    ReadModel model;
    model.producer = message.producer;
    model.opsets = message.opsets;
    model.graph = read_graph(read_graph_message(message.graph), 0);
    model.nodes = position_;
    std::set<std::string> initializers;
    for (const auto& [name, tensor] : model.graph.initializers) initializers.insert(name);
    // Files of IR version 3 list them among the inputs.
    std::erase_if(model.graph.inputs, [&](const std::string& name) { return initializers.contains(name); });
    for (const std::string_view function : message.functions) read_function(function, model);
    return model;
  }

 private:
  ReadGraph read_graph(const GraphMessage& message, int depth) {
    if (depth > kMostNestedBodies) throw Error(ErrorKind::kBadInput, "its bodies are nested too deeply");
    ReadGraph graph;
    for (const std::string_view tensor : message.initializers) {
      graph.initializers.push_back(tensors_.read(reader_of(tensor)));
    }
    if (!message.sparse_initializers.empty()) throw Error(ErrorKind::kUnsupported, "holds sparse tensors");
    for (const std::string_view value : message.values) read_value(value, graph.values);
    for (const std::string_view value : message.inputs) graph.inputs.push_back(read_value(value, graph.values));
    for (const std::string_view value : message.outputs) graph.outputs.push_back(read_value(value, graph.values));
    for (const std::string_view node : message.nodes) {
      const std::size_t place = graph.nodes.size();
      graph.nodes.emplace_back();
      graph.nodes[place] = read_node(read_node_message(node), depth);
    }
    return graph;
  }

  ReadNode read_node(NodeMessage message, int depth) {
    // What lies in the file in a few bytes takes a hundred times as many here.
    constexpr std::size_t kMostNodes = std::size_t{1} << 20;
    if (++all_nodes_ > kMostNodes) throw Error(ErrorKind::kUnsupported, "has more than a million nodes");
    ReadNode node;
    if (!in_function_) node.position = position_++;
    node.domain = std::move(message.domain);
    node.type = std::move(message.type);
    node.overload = std::move(message.overload);
    node.name = std::move(message.name);
    node.inputs = std::move(message.inputs);
    node.outputs = std::move(message.outputs);
    for (const std::string_view attribute : message.attributes) read_attribute(attribute, depth, node);
    add_modules(message.metadata, node);
    return node;
  }

  void read_attribute(std::string_view bytes, int depth, ReadNode& node) {
    AttributeParts parts = attribute_parts(bytes);
    for (const std::string_view body : parts.bodies) {
      node.bodies.emplace_back(parts.attribute.name,
                               std::make_shared<const ReadGraph>(read_graph(read_graph_message(body), depth + 1)));
    }
    if (!parts.reference.empty()) {
      node.references.emplace_back(std::move(parts.attribute.name), std::move(parts.reference));
    } else if (parts.bodies.empty()) {
      node.attributes.push_back(std::move(parts.attribute));
    }
  }

  struct AttributeParts {
    Attribute attribute;
    std::string reference;                 // of a function's attribute
    std::vector<std::string_view> bodies;  // graphs
  };

  AttributeParts attribute_parts(std::string_view bytes) {
    AttributeParts parts;
    Attribute& attribute = parts.attribute;
    std::vector<std::int64_t> ints;
    std::vector<double> floats;
    pbf_reader message = reader_of(bytes);
    while (message.next()) {
      switch (message.tag_and_type()) {
        case text(1):
          attribute.name = message.get_string();
          break;
        case field(2, pbf_wire_type::fixed32):
          attribute.value = static_cast<double>(message.get_float());
          break;
        case number(3):
          attribute.value = message.get_int64();
          break;
        case text(4):
          attribute.value = message.get_string();
          break;
        case text(5):
          attribute.value = tensors_.read(message.get_message()).second;
          break;
        case text(6):
        case text(11): {
          const protozero::data_view body = message.get_view();
          parts.bodies.emplace_back(body.data(), body.size());
          break;
        }
        case field(7, pbf_wire_type::fixed32):
          floats.push_back(message.get_float());
          attribute.value = floats;
          break;
        case text(7):
          for (const float value : message.get_packed_float()) floats.push_back(value);
          attribute.value = floats;
          break;
        case number(8):
          ints.push_back(message.get_int64());
          attribute.value = ints;
          break;
        case text(8):
          for (const std::int64_t value : message.get_packed_int64()) ints.push_back(value);
          attribute.value = ints;
          break;
        case number(20):  // an empty list has no elements to tell its type
          set_empty(message.get_enum(), attribute);
          break;
        case text(21):
          parts.reference = message.get_string();
          break;
        default:
          message.skip();
      }
    }
    return parts;
  }

  /// Only where no element has been read; those that follow replace it.
  static void set_empty(std::int32_t type, Attribute& attribute) {
    constexpr std::int32_t kFloats = 6;
    constexpr std::int32_t kInts = 7;
    const auto* untouched = std::get_if<std::int64_t>(&attribute.value);
    if (untouched == nullptr || *untouched != 0) return;
    if (type == kFloats) attribute.value = std::vector<double>();
    if (type == kInts) attribute.value = std::vector<std::int64_t>();
  }

  void read_function(std::string_view bytes, ReadModel& model) {
    FunctionMessage message = read_function_message(bytes);
    in_function_ = true;
    ReadFunction function;
    const auto opset = message.opsets.find("");
    function.opset = opset != message.opsets.end() ? opset->second : 0;
    ReadNode defaults;
    for (const std::string_view attribute : message.defaults) read_attribute(attribute, 0, defaults);
    function.defaults = std::move(defaults.attributes);
    GraphMessage body;
    body.nodes = std::move(message.nodes);
    body.values = std::move(message.values);
    function.graph = read_graph(body, 0);
    function.graph.inputs = std::move(message.inputs);
    function.graph.outputs = std::move(message.outputs);
    model.functions.insert_or_assign({std::move(message.domain), std::move(message.name), std::move(message.overload)},
                                     std::move(function));
  }

  std::shared_ptr<const MappedFile> file_;
  TensorReader tensors_;
  std::size_t position_ = 0;
  std::size_t all_nodes_ = 0;
  bool in_function_ = false;
};

}  // namespace

const Attribute* ReadNode::find(std::string_view attribute) const {
  const auto at = std::find_if(attributes.begin(), attributes.end(),
                               [&](const Attribute& candidate) { return candidate.name == attribute; });
  return at == attributes.end() ? nullptr : &*at;
}

const ReadGraph* ReadNode::body(std::string_view attribute) const {
  const auto at = std::find_if(bodies.begin(), bodies.end(), [&](const auto& body) { return body.first == attribute; });
  return at == bodies.end() ? nullptr : at->second.get();
}

ReadModel read_model(const std::shared_ptr<const MappedFile>& file) {
  try {
    return ModelReader(file).read();
  } catch (const protozero::exception& error) {
    throw Error(ErrorKind::kBadInput, std::string("is no ONNX model, or damaged: ") + error.what());
  }
}

}  // namespace nongemm::onnx
