// Why a test may be skipped: what is not in the list (tests/skips.txt) counts as failed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace nongemm {

/// One line of the list: "what the message holds | why that is no failure".
struct Skip {
  std::string text;
  std::string why;
};

/// Lines that are empty or begin with # are left out. Throws std::invalid_argument naming a line without a reason.
std::vector<Skip> read_skips(std::string_view list);

/// The row that excuses a test skipped with this message; nullptr when none does.
const Skip* excuse_of(std::string_view message, const std::vector<Skip>& skips);

}  // namespace nongemm
