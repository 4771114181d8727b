#include "study/sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "base/clock.h"
#include "base/error.h"
#include "base/interrupt.h"
#include "base/message.h"

namespace nongemm {
namespace {

using Identity = std::pair<std::string, int>;

/// Points of the journal that need not be measured again: complete ones, of this program and of the runtimes as they
/// are now. A point that failed before its runtime was known counts, too.
std::map<Identity, const Point*> known_points(const Sweep& sweep) {
  std::map<Identity, const Point*> known;
  const std::string program = program_version();
  std::map<std::string, std::string> runtimes;
  for (const JournalPoint& line : sweep.journal->content().points) {
    const Point& point = line.point;
    if (line.program != program || point.status.kind == StatusKind::kIncomplete) continue;
    const std::string runtime = point.setting("runtime");
    const std::string flow = point.setting("flow");
    if (!runtime.empty()) {
      const auto [at, is_new] = runtimes.try_emplace(flow);
      if (is_new) at->second = sweep.runtime_version(flow);
      if (at->second != runtime) continue;
    }
    known[{point.key, point.process}] = &point;
  }
  return known;
}

/// A sweep that did not end is not thrown away by a command that was given again without --resume.
void check_not_lost(const Journal& journal) {
  std::map<Identity, bool> finished;
  for (const JournalPoint& line : journal.content().points) {
    if (line.point.status.kind != StatusKind::kIncomplete) finished[{line.point.key, line.point.process}] = true;
  }
  if (finished.empty() || finished.size() >= journal.content().promised) return;
  throw Error(ErrorKind::kUsage,
              fmt::format("{} holds {} of the {} points of a sweep that did not end", journal.path().string(),
                          finished.size(), journal.content().promised),
              "--resume goes on with it; remove it to begin anew");
}

std::string duration_text(double seconds) {
  if (seconds < 90) return fmt::format("{:.0f} s", seconds);
  if (seconds < 5400) return fmt::format("{:.0f} min", seconds / 60);
  return fmt::format("{:.1f} h", seconds / 3600);
}

/// Empty where points are not kept.
std::filesystem::path journal_path(const Request& request, std::size_t points) {
  if (!request.sweep.journal.empty()) return request.sweep.journal;
  if (request.output.folder.empty()) {
    if (!request.sweep.resume) return {};
    throw Error(ErrorKind::kUsage, "--resume has no journal to go on with",
                "give --output the folder of the sweep, or --journal its file");
  }
  if (points < 2 && !request.sweep.resume) return {};
  return std::filesystem::path(request.output.folder) / "journal.jsonl";
}

/// How far a sweep is, and how long it will go on.
class Position {
 public:
  Position(std::size_t all, std::size_t known) : all_(all), known_(known) {}

  void count_one() { ++measured_; }
  std::string text() const {
    return all_ > 1 ? fmt::format("[{}/{}] ", std::min(known_ + measured_ + 1, all_), all_) : "";
  }
  /// From the points so far; nothing before the first.
  std::string left() const {
    if (measured_ == 0 || all_ < 2) return "";
    const double each = clock_.seconds() / static_cast<double>(measured_);
    return fmt::format(", {} left", duration_text(each * static_cast<double>(all_ - known_ - measured_)));
  }

 private:
  std::size_t all_;
  std::size_t known_;
  std::size_t measured_ = 0;
  Stopwatch clock_;
};

/// Points on their way into the journal. What a full disk refuses is told once and tried again with the next point: the
/// sweep goes on, and what was measured is still printed.
class Keeper {
 public:
  explicit Keeper(Journal* journal) : journal_(journal) {}

  void keep(const Point& point) {
    if (journal_ == nullptr) return;
    waiting_.push_back(point);
    try {
      for (; !waiting_.empty(); waiting_.erase(waiting_.begin())) journal_->add(waiting_.front());
    } catch (const Error& error) {
      if (!told_) nongemm::say(fmt::format("\nnongemm: {}\n  the sweep goes on, and tries again\n", error.what()));
      told_ = true;
    }
  }

 private:
  Journal* journal_;
  std::vector<Point> waiting_;
  bool told_ = false;
};

}  // namespace

void run_sweep(const Sweep& sweep, Document& document) {
  std::vector<std::optional<Point>> done(sweep.points.size());
  std::vector<std::size_t> wanted;
  std::map<Identity, const Point*> known;
  if (sweep.journal != nullptr && sweep.resume) known = known_points(sweep);
  for (std::size_t i = 0; i < sweep.points.size(); ++i) {
    const auto at = known.find({sweep.points[i].key, sweep.points[i].process});
    if (at == known.end()) {
      wanted.push_back(i);
    } else {
      done[i] = *at->second;
    }
  }
  if (sweep.journal != nullptr) {
    if (!sweep.resume) {
      check_not_lost(*sweep.journal);
      sweep.journal->begin_anew();
    }
    if (!wanted.empty()) sweep.journal->begin_session(document.context, sweep.points.size());
  }
  Position position(sweep.points.size(), sweep.points.size() - wanted.size());
  Keeper keeper(sweep.journal);
  sweep.measure(
      wanted,
      [&](std::size_t i, Point point) {
        point.process = sweep.points[i].process;
        if (point.key.empty()) point.key = sweep.points[i].key;
        if (point.settings.empty()) point.settings = {{"point", sweep.points[i].name}};
        keeper.keep(point);
        done[i] = std::move(point);
        position.count_one();
      },
      [&](std::size_t i, const std::string& what) {
        sweep.say(position.text() + sweep.points[i].name + ": " + what + position.left());
      });
  sweep.say("");
  for (std::optional<Point>& point : done) {
    if (point) document.points.push_back(std::move(*point));
  }
}

MeasurePoints in_this_process(std::function<Point(std::size_t i, const Progress& progress)> measure) {
  return [measure = std::move(measure)](const std::vector<std::size_t>& wanted, const PointEnded& ended,
                                        const PointTells& tells) {
    for (const std::size_t i : wanted) {
      if (interrupted()) return;
      Point point;
      try {
        point = measure(i, [&](const std::string& what) { tells(i, what); });
      } catch (const std::exception& error) {
        point.status = status_of(error);
      }
      ended(i, std::move(point));
    }
  };
}

void run_sweep_with_journal(const Request& request, Sweep sweep, Document& document) {
  const std::filesystem::path path = journal_path(request, sweep.points.size());
  std::optional<Journal> journal;
  if (!path.empty()) sweep.journal = &journal.emplace(path);
  sweep.resume = request.sweep.resume;
  run_sweep(sweep, document);
}

}  // namespace nongemm
