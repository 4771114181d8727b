#include "cli/command.h"

#include <fmt/format.h>
#include <unistd.h>

#include "base/error.h"

namespace nongemm::cli {

Request single_point(Command command, const Selection& selection, const char* why) {
  const std::vector<Request> points = option_table().points(command, selection);
  if (points.size() == 1) return points.front();
  throw Error(ErrorKind::kUsage, fmt::format("{} points are asked for, {}", points.size(), why),
              "give one value for each option");
}

void say_on_terminal(const std::string& what) {
  if (isatty(STDERR_FILENO) != 0) fmt::print(stderr, "\r\033[K{}", what);
}

}  // namespace nongemm::cli
