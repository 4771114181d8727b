#include "flows/progress.h"

#include <fmt/format.h>

#include <utility>

namespace nongemm {

Ticker::Ticker(std::function<void(const std::string&)> say, std::string what)
    : say_(std::move(say)), what_(std::move(what)) {
  if (say_) thread_ = std::thread([this] { tick(); });
}

Ticker::~Ticker() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    done_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Ticker::set_detail(const std::string& detail) {
  const std::lock_guard lock(mutex_);
  detail_ = detail;
}

void Ticker::tick() {
  std::unique_lock lock(mutex_);
  while (!done_) {
    const auto seconds = static_cast<std::int64_t>(watch_.seconds());
    say_(fmt::format("{}, {} s{}{}", what_, seconds, detail_.empty() ? "" : ": ", detail_));
    changed_.wait_for(lock, std::chrono::seconds(1), [this] { return done_; });
  }
}

}  // namespace nongemm
