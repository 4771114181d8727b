// What the program and its modules, each of which holds a copy of this library, have in common.
#pragma once

#include <atomic>
#include <filesystem>
#include <mutex>
#include <set>

namespace nongemm {

struct ProcessState {
  std::atomic<bool> interrupted = false;
  static_assert(std::atomic<bool>::is_always_lock_free, "set in a signal handler");
  /// Files and folders that are removed when the process is ended at once.
  std::mutex mutex;
  std::set<std::filesystem::path> temporary;
};

ProcessState& process_state();
/// Called once, by a module that was loaded, with the program's state.
void share_process_state(ProcessState& of_the_program);

/// While it lives, `path` is a file or a folder that nobody is to find when the process has ended.
class Temporary {
 public:
  explicit Temporary(std::filesystem::path path);
  ~Temporary();
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;

 private:
  std::filesystem::path path_;
};

/// Removes what is registered now.
void remove_temporaries();

}  // namespace nongemm
