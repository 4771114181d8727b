#include "base/process_state.h"

#include <system_error>
#include <utility>

namespace nongemm {
namespace {

ProcessState own;
std::atomic<ProcessState*> current = &own;

}  // namespace

ProcessState& process_state() { return *current; }

void share_process_state(ProcessState& of_the_program) { current = &of_the_program; }

Temporary::Temporary(std::filesystem::path path) : path_(std::move(path)) {
  ProcessState& state = process_state();
  const std::lock_guard lock(state.mutex);
  state.temporary.insert(path_);
}

Temporary::~Temporary() {
  ProcessState& state = process_state();
  const std::lock_guard lock(state.mutex);
  state.temporary.erase(path_);
}

void remove_temporaries() {
  ProcessState& state = process_state();
  const std::lock_guard lock(state.mutex);
  for (const std::filesystem::path& path : state.temporary) {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
}

}  // namespace nongemm
