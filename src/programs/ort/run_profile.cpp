#include "programs/ort/run_profile.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/json.h"

namespace nongemm::ort_flow {
namespace {

constexpr std::string_view kKernel = "_kernel_time";
constexpr std::string_view kProvider = "ExecutionProvider";
/// A day: longer times are damage.
constexpr std::int64_t kMostUs = 86'400'000'000;

/// The runtime writes the numbers among the arguments as strings.
std::uint64_t number_of(const Json& object, const char* key) {
  const std::string text = text_or_empty(object, key);
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::int64_t microseconds(const Json& event, const char* key, const std::string& origin) {
  const auto at = event.find(key);
  if (at == event.end() || !at->is_number_integer()) {
    throw Error(ErrorKind::kBadInput, origin + ": an event has no number '" + key + "'");
  }
  const auto value = at->get<std::int64_t>();
  if (value < 0 || value > kMostUs) {
    throw Error(ErrorKind::kBadInput, origin + ": '" + key + "' is " + std::to_string(value) + " us");
  }
  return value;
}

/// [{"float": [2, 3]}, ...]
std::vector<Shape> shapes_of(const Json& arguments) {
  std::vector<Shape> shapes;
  const auto list = arguments.find("output_type_shape");
  if (list == arguments.end() || !list->is_array()) return shapes;
  for (const Json& entry : *list) {
    Shape shape;
    if (entry.is_object() && !entry.empty()) {
      for (const Json& size : *entry.begin()) {
        if (size.is_number_integer()) shape.push_back(size.get<std::int64_t>());
      }
    }
    shapes.push_back(std::move(shape));
  }
  return shapes;
}

ProfiledNode node_of(const Json& event, std::string name, const std::string& origin) {
  ProfiledNode node;
  node.name = std::move(name);
  node.begin_us = microseconds(event, "ts", origin);
  node.duration_us = microseconds(event, "dur", origin);
  const auto arguments = event.find("args");
  if (arguments == event.end() || !arguments->is_object()) return node;
  node.type = text_or_empty(*arguments, "op_name");
  node.provider = text_or_empty(*arguments, "provider");
  if (node.provider.ends_with(kProvider)) node.provider.resize(node.provider.size() - kProvider.size());
  node.index = static_cast<std::uint32_t>(number_of(*arguments, "node_index"));
  node.output_bytes = number_of(*arguments, "output_size");
  node.outputs = shapes_of(*arguments);
  return node;
}

}  // namespace

RunProfile parse_run_profile(std::string_view json, const std::string& origin) {
  const Json events = parse_json(json, origin);
  if (!events.is_array()) throw Error(ErrorKind::kBadInput, origin + ": not a profile of ONNX Runtime");
  RunProfile profile;
  bool found_run = false;
  for (const Json& event : events) {
    if (!event.is_object()) continue;
    std::string name = text_or_empty(event, "name");
    const std::string category = text_or_empty(event, "cat");
    if (category == "Session" && name == "model_run") {
      profile.begin_us = microseconds(event, "ts", origin);
      profile.duration_us = microseconds(event, "dur", origin);
      found_run = true;
    } else if (category == "Node" && name.ends_with(kKernel)) {
      name.resize(name.size() - kKernel.size());
      profile.nodes.push_back(node_of(event, std::move(name), origin));
    }
  }
  if (!found_run) throw Error(ErrorKind::kBadInput, origin + ": the profile has no event for the run");
  std::stable_sort(profile.nodes.begin(), profile.nodes.end(), [](const ProfiledNode& a, const ProfiledNode& b) {
    return a.begin_us != b.begin_us ? a.begin_us < b.begin_us : a.duration_us > b.duration_us;
  });
  return profile;
}

std::vector<std::int64_t> own_durations(const std::vector<ProfiledNode>& nodes) {
  std::vector<std::int64_t> own;
  std::vector<std::size_t> open;  // calls that have not ended, outermost first
  for (const ProfiledNode& node : nodes) {
    while (!open.empty() && nodes[open.back()].begin_us + nodes[open.back()].duration_us <= node.begin_us) {
      open.pop_back();
    }
    if (!open.empty()) own[open.back()] = std::max<std::int64_t>(0, own[open.back()] - node.duration_us);
    open.push_back(own.size());
    own.push_back(node.duration_us);
  }
  return own;
}

}  // namespace nongemm::ort_flow
