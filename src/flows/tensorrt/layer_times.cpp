#include "flows/tensorrt/layer_times.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "base/clock.h"

namespace nongemm::tensorrt {

StepNames::StepNames(const RuntimeProgram& program) {
  for (std::size_t i = 0; i < program.nodes.size(); ++i) {
    entries_[program.nodes[i].name].steps.push_back(static_cast<std::uint32_t>(i));
  }
}

std::uint32_t StepNames::next(std::string_view name) {
  const auto found = entries_.find(std::string(name));
  if (found == entries_.end()) return kNoId;
  Entry& entry = found->second;
  const std::size_t place = std::min(entry.used++, entry.steps.size() - 1);
  return entry.steps[place];
}

void StepNames::restart() {
  for (auto& [name, entry] : entries_) entry.used = 0;
}

LaunchWatch::LaunchWatch(StepNames& names, device::Tracer* tracer, std::vector<NodeSpan>& spans)
    : names_(names), tracer_(tracer), spans_(spans), listening_(*this) {
  names_.restart();
}

LaunchWatch::~LaunchWatch() {
  if (tracer_ != nullptr && !open_.empty()) tracer_->pop_all();
  // Ranges that the runtime left open end with the launch.
  for (const std::uint32_t span : open_) {
    if (span != kNoId) spans_[span].end_ns = now_ns();
  }
}

void LaunchWatch::rethrow() const {
  if (failed_) std::rethrow_exception(failed_);
}

void LaunchWatch::push(const char* name) noexcept {
  if (failed_) return;
  try {
    open(name);
  } catch (...) {
    failed_ = std::current_exception();
  }
}

void LaunchWatch::open(const char* name) {
  const std::uint32_t step = names_.next(name);
  if (step == kNoId) {
    static const bool told = std::getenv("NONGEMM_TENSORRT_LOG") != nullptr;
    if (told) std::fprintf(stderr, "tensorrt: range '%s' is no layer\n", name);
    open_.push_back(kNoId);
    return;
  }
  const auto span = static_cast<std::uint32_t>(spans_.size());
  if (tracer_ != nullptr) tracer_->push(span);
  open_.push_back(span);
  spans_.push_back({step, now_ns(), 0});
}

void LaunchWatch::pop() noexcept {
  if (failed_ || open_.empty()) return;
  const std::uint32_t span = open_.back();
  open_.pop_back();
  if (span == kNoId) return;
  spans_[span].end_ns = now_ns();
  if (tracer_ != nullptr) tracer_->pop();
}

void StepClock::reportLayerTime(char const* name, float milliseconds) noexcept {
  const std::uint32_t step = names_.next(name);
  if (step != kNoId) seconds_[step] += static_cast<double>(milliseconds) * 1e-3;
}

std::vector<double> StepClock::take() {
  std::vector<double> seconds(seconds_.size());
  seconds.swap(seconds_);
  return seconds;
}

}  // namespace nongemm::tensorrt
