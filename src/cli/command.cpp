#include "cli/command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "base/error.h"
#include "base/message.h"
#include "base/text.h"

namespace nongemm::cli {

Request single_point(Command command, const Selection& selection, const char* why) {
  const std::vector<Request> points = option_table().points(command, selection);
  if (points.size() == 1) return points.front();
  throw Error(ErrorKind::kUsage, fmt::format("{} points are asked for, {}", points.size(), why),
              "give one value for each option");
}

void say_on_terminal(const std::string& what) {
  static const bool understands = [] {
    const char* terminal = std::getenv("TERM");
    return isatty(STDERR_FILENO) != 0 && terminal != nullptr && std::string_view(terminal) != "dumb";
  }();
  if (understands) say(fmt::format("\r\033[K{}", without_controls(what)));
}

}  // namespace nongemm::cli
