// Loops the compiler vectorises itself, compiled once more for AVX2 and chosen when the program runs.
#pragma once

// A loop body shared by both versions has to be inlined into each to be compiled for it.
#define NONGEMM_ALWAYS_INLINE inline __attribute__((always_inline))

#if defined(__x86_64__)
#define NONGEMM_HAS_AVX2_VERSION 1
// Without FMA: both versions round alike, so results do not depend on the machine.
#define NONGEMM_TARGET_AVX2 __attribute__((target("avx2")))
#else
#define NONGEMM_HAS_AVX2_VERSION 0
#define NONGEMM_TARGET_AVX2
#endif

namespace nongemm {

inline bool runs_avx2() {
#if NONGEMM_HAS_AVX2_VERSION
  static const bool kRuns = __builtin_cpu_supports("avx2");
  return kRuns;
#else
  return false;
#endif
}

}  // namespace nongemm
