// Puts together what a profiler's file has in pieces: host ranges, calls that launch, activities of devices. Every
// activity gets the one operator that launched it.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "record/tool_trace.h"
#include "traces/common/event_reader.h"

namespace nongemm::traces {

/// When something ran, and on which thread (TraceBuilder::thread).
struct When {
  std::int64_t begin_ns = 0;
  std::int64_t end_ns = 0;
  std::uint32_t thread = 0;
};

/// Whether something can have run from here to there: not backwards, and no day long. Sums of such times stay in range.
bool is_stretch(std::int64_t begin_ns, std::int64_t end_ns);

/// False for an event that has no such time.
bool time_of(const TraceEvent& event, When& when);

/// What ties an activity to its call and its operator, as far as the file says.
struct Links {
  std::int64_t correlation = kAbsent;
  std::int64_t external_id = kAbsent;
};

/// What a call of the device's interface does.
enum class CallKind : std::uint8_t {
  kOther,
  kWait,    // for the device
  kReplay,  // of a captured graph, which launches many kernels
};

/// By its name: "cudaStreamSynchronize", "cudaGraphLaunch".
CallKind kind_of_call(std::string_view name);

class TraceBuilder {
 public:
  explicit TraceBuilder(std::string kind) { trace_.kind = std::move(kind); }

  /// Of everything else that the file tells: steps, counts, notes.
  ToolTrace& trace() { return trace_; }

  std::uint32_t name(std::string_view text);
  std::string_view text(std::uint32_t name) const { return names_[name]; }
  std::uint32_t thread(std::string_view process, std::string_view thread);
  std::uint32_t stream(std::int64_t device, std::int64_t stream);
  /// Operands as ToolNode has them; empty where they are not told.
  std::uint32_t call(std::string_view name, std::string_view shapes, std::string_view types, std::string_view values);

  void add_operator(const When& when, std::uint32_t call, std::int64_t external_id);
  /// @param type the module's class; empty for a range that the program named
  void add_scope(const When& when, std::string_view name, std::string_view type);
  /// A call of the device's interface.
  void add_launch(const When& when, const Links& links, CallKind kind);
  /// @param record whose node and launch are still to be found
  void add_device(const DeviceRecord& record, const Links& links);

  ToolTrace finish() &&;

 private:
  struct Range {
    std::int64_t begin_ns;
    std::int64_t end_ns;
    /// Its external id; once that is indexed, the range around it, or -1.
    std::int64_t link;
    std::uint32_t what;  // call or scope; in the end the node
    std::uint32_t thread : 31;
    std::uint32_t is_operator : 1;
  };
  struct Launch {
    std::int64_t begin_ns;
    std::int64_t end_ns;
    Links links;
    std::uint32_t thread;
    CallKind kind;
  };
  struct CallKey {
    std::uint32_t name, shapes, types, values;
    auto operator<=>(const CallKey&) const = default;
  };
  struct CallHash {
    std::size_t operator()(const CallKey& key) const;
  };
  struct NodeKey {
    std::uint32_t call, scope, caller;
    auto operator<=>(const NodeKey&) const = default;
  };
  struct NodeHash {
    std::size_t operator()(const NodeKey& key) const;
  };

  /// A range that others may lie in.
  struct Open {
    std::size_t range = 0;
    std::uint32_t scope = 0;
    std::uint32_t depth = 0;       // of the scope
    std::int64_t operation = -1;   // the innermost operator's range
    std::uint32_t calls = 0;       // operators around it and itself
    std::uint32_t caller = kNoId;  // the node of operators in it
  };

  bool is_call(std::uint32_t call, std::string_view name, std::string_view shapes, std::string_view types,
               std::string_view values) const;
  void cover(std::int64_t begin_ns, std::int64_t end_ns);
  void nest();
  void place(std::size_t at, std::vector<Open>& open);
  std::uint32_t node_of(const NodeKey& key);
  std::uint32_t scope_of(std::uint32_t parent, std::uint32_t what);
  void index_external_ids();
  const Launch* launch_of(const DeviceRecord& record, const Links& links);
  NodeId node_by_id(std::int64_t external_id, std::int64_t at_ns);
  NodeId node_around(std::uint32_t thread, std::int64_t at_ns) const;
  NodeId node_of_launch(const Launch& launch);
  void link_device();
  void link_waits();
  void keep_calls();
  void say_what_is_odd(std::int64_t early, std::int64_t replayed);

  ToolTrace trace_;
  std::deque<std::string> names_;
  std::unordered_map<std::string_view, std::uint32_t> name_ids_;
  std::unordered_map<CallKey, std::uint32_t, CallHash> call_ids_;
  std::vector<CallKey> calls_;
  /// What was called after each when it was called last: a program repeats itself, and then there is nothing to search.
  std::vector<std::uint32_t> call_after_;
  std::uint32_t last_call_ = kNoId;
  std::map<std::pair<std::string, std::string>, std::uint32_t, std::less<>> thread_ids_;
  std::pair<std::string, std::string> last_thread_;
  std::uint32_t last_thread_id_ = kNoId;
  std::map<std::pair<std::int64_t, std::int64_t>, std::uint32_t> stream_ids_;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> scope_kinds_;  // name and type
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> scope_kind_ids_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> scope_ids_;
  std::unordered_map<NodeKey, std::uint32_t, NodeHash> node_ids_;

  std::vector<Range> ranges_;
  std::vector<Launch> launches_;
  std::vector<Links> device_links_;
  std::vector<std::pair<std::int64_t, std::uint32_t>> by_external_id_;
  // Where their searches ended.
  std::size_t last_launch_ = 0;
  std::size_t last_id_ = 0;
};

}  // namespace nongemm::traces
