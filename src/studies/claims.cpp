#include "studies/claims.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace nongemm {
namespace {

std::string joined(const std::vector<std::string>& parts, const char* between) {
  return fmt::format("{}", fmt::join(parts, between));
}

/// The device by its own name, where limits were measured.
std::string device_name(const Run& run) {
  const Table* limits = find_table(*run.point, "limits");
  const std::string name = limits == nullptr || limits->rows.empty() ? "" : to_plain(value_at(*limits, 0, "device"));
  return name.empty() ? run.device : name;
}

}  // namespace

std::string percent(double share) { return std::isnan(share) ? "not measured" : fmt::format("{:.1f} %", share * 100); }

std::string duration(double seconds) { return to_text(measured(seconds), Unit::kSeconds); }

std::string count_of(std::size_t part, std::size_t whole, std::string_view what) {
  return part == whole ? fmt::format("all {} {}", whole, what) : fmt::format("{} of the {} {}", part, whole, what);
}

StudyShareRow share_claim(std::string where, std::string what, const ThreeShares& ours, double paper,
                          const std::string& reason, const std::string& missing) {
  StudyShareRow row{std::move(where), std::move(what), ours, paper, compared(ours) - paper, ""};
  if (std::isnan(row.difference)) {
    row.reason = missing;
  } else if (std::abs(row.difference) > kClose) {
    row.reason = reason;
  }
  return row;
}

StudyNumberRow number_claim(std::string where, std::string what, std::string unit, double ours, double paper,
                            const std::string& reason, const std::string& missing) {
  StudyNumberRow row{std::move(where), std::move(what), std::move(unit), ours, paper, ""};
  if (std::isnan(ours)) {
    row.reason = missing;
  } else if (std::abs(ours - paper) > kClose * std::abs(paper)) {
    row.reason = reason;
  }
  return row;
}

std::string differences_of(const Run& run) {
  std::vector<std::string> parts = {fmt::format("{} here", device_name(run))};
  if (!run.dtype.empty()) parts.push_back(fmt::format("{} (the paper does not say its dtype)", run.dtype));
  if (run.tokens > 0) parts.push_back(fmt::format("{} tokens (the paper's examples have 8 or 10)", run.tokens));
  const double waits = run.on_host ? kNotMeasured : run.figure("performance", "gap_share");
  if (!std::isnan(waits)) parts.push_back(fmt::format("the device waits {} of the time", percent(waits)));
  const ThreeShares shares = nongemm_shares(run);
  if (!run.on_host && !std::isnan(shares.device)) {
    parts.push_back(fmt::format("kernels alone are {} non-GEMM", percent(shares.device)));
  }
  return joined(parts, "; ");
}

std::string differences_of(const std::vector<const Run*>& runs) {
  std::set<std::string> devices;
  std::set<std::string> dtypes;
  std::set<std::string> models;
  std::vector<ThreeShares> shares;
  for (const Run* run : runs) {
    devices.insert(device_name(*run));
    models.insert(run->model);
    dtypes.insert(run->dtype);
    shares.push_back(nongemm_shares(*run));
  }
  const ThreeShares mean = mean_of(shares);
  return fmt::format("{} here, {}; mean of {} {}{}; of the time in operators {}, with waits charged {}",
                     fmt::join(devices, ", "), fmt::join(dtypes, " and "), runs.size(),
                     models.size() == runs.size() ? "model" : "run", runs.size() == 1 ? "" : "s", percent(mean.device),
                     percent(mean.charged));
}

StudySentence agreement(const std::vector<StudyShareRow>& rows) {
  std::size_t close = 0;
  std::size_t missing = 0;
  const StudyShareRow* farthest = nullptr;
  for (const StudyShareRow& row : rows) {
    if (std::isnan(row.difference)) {
      ++missing;
      continue;
    }
    if (std::abs(row.difference) <= kClose) ++close;
    if (farthest == nullptr || std::abs(row.difference) > std::abs(farthest->difference)) farthest = &row;
  }
  const std::size_t there = rows.size() - missing;
  std::string text;
  if (there == 0) {
    text = fmt::format("None of the paper's {} shares has a figure of ours yet.", rows.size());
  } else {
    text = fmt::format("Within 10 points of the paper: {}. The farthest is {}, {} here and {} there.",
                       count_of(close, there, "shares with a figure of ours"), farthest->what,
                       percent(compared(farthest->ours)), percent(farthest->paper));
    if (missing > 0) text += fmt::format(" {} have no figure of ours; their rows say why.", missing);
  }
  return {"Agreement", text};
}

std::vector<StudySentence> missing_pieces(const Evidence& evidence) {
  std::map<std::string, std::pair<std::size_t, std::size_t>> reasons;  // how often, and the first place
  std::size_t place = 0;
  for (const Run& run : evidence.runs()) {
    if (run.measured || run.point->status.ok()) continue;
    auto& [count, first] = reasons[why_not(&run)];
    if (count++ == 0) first = place++;
  }
  std::vector<std::pair<std::string, std::pair<std::size_t, std::size_t>>> sorted(reasons.begin(), reasons.end());
  std::sort(sorted.begin(), sorted.end(),
            [](const auto& a, const auto& b) { return a.second.second < b.second.second; });
  std::vector<StudySentence> sentences;
  constexpr std::size_t kMost = 5;
  for (const auto& [reason, count] : sorted) {
    if (sentences.size() == kMost) break;
    sentences.push_back({"Missing", fmt::format("{} {} no figures: {}", count.first,
                                                count.first == 1 ? "point has" : "points have", reason)});
  }
  return sentences;
}

}  // namespace nongemm
