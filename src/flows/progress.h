// Building an engine or compiling a model takes minutes: somebody should say that it still goes on.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "base/clock.h"

namespace nongemm {

/// Calls `say` about once a second, from a thread of its own, with what is being done and for how long, until it goes.
class Ticker {
 public:
  Ticker(std::function<void(const std::string& what)> say, std::string what);
  ~Ticker();
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;

  /// What goes on within, where that is known.
  void set_detail(const std::string& detail);

 private:
  void tick();

  std::function<void(const std::string&)> say_;
  std::string what_;
  std::string detail_;
  Stopwatch watch_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool done_ = false;
  std::thread thread_;
};

}  // namespace nongemm
