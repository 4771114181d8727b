// Wall times of whole inferences with nothing recorded.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace nongemm {

/// What was noticed of a sample that makes it doubtful.
enum class SampleMark : std::uint8_t {
  kNone,
  kDisturbed,  // the host took the processor away from it, or it stands far above the others
  kThrottled,  // power or heat slowed the device
};

struct LatencyPass {
  std::vector<double> warmup_s;   // the runs before; raw samples
  std::vector<double> samples_s;  // raw samples; none where the latency is not known
  std::vector<SampleMark> marks;  // by sample; empty when nothing was watched
  std::vector<double> clocks_hz;  // of the multiprocessors, by sample, as last asked; empty where the device tells none
  std::vector<double> retaken_s;  // doubtful samples that do not count: others were taken in their place
  std::string stopping_rule;      // when the pass ended, in words
};

}  // namespace nongemm
