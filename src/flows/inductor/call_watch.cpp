#include "flows/inductor/call_watch.h"

#include <ATen/record_function.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>

#include "base/clock.h"

namespace nongemm::inductor_flow {
namespace {

/// Of the thread that runs an inference: RecordFunction's callbacks are plain functions.
struct Watch {
  std::vector<Call> calls;
  int depth = 0;  // inside of a call that counts
};
thread_local Watch* current_watch = nullptr;

/// What a call's beginning leaves for its end.
struct Open : at::ObserverContext {
  explicit Open(std::size_t position) : call(position) {}
  std::size_t call;
};

bool counts(std::string_view name) {
  constexpr std::array<std::string_view, 6> kNothing = {"aten::empty", "aten::empty_strided", "aten::as_strided",
                                                        "aten::view",  "aten::detach",        "aten::alias"};
  return std::find(kNothing.begin(), kNothing.end(), name) == kNothing.end();
}

std::unique_ptr<at::ObserverContext> begin_call(const at::RecordFunction& function) {
  Watch* watch = current_watch;
  if (watch == nullptr || !counts(function.name())) return nullptr;
  if (watch->depth++ > 0) return std::make_unique<Open>(SIZE_MAX);
  watch->calls.push_back({function.name(), now_ns(), 0});
  return std::make_unique<Open>(watch->calls.size() - 1);
}

void end_call(const at::RecordFunction&, at::ObserverContext* context) {
  const std::int64_t now = now_ns();
  const auto* open = static_cast<Open*>(context);
  Watch* watch = current_watch;
  if (watch == nullptr || open == nullptr) return;
  --watch->depth;
  if (open->call < watch->calls.size()) watch->calls[open->call].end_ns = now;
}

}  // namespace

std::vector<Call> watch_calls(const std::function<void()>& run) {
  Watch watch;
  struct Listening {
    explicit Listening(Watch& into) {
      current_watch = &into;
      handle = at::addThreadLocalCallback(at::RecordFunctionCallback(begin_call, end_call));
    }
    ~Listening() {
      at::removeCallback(handle);
      current_watch = nullptr;
    }
    Listening(const Listening&) = delete;
    Listening& operator=(const Listening&) = delete;
    at::CallbackHandle handle = 0;
  };
  {
    const Listening listening(watch);
    run();
  }
  return std::move(watch.calls);
}

}  // namespace nongemm::inductor_flow
