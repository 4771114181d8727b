#include "skips.h"

#include <algorithm>
#include <stdexcept>

namespace nongemm {
namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r";
  const std::size_t begin = text.find_first_not_of(kBlank);
  return begin == std::string_view::npos ? "" : text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

}  // namespace

std::vector<Skip> read_skips(std::string_view list) {
  std::vector<Skip> skips;
  while (!list.empty()) {
    const std::size_t end = std::min(list.find('\n'), list.size());
    const std::string_view line = trimmed(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
    if (line.empty() || line.front() == '#') continue;
    const std::size_t bar = line.find('|');
    Skip skip{std::string(trimmed(line.substr(0, bar))), ""};
    if (bar != std::string_view::npos) skip.why = trimmed(line.substr(bar + 1));
    // An empty text would excuse every test.
    if (skip.text.empty() || skip.why.empty()) {
      throw std::invalid_argument("no 'text | reason' in the list of skips: " + std::string(line));
    }
    skips.push_back(std::move(skip));
  }
  return skips;
}

const Skip* excuse_of(std::string_view message, const std::vector<Skip>& skips) {
  const auto found = std::find_if(skips.begin(), skips.end(),
                                  [&](const Skip& skip) { return message.find(skip.text) != std::string_view::npos; });
  return found == skips.end() ? nullptr : &*found;
}

}  // namespace nongemm
