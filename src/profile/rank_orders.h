// What the first rank has the others do, as one number.
#pragma once

#include <cstdint>

#include "flows/flow.h"

namespace nongemm {

enum class RankCommand : std::uint8_t {
  kEnd,
  kGather,
  kMeasureLimits,
  // Of a session.
  kRun,
  kRunOn,
  kAdvance,
  kRemember,
  kRestore,
  kTrace,
  kTraceInARow,
  kMemory,
  kTypes,
  kSteps,
  kCapture,
  // Of a text generation.
  kBegin,
  kToken,  // the count-th, its time is taken
  kStep,   // its session is selected
  kOwnStep,
};

struct RankOrder {
  RankCommand command = RankCommand::kEnd;
  std::uint16_t session = 0;  // in the order of their first use
  TraceLevel level = TraceLevel::kHost;
  std::uint32_t count = 0;

  std::int64_t packed() const {
    return static_cast<std::int64_t>(command) | static_cast<std::int64_t>(level) << 8 |
           static_cast<std::int64_t>(session) << 16 | static_cast<std::int64_t>(count) << 32;
  }
  static RankOrder unpacked(std::int64_t told) {
    const auto bits = static_cast<std::uint64_t>(told);
    return {static_cast<RankCommand>(bits & 0xff), static_cast<std::uint16_t>(bits >> 16),
            static_cast<TraceLevel>(bits >> 8 & 0xff), static_cast<std::uint32_t>(bits >> 32)};
  }
};

}  // namespace nongemm
