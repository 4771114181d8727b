#include "traces/tensorrt/times.h"

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "traces/tensorrt/names.h"

namespace nongemm::traces {
namespace {

[[noreturn]] void refuse(const std::string& origin, const std::string& problem) {
  throw Error(ErrorKind::kBadInput, origin + ": " + problem, "give the file that trtexec --exportTimes=FILE wrote");
}

/// Milliseconds as seconds.
double seconds_at(const Json& record, const char* key, const std::string& origin) {
  const auto found = record.find(key);
  if (found == record.end() || !found->is_number() || !(found->get<double>() >= 0)) {
    refuse(origin, std::string("an inference has no time '") + key + "'");
  }
  return found->get<double>() * 1e-3;
}

}  // namespace

std::vector<InferenceTime> parse_tensorrt_times(std::string_view text, const std::string& origin) {
  const Json root = parse_json(text, origin);
  if (!root.is_array()) refuse(origin, "no JSON array, but a list of times is one");
  std::vector<InferenceTime> times;
  times.reserve(root.size());
  for (const Json& record : root) {
    if (!record.is_object()) refuse(origin, "an entry is no object");
    times.push_back({seconds_at(record, "latencyMs", origin), seconds_at(record, "computeMs", origin)});
  }
  if (times.empty()) refuse(origin, "it holds no inference");
  return times;
}

std::vector<InferenceTime> read_tensorrt_times(const std::filesystem::path& path) {
  return parse_tensorrt_times(read_file(path, kMostExportBytes), path.string());
}

}  // namespace nongemm::traces
