#include "import/onnx_model.h"

#include <algorithm>
#include <protozero/pbf_reader.hpp>
#include <set>
#include <utility>

#include "base/error.h"
#include "import/onnx_tensors.h"

namespace nongemm::onnx {
namespace {

using protozero::pbf_reader;
using protozero::pbf_wire_type;

// Field numbers of onnx.proto.
enum Model : protozero::pbf_tag_type { kProducer = 2, kProducerVersion = 3, kGraph = 7, kOpsetImport = 8 };
enum Opset : protozero::pbf_tag_type { kDomain = 1, kVersion = 2 };
enum Graph : protozero::pbf_tag_type { kNode = 1, kInitializer = 5, kInput = 11, kOutput = 12, kValueInfo = 13 };
enum Node : protozero::pbf_tag_type {
  kNodeInput = 1,
  kNodeOutput = 2,
  kNodeName = 3,
  kNodeType = 4,
  kAttribute = 5,
  kNodeDomain = 7,
  kMetadata = 9,
};
enum AttributeField : protozero::pbf_tag_type {
  kAttributeName = 1,
  kFloat = 2,
  kInt = 3,
  kString = 4,
  kTensor = 5,
  kSubgraph = 6,
  kFloats = 7,
  kInts = 8,
  kSubgraphs = 11,
};
enum Value : protozero::pbf_tag_type { kValueName = 1, kType = 2 };
enum Type : protozero::pbf_tag_type { kTensorType = 1 };
enum TensorType : protozero::pbf_tag_type { kElementType = 1, kShape = 2 };
enum ShapeField : protozero::pbf_tag_type { kDim = 1 };
enum Dim : protozero::pbf_tag_type { kDimValue = 1, kDimName = 2 };
enum Entry : protozero::pbf_tag_type { kKey = 1, kEntryValue = 2 };

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

class ModelReader {
 public:
  explicit ModelReader(const std::shared_ptr<const MappedFile>& file) : file_(file), tensors_(file) {}

  ReadModel read() {
    const auto bytes = file_->bytes();
    pbf_reader message(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    bool has_graph = false;
    while (message.next()) {
      if (message.tag() == kProducer) {
        model_.producer = message.get_string();
      } else if (message.tag() == kProducerVersion) {
        model_.producer += " " + message.get_string();
      } else if (message.tag() == kOpsetImport) {
        read_opset(message.get_message());
      } else if (message.tag() == kGraph && !has_graph) {
        has_graph = true;
        read_graph(message.get_message());
      } else {
        message.skip();
      }
    }
    if (!has_graph) throw Error(ErrorKind::kBadInput, "is no ONNX model: it has no graph");
    const auto is_initializer = [&](const std::string& name) { return initializers_.contains(name); };
    std::erase_if(model_.inputs, is_initializer);  // files of IR version 3 list them twice
    return std::move(model_);
  }

 private:
  void read_opset(pbf_reader message) {
    std::string domain;
    std::int64_t version = 0;
    while (message.next()) {
      if (message.tag() == kDomain) {
        domain = message.get_string();
      } else if (message.tag() == kVersion) {
        version = message.get_int64();
      } else {
        message.skip();
      }
    }
    model_.opsets[domain == "ai.onnx" ? "" : domain] = version;
  }

  void read_graph(pbf_reader message) {
    while (message.next()) {
      switch (message.tag()) {
        case kNode:
          read_node(message.get_message());
          break;
        case kInitializer:
          model_.initializers.push_back(tensors_.read(message.get_message()));
          initializers_.insert(model_.initializers.back().first);
          break;
        case kInput:
          model_.inputs.push_back(read_value(message.get_message()));
          break;
        case kOutput:
          model_.outputs.push_back(read_value(message.get_message()));
          break;
        case kValueInfo:
          read_value(message.get_message());
          break;
        default:
          message.skip();
      }
    }
  }

  void read_node(pbf_reader message) {
    ReadNode node;
    while (message.next()) {
      switch (message.tag()) {
        case kNodeInput:
          node.inputs.push_back(message.get_string());
          break;
        case kNodeOutput:
          node.outputs.push_back(message.get_string());
          break;
        case kNodeName:
          node.name = message.get_string();
          break;
        case kNodeType:
          node.type = message.get_string();
          break;
        case kNodeDomain:
          node.domain = message.get_string();
          if (node.domain == "ai.onnx") node.domain.clear();
          break;
        case kAttribute:
          read_attribute(message.get_message(), node);
          break;
        case kMetadata:
          read_metadata(message.get_message(), node);
          break;
        default:
          message.skip();
      }
    }
    model_.nodes.push_back(std::move(node));
  }

  void read_attribute(pbf_reader message, ReadNode& node) {
    Attribute attribute;
    std::vector<std::int64_t> ints;
    std::vector<double> floats;
    while (message.next()) {
      const bool packed = message.wire_type() == pbf_wire_type::length_delimited;
      switch (message.tag()) {
        case kAttributeName:
          attribute.name = message.get_string();
          break;
        case kFloat:
          attribute.value = static_cast<double>(message.get_float());
          break;
        case kInt:
          attribute.value = message.get_int64();
          break;
        case kString:
          attribute.value = message.get_string();
          break;
        case kTensor:
          attribute.value = tensors_.read(message.get_message()).second;
          break;
        case kFloats:
          if (packed) {
            for (const float value : message.get_packed_float()) floats.push_back(value);
          } else {
            floats.push_back(message.get_float());
          }
          attribute.value = floats;
          break;
        case kInts:
          if (packed) {
            for (const std::int64_t value : message.get_packed_int64()) ints.push_back(value);
          } else {
            ints.push_back(message.get_int64());
          }
          attribute.value = ints;
          break;
        case kSubgraph:
        case kSubgraphs:
          node.has_graph = true;
          message.skip();
          break;
        default:
          message.skip();
      }
    }
    node.attributes.push_back(std::move(attribute));
  }

  void read_metadata(pbf_reader message, ReadNode& node) {
    std::string key;
    std::string value;
    while (message.next()) {
      if (message.tag() == kKey) {
        key = message.get_string();
      } else if (message.tag() == kEntryValue) {
        value = message.get_string();
      } else {
        message.skip();
      }
    }
    const bool paths = key == "pkg.torch.onnx.name_scopes";
    if (!paths && key != "pkg.torch.onnx.class_hierarchy") return;
    // The last one is the operator itself.
    std::vector<std::string> texts = quoted_texts(value);
    if (!texts.empty()) texts.pop_back();
    node.modules.resize(std::max(node.modules.size(), texts.size()));
    for (std::size_t i = 0; i < texts.size(); ++i) {
      (paths ? node.modules[i].first : node.modules[i].second) = std::move(texts[i]);
    }
  }

  /// Gives its name.
  std::string read_value(pbf_reader message) {
    std::string name;
    ReadValue value;
    while (message.next()) {
      if (message.tag() == kValueName) {
        name = message.get_string();
      } else if (message.tag() == kType) {
        read_type(message.get_message(), value);
      } else {
        message.skip();
      }
    }
    model_.values[name] = std::move(value);
    return name;
  }

  void read_type(pbf_reader message, ReadValue& value) {
    while (message.next()) {
      if (message.tag() != kTensorType) {
        message.skip();
        continue;
      }
      pbf_reader tensor = message.get_message();
      while (tensor.next()) {
        if (tensor.tag() == kElementType) {
          value.dtype = dtype_of(tensor.get_int32());
        } else if (tensor.tag() == kShape) {
          read_shape(tensor.get_message(), value);
        } else {
          tensor.skip();
        }
      }
    }
  }

  void read_shape(pbf_reader message, ReadValue& value) {
    value.has_shape = true;
    while (message.next()) {
      if (message.tag() != kDim) {
        message.skip();
        continue;
      }
      std::int64_t size = kDynamic;
      std::string dim_name;
      pbf_reader dim = message.get_message();
      while (dim.next()) {
        if (dim.tag() == kDimValue) {
          size = std::max(dim.get_int64(), kDynamic);
        } else if (dim.tag() == kDimName) {
          dim_name = dim.get_string();
        } else {
          dim.skip();
        }
      }
      value.shape.push_back(size);
      value.dim_names.push_back(std::move(dim_name));
    }
  }

  std::shared_ptr<const MappedFile> file_;
  TensorReader tensors_;
  ReadModel model_;
  std::set<std::string> initializers_;
};

}  // namespace

const Attribute* ReadNode::find(std::string_view attribute) const {
  const auto at = std::find_if(attributes.begin(), attributes.end(),
                               [&](const Attribute& candidate) { return candidate.name == attribute; });
  return at == attributes.end() ? nullptr : &*at;
}

ReadModel read_model(const std::shared_ptr<const MappedFile>& file) {
  try {
    return ModelReader(file).read();
  } catch (const protozero::exception& error) {
    throw Error(ErrorKind::kBadInput, std::string("is no ONNX model, or damaged: ") + error.what());
  }
}

}  // namespace nongemm::onnx
