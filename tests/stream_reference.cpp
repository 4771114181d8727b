#include "stream_reference.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/common_sequence.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"

namespace nongemm {
namespace {

struct Call {
  std::string op;
  std::vector<Shape> shapes;
};

constexpr std::array kBookkeeping = {"aten::dropout", "aten::lift_fresh", "aten::detach",    "aten::detach_",
                                     "aten::alias",   "aten::empty",      "aten::empty_like"};

/// Absent arguments at the end are left out: [] stands for them and for numbers alike.
std::vector<Shape> without_absent(std::vector<Shape> shapes) {
  while (!shapes.empty() && shapes.back().empty()) shapes.pop_back();
  return shapes;
}

std::vector<Call> read_reference(const std::filesystem::path& path) {
  constexpr std::size_t kMostBytes = std::size_t{64} << 20;
  const Json json = parse_json(read_file(path.string(), kMostBytes), path.string());
  if (!json.contains("operators")) {
    throw Error(ErrorKind::kBadInput, path.string() + " is not an operator stream");
  }
  std::vector<Call> calls;
  const Json& rows = json.at("operators");
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string op = rows[i].at(0);
    if (std::find(kBookkeeping.begin(), kBookkeeping.end(), op) != kBookkeeping.end()) continue;
    if (op == "aten::to" && i + 1 < rows.size() && rows[i + 1].at(0) == "aten::lift_fresh") continue;
    calls.push_back({op, without_absent(rows[i].at(1).get<std::vector<Shape>>())});
  }
  return calls;
}

bool fits(const Shape& pattern, const Shape& shape) {
  return std::equal(pattern.begin(), pattern.end(), shape.begin(), shape.end(),
                    [](std::int64_t ours, std::int64_t theirs) { return ours == kDynamic || ours == theirs; });
}

bool fits(const Call& pattern, const Call& call) {
  return pattern.op == call.op &&
         std::equal(pattern.shapes.begin(), pattern.shapes.end(), call.shapes.begin(), call.shapes.end(),
                    [](const auto& a, const auto& b) { return fits(a, b); });
}

std::string text_of(std::size_t place, const Call& call) {
  std::string text = "call " + std::to_string(place) + ": " + call.op;
  for (const Shape& shape : call.shapes) text += " " + to_string(shape);
  return text;
}

}  // namespace

std::vector<StreamDifference> stream_differences(const std::vector<StreamEntry>& stream,
                                                 const std::filesystem::path& reference) {
  std::vector<Call> ours;
  for (const StreamEntry& entry : stream) ours.push_back({entry.op, without_absent(entry.shapes)});
  const std::vector<Call> wanted = read_reference(reference);
  constexpr std::size_t kMostDifferences = 4000;
  const auto common = common_sequence(ours.size(), wanted.size(), kMostDifferences,
                                      [&](std::size_t i, std::size_t k) { return fits(ours[i], wanted[k]); });
  std::vector<StreamDifference> differences;
  std::size_t i = 0;
  std::size_t k = 0;
  const auto differ_until = [&](std::size_t i_end, std::size_t k_end) {
    for (; i < i_end; ++i) {
      const std::string scope = stream[i].scope.empty() ? "" : " in " + stream[i].scope;
      differences.push_back({true, ours[i].op, text_of(i, ours[i]) + scope});
    }
    for (; k < k_end; ++k) differences.push_back({false, wanted[k].op, text_of(k, wanted[k])});
  };
  for (const auto& [same_i, same_k] : common) {
    differ_until(same_i, same_k);
    ++i;
    ++k;
  }
  differ_until(ours.size(), wanted.size());
  return differences;
}

}  // namespace nongemm
