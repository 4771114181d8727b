// Part of every flow's module: it learns of the program's interrupts, and the program of its temporary files.
#include "base/process_state.h"

extern "C" __attribute__((visibility("default"))) void nongemm_attach(nongemm::ProcessState* program) {
  nongemm::share_process_state(*program);
}
