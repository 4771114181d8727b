#include "study/sweep.h"

#include <fmt/format.h>

#include "base/interrupt.h"

namespace nongemm {
namespace {

Point measured_or_failed(const Sweep& sweep, std::size_t i, const Progress& progress) {
  try {
    return sweep.measure(i, progress);
  } catch (const std::exception& error) {
    Point point;
    point.settings = {{"point", sweep.name(i)}};
    point.status = status_of(error);
    return point;
  }
}

}  // namespace

void run_sweep(const Sweep& sweep, Document& document) {
  for (std::size_t i = 0; i < sweep.points && !interrupted(); ++i) {
    const std::string position = sweep.points > 1 ? fmt::format("[{}/{}] ", i + 1, sweep.points) : "";
    const auto progress = [&](const std::string& what) { sweep.say(position + sweep.name(i) + ": " + what); };
    document.points.push_back(measured_or_failed(sweep, i, progress));
    sweep.added(document);
  }
  sweep.say("");
}

}  // namespace nongemm
