#include "spec/tensor_parallel.h"

#include <cstdlib>

namespace nongemm {
namespace {

constexpr const char* kRank = "ranks.rank";
constexpr const char* kRanks = "ranks.count";
constexpr const char* kMeeting = "ranks.meeting";
constexpr const char* kSeconds = "ranks.seconds";
constexpr const char* kPlan = "ranks.plan";

}  // namespace

RankPlace place_of(const RuntimeOptions& options) {
  RankPlace place;
  const auto find = [&](const char* name) {
    const auto found = options.settings.find(name);
    return found != options.settings.end() ? &found->second : nullptr;
  };
  if (const std::string* text = find(kRank)) place.rank = std::stoi(*text);
  if (const std::string* text = find(kRanks)) place.ranks = std::stoi(*text);
  if (const std::string* text = find(kMeeting)) place.meeting = *text;
  if (const std::string* text = find(kSeconds)) place.most_seconds = std::stod(*text);
  if (const std::string* text = find(kPlan)) place.plan = *text;
  return place;
}

void set_place(RuntimeOptions& options, const RankPlace& place) {
  options.settings[kRank] = std::to_string(place.rank);
  options.settings[kRanks] = std::to_string(place.ranks);
  options.settings[kMeeting] = place.meeting;
  options.settings[kSeconds] = std::to_string(place.most_seconds);
  options.settings[kPlan] = place.plan;
}

}  // namespace nongemm
