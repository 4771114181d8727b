#include "stream_reference.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"

namespace nongemm {
namespace {

using Counts = std::map<std::string, std::size_t>;

constexpr std::array kBookkeeping = {"aten::dropout", "aten::lift_fresh", "aten::detach",
                                     "aten::detach_", "aten::alias",      "aten::empty"};

/// Absent arguments at the end are left out: [] stands for them and for numbers alike.
std::string key_of(const std::string& op, std::vector<Shape> shapes) {
  while (!shapes.empty() && shapes.back().empty()) shapes.pop_back();
  std::string key = op;
  for (const Shape& shape : shapes) key += " " + to_string(shape);
  return key;
}

Counts count(const std::vector<StreamEntry>& stream) {
  Counts counts;
  for (const StreamEntry& entry : stream) ++counts[key_of(entry.op, entry.shapes)];
  return counts;
}

Counts read_reference(const std::filesystem::path& path) {
  constexpr std::size_t kMostBytes = std::size_t{64} << 20;
  const nlohmann::json json = nlohmann::json::parse(read_file(path.string(), kMostBytes), nullptr, false);
  if (json.is_discarded() || !json.contains("operators")) {
    throw Error(ErrorKind::kBadInput, path.string() + " is not an operator stream");
  }
  Counts counts;
  for (const nlohmann::json& row : json.at("operators")) {
    const std::string op = row.at(0);
    if (std::find(kBookkeeping.begin(), kBookkeeping.end(), op) != kBookkeeping.end()) continue;
    ++counts[key_of(op, row.at(1).get<std::vector<Shape>>())];
  }
  return counts;
}

std::size_t total(const Counts& counts) {
  std::size_t sum = 0;
  for (const auto& [key, number] : counts) sum += number;
  return sum;
}

std::size_t at(const Counts& counts, const std::string& key) {
  const auto found = counts.find(key);
  return found == counts.end() ? 0 : found->second;
}

std::vector<std::string> surplus(const Counts& of, const Counts& over) {
  std::vector<std::pair<std::size_t, std::string>> rows;
  for (const auto& [key, number] : of) {
    if (number > at(over, key)) rows.emplace_back(number - at(over, key), key);
  }
  std::sort(rows.rbegin(), rows.rend());
  std::vector<std::string> lines;
  for (const auto& [number, key] : rows) lines.push_back(std::to_string(number) + " x " + key);
  return lines;
}

/// A key of ours with dimensions that only a run knows ("?") fits every number in their place.
bool fits(std::string_view pattern, std::string_view key) {
  std::size_t k = 0;
  for (const char c : pattern) {
    if (c == '?') {
      const std::size_t begin = k;
      while (k < key.size() && std::isdigit(static_cast<unsigned char>(key[k])) != 0) ++k;
      if (k == begin) return false;
    } else if (k >= key.size() || key[k++] != c) {
      return false;
    }
  }
  return k == key.size();
}

/// Gives keys with unknown dimensions the shapes of wanted ones that nothing of ours matches yet.
void fill_unknown(Counts& ours, const Counts& wanted) {
  Counts filled;
  for (auto& [pattern, number] : ours) {
    if (pattern.find('?') == std::string::npos) continue;
    for (const auto& [key, wanted_number] : wanted) {
      const std::size_t taken = at(ours, key) + at(filled, key);
      if (number == 0) break;
      if (taken >= wanted_number || !fits(pattern, key)) continue;
      const std::size_t moved = std::min(number, wanted_number - taken);
      filled[key] += moved;
      number -= moved;
    }
  }
  for (const auto& [key, number] : filled) ours[key] += number;
  std::erase_if(ours, [](const auto& row) { return row.second == 0; });
}

}  // namespace

double StreamMatch::share() const {
  const std::size_t all = std::max(ours, wanted);
  return all == 0 ? 0.0 : static_cast<double>(matched) / static_cast<double>(all);
}

std::string StreamMatch::report() const {
  std::string text =
      std::to_string(matched) + " of " + std::to_string(wanted) + " match, " + std::to_string(ours) + " are ours\n";
  for (const std::string& line : only_ours) text += "  only ours:   " + line + "\n";
  for (const std::string& line : only_wanted) text += "  only wanted: " + line + "\n";
  return text;
}

StreamMatch match_stream(const std::vector<StreamEntry>& stream, const std::filesystem::path& reference) {
  Counts ours = count(stream);
  Counts wanted = read_reference(reference);
  fill_unknown(ours, wanted);
  for (auto& [key, number] : wanted) {
    if (key == "aten::to" || key.starts_with("aten::to ")) number = std::min(number, at(ours, key));
  }
  std::erase_if(wanted, [](const auto& row) { return row.second == 0; });
  StreamMatch match{.ours = total(ours),
                    .wanted = total(wanted),
                    .only_ours = surplus(ours, wanted),
                    .only_wanted = surplus(wanted, ours)};
  for (const auto& [key, number] : ours) match.matched += std::min(number, at(wanted, key));
  return match;
}

}  // namespace nongemm
