// Stands for a flow module of another build of the program.
#define EXPORTED extern "C" __attribute__((visibility("default")))

EXPORTED const char nongemm_interface[];  // NOLINT(readability-identifier-naming): as modules export it
const char nongemm_interface[] = "the headers of last year";  // NOLINT(readability-identifier-naming)

EXPORTED void* nongemm_create_flow() { __builtin_trap(); }
