// The events of a file in Chrome's trace format, one after another, in memory that does not grow with the file: an
// array of objects, or an object with such an array as "traceEvents". What cannot be read is left out and counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "traces/common/json_scanner.h"
#include "traces/common/key_memory.h"

namespace nongemm::traces {

/// In place of an integer that an event does not have.
inline constexpr std::int64_t kAbsent = INT64_MIN;

/// One event with what readers of traces ask for; texts are valid until the next one is read. Times are ns.
struct TraceEvent {
  std::string_view phase;     // "X"
  std::string_view category;  // "cpu_op"
  std::string_view name;
  std::string_view process;
  std::string_view thread;
  std::int64_t begin_ns = kAbsent;
  std::int64_t duration_ns = kAbsent;
  // Of "args":
  std::int64_t external_id = kAbsent;
  std::int64_t correlation = kAbsent;
  std::int64_t device = kAbsent;
  std::int64_t stream = kAbsent;
  std::int64_t bytes = kAbsent;
  std::string_view shapes;      // JSON text
  std::string_view types;       // JSON text
  std::string_view values;      // JSON text
  std::string_view op_name;     // ONNX Runtime: "Gemm"
  std::string_view collective;  // "allreduce"
  std::string_view group;       // of a collective
};

class EventReader {
 public:
  /// Puts up to so many bytes there and says how many; 0 at the end.
  using ReadMore = std::function<std::size_t(char* to, std::size_t most)>;

  EventReader(ReadMore more, std::string origin);

  /// nullptr at the end.
  /// @throws Error (kBadInput) where the text is no such file from its begin
  const TraceEvent* next();

  std::int64_t events() const { return events_; }
  std::int64_t repaired() const { return repaired_; }
  std::int64_t dropped() const { return dropped_; }
  /// After the last event: the file ends before its array of events does.
  bool is_truncated() const { return truncated_; }
  /// Members of the object around the events, JSON text; long ones have an empty text.
  const std::map<std::string, std::string>& properties() const { return properties_; }

 private:
  enum class At : std::uint8_t { kStart, kEvents, kTail, kEnd };

  void start();
  void start_object(const char* at);
  bool read_member(const char*& at);
  void read_tail();
  bool find_event();
  bool read_event();
  void give_up_event();
  const char* members(const char* at, bool in_args);
  const char* key(const char* at, bool is_first, bool in_args, std::optional<KeyMemory::Key>& key);
  const char* member_value(const char* at, const EventField* field);
  void unescape_name();
  bool refill();
  [[noreturn]] void refuse(const std::string& why) const;

  ReadMore more_;
  std::string origin_;
  std::vector<char> window_;
  bool exhausted_ = false;
  const char* at_ = nullptr;  // where reading goes on
  At state_ = At::kStart;
  JsonScanner scanner_;
  KeyMemory keys_;
  TraceEvent event_;
  std::uint32_t seen_ = 0;  // fields of the event, as bits
  std::string name_;        // the event's, where it had escapes
  std::map<std::string, std::string> properties_;
  bool in_object_ = false;
  bool after_event_ = false;  // no comma yet
  bool recovering_ = false;
  bool truncated_ = false;
  std::int64_t events_ = 0;
  std::int64_t repaired_ = 0;
  std::int64_t dropped_ = 0;
};

}  // namespace nongemm::traces
