#include "traces/tensorrt/profile.h"

#include <limits>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "traces/tensorrt/names.h"

namespace nongemm::traces {
namespace {

constexpr double kAbsent = std::numeric_limits<double>::quiet_NaN();

[[noreturn]] void refuse(const std::string& origin, const std::string& problem) {
  throw Error(ErrorKind::kBadInput, origin + ": " + problem, "give the file that trtexec --exportProfile=FILE wrote");
}

/// Milliseconds as seconds.
double seconds_at(const Json& record, const char* key) {
  const auto found = record.find(key);
  return found != record.end() && found->is_number() ? found->get<double>() * 1e-3 : kAbsent;
}

LayerTime time_of(const Json& record, std::int64_t inferences, const std::string& origin) {
  ProfiledName split = split_profile(record.at("name").get<std::string>());
  LayerTime time{std::move(split.name), split.profile, seconds_at(record, "averageMs"), seconds_at(record, "medianMs")};
  if (!(time.mean_s >= 0) && inferences > 0) {
    time.mean_s = seconds_at(record, "timeMs") / static_cast<double>(inferences);
  }
  if (!(time.mean_s >= 0)) refuse(origin, "layer '" + time.name + "' has no time ('averageMs')");
  return time;
}

}  // namespace

TensorRtProfile parse_tensorrt_profile(std::string_view text, const std::string& origin) {
  const Json root = parse_json(text, origin);
  if (!root.is_array()) refuse(origin, "no JSON array, but a layer profile is one");
  TensorRtProfile profile;
  for (const Json& record : root) {
    if (!record.is_object()) refuse(origin, "an entry is no object");
    if (const auto count = record.find("count"); count != record.end() && count->is_number_integer()) {
      profile.inferences = count->get<std::int64_t>();
    }
    const auto name = record.find("name");
    if (name == record.end()) continue;
    if (!name->is_string()) refuse(origin, "a layer's name is no text");
    profile.layers.push_back(time_of(record, profile.inferences, origin));
  }
  if (profile.layers.empty()) refuse(origin, "it holds no layer");
  return profile;
}

TensorRtProfile read_tensorrt_profile(const std::filesystem::path& path) {
  return parse_tensorrt_profile(read_file(path, kMostExportBytes), path.string());
}

}  // namespace nongemm::traces
