#include "onnx/messages.h"

#include <protozero/pbf_reader.hpp>
#include <set>

#include "base/error.h"

namespace nongemm::onnx {
namespace {

using protozero::pbf_reader;
using protozero::pbf_wire_type;

/// Field numbers of onnx.proto, each with the form that it has to have: a field in another form is not that field.
constexpr std::uint32_t text(protozero::pbf_tag_type tag) {
  return protozero::tag_and_type(tag, pbf_wire_type::length_delimited);
}
constexpr std::uint32_t number(protozero::pbf_tag_type tag) {
  return protozero::tag_and_type(tag, pbf_wire_type::varint);
}

std::string_view view_of(pbf_reader& message) {
  const protozero::data_view view = message.get_view();
  return {view.data(), view.size()};
}

/// Calls `take(message)` for every field; it returns whether it has read the field.
template <typename Take>
void for_each_field(std::string_view bytes, Take&& take) {
  try {
    pbf_reader message(bytes.data(), bytes.size());
    while (message.next()) {
      if (!take(message, message.tag_and_type())) message.skip();
    }
  } catch (const protozero::exception& error) {
    throw Error(ErrorKind::kBadInput, std::string("is no ONNX model, or damaged: ") + error.what());
  }
}

/// ONNX's own operators have an empty domain or this one.
std::string domain_of(pbf_reader& message) {
  std::string domain = message.get_string();
  return domain == "ai.onnx" ? "" : domain;
}

void read_opset(std::string_view bytes, std::map<std::string, std::int64_t>& opsets) {
  std::string domain;
  std::int64_t version = 0;
  for_each_field(bytes, [&](pbf_reader& message, std::uint32_t field) {
    if (field == text(1)) return domain = domain_of(message), true;
    if (field == number(2)) return version = message.get_int64(), true;
    return false;
  });
  opsets[domain] = version;
}

std::pair<std::string, std::string> read_entry(std::string_view bytes) {
  std::pair<std::string, std::string> entry;
  for_each_field(bytes, [&](pbf_reader& message, std::uint32_t field) {
    if (field == text(1)) return entry.first = message.get_string(), true;
    if (field == text(2)) return entry.second = message.get_string(), true;
    return false;
  });
  return entry;
}

std::string name_in(std::string_view bytes, protozero::pbf_tag_type tag) {
  std::string name;
  for_each_field(bytes, [&](pbf_reader& message, std::uint32_t field) {
    if (field == text(tag)) return name = message.get_string(), true;
    return false;
  });
  return name;
}

}  // namespace

ModelMessage read_model_message(std::string_view bytes) {
  ModelMessage model;
  bool has_graph = false;
  for_each_field(bytes, [&](pbf_reader& message, std::uint32_t field) {
    switch (field) {
      case text(2):
        model.producer = message.get_string() + model.producer;
        return true;
      case text(3):
        model.producer += " " + message.get_string();
        return true;
      case text(7):
        if (has_graph) return false;
        has_graph = true;
        model.graph = view_of(message);
        return true;
      case text(8):
        read_opset(view_of(message), model.opsets);
        return true;
      case text(25):
        model.functions.push_back(view_of(message));
        return true;
      default:
        return false;
    }
  });
  if (!has_graph) throw Error(ErrorKind::kBadInput, "is no ONNX model: it has no graph");
  return model;
}

GraphMessage read_graph_message(std::string_view bytes) {
  GraphMessage graph;
  for_each_field(bytes, [&](pbf_reader& message, std::uint32_t field) {
    switch (field) {
      case text(1):
        graph.nodes.push_back(view_of(message));
        return true;
      case text(5):
        graph.initializers.push_back(view_of(message));
        return true;
      case text(11):
        graph.inputs.push_back(view_of(message));
        return true;
      case text(12):
        graph.outputs.push_back(view_of(message));
        return true;
      case text(13):
        graph.values.push_back(view_of(message));
        return true;
      case text(15):
        graph.sparse_initializers.push_back(view_of(message));
        return true;
      default:
        return false;
    }
  });
  return graph;
}

NodeMessage read_node_message(std::string_view bytes) {
  NodeMessage node;
  for_each_field(bytes, [&](pbf_reader& message, std::uint32_t field) {
    switch (field) {
      case text(1):
        node.inputs.push_back(message.get_string());
        return true;
      case text(2):
        node.outputs.push_back(message.get_string());
        return true;
      case text(3):
        node.name = message.get_string();
        return true;
      case text(4):
        node.type = message.get_string();
        return true;
      case text(5):
        node.attributes.push_back(view_of(message));
        return true;
      case text(7):
        node.domain = domain_of(message);
        return true;
      case text(8):
        node.overload = message.get_string();
        return true;
      case text(9):
        node.metadata.push_back(read_entry(view_of(message)));
        return true;
      default:
        return false;
    }
  });
  return node;
}

FunctionMessage read_function_message(std::string_view bytes) {
  FunctionMessage function;
  for_each_field(bytes, [&](pbf_reader& message, std::uint32_t field) {
    switch (field) {
      case text(1):
        function.name = message.get_string();
        return true;
      case text(4):
        function.inputs.push_back(message.get_string());
        return true;
      case text(5):
        function.outputs.push_back(message.get_string());
        return true;
      case text(7):
        function.nodes.push_back(view_of(message));
        return true;
      case text(9):
        read_opset(view_of(message), function.opsets);
        return true;
      case text(10):
        function.domain = domain_of(message);
        return true;
      case text(11):
        function.defaults.push_back(view_of(message));
        return true;
      case text(12):
        function.values.push_back(view_of(message));
        return true;
      case text(13):
        function.overload = message.get_string();
        return true;
      default:
        return false;
    }
  });
  return function;
}

std::vector<std::string_view> bodies_of(const NodeMessage& node) {
  std::vector<std::string_view> bodies;
  for (const std::string_view attribute : node.attributes) {
    for_each_field(attribute, [&](pbf_reader& message, std::uint32_t field) {
      if (field != text(6) && field != text(11)) return false;
      bodies.push_back(view_of(message));
      return true;
    });
  }
  return bodies;
}

namespace {

void add_locations(std::string_view graph_bytes, int depth, std::set<std::string>& locations) {
  if (depth > kMostNestedBodies) throw Error(ErrorKind::kBadInput, "subgraphs are nested too deeply");
  const GraphMessage graph = read_graph_message(graph_bytes);
  for (const std::string_view tensor : graph.initializers) {
    for_each_field(tensor, [&](pbf_reader& message, std::uint32_t field) {
      constexpr std::uint32_t kExternalData = text(13);
      if (field != kExternalData) return false;
      const auto [key, value] = read_entry(view_of(message));
      if (key == "location") locations.insert(value);
      return true;
    });
  }
  for (const std::string_view node : graph.nodes) {
    for (const std::string_view body : bodies_of(read_node_message(node))) add_locations(body, depth + 1, locations);
  }
}

}  // namespace

std::vector<std::string> external_locations(std::string_view model) {
  std::set<std::string> locations;
  add_locations(read_model_message(model).graph, 0, locations);
  return {locations.begin(), locations.end()};
}

std::string tensor_name(std::string_view bytes) { return name_in(bytes, 8); }
std::string value_name(std::string_view bytes) { return name_in(bytes, 1); }

}  // namespace nongemm::onnx
