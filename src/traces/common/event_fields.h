// Which members of an event are kept, and where: the one table that the reader of events knows.
#pragma once

#include <string_view>

#include "traces/common/event_reader.h"

namespace nongemm::traces {

struct EventField {
  std::string_view key;
  bool in_args = false;
  std::string_view TraceEvent::*text = nullptr;
  std::int64_t TraceEvent::*integer = nullptr;
  std::int64_t TraceEvent::*time = nullptr;  // microseconds in the file
};

/// nullptr for members that nobody asks for.
/// @param key with JsonScanner::kPadding readable bytes behind it
const EventField* find_event_field(std::string_view key, bool in_args);
/// Its place in the table, below 32.
unsigned place_of(const EventField& field);

}  // namespace nongemm::traces
