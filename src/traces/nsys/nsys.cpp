#include "traces/nsys/nsys.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/error.h"
#include "traces/common/trace_builder.h"
#include "traces/nsys/database.h"

namespace nongemm::traces {
namespace {

/// Threads are numbered across the system: the process stands above 24 bits. A process's own number has the same form.
constexpr std::int64_t kThreadBits = 24;
/// NvtxPushPopRange and NvtxStartEndRange of ENUM_NSYS_EVENT_TYPE.
constexpr std::int64_t kPushPop = 59;
constexpr std::int64_t kStartEnd = 60;

/// CUPTI's kinds of copies (CUpti_ActivityMemcpyKind).
DeviceRecord::Kind copy_kind(std::int64_t kind) {
  constexpr std::int64_t kHostToDevice = 1;
  constexpr std::int64_t kDeviceToHost = 2;
  constexpr std::int64_t kHostToArray = 3;
  constexpr std::int64_t kArrayToHost = 4;
  if (kind == kHostToDevice || kind == kHostToArray) return DeviceRecord::Kind::kMemcpyHostToDevice;
  if (kind == kDeviceToHost || kind == kArrayToHost) return DeviceRecord::Kind::kMemcpyDeviceToHost;
  return DeviceRecord::Kind::kMemcpyDeviceToDevice;
}

class Reader {
 public:
  explicit Reader(const std::filesystem::path& path) : database_(path), name_(path.filename().string()) {}

  ToolTrace read() {
    check_tables();
    database_.read("StringIds", {"id", "value"},
                   [&](const Row& row) { strings_[row.integer(0)] = builder_.name(row.text(1)); });
    read_ranges();
    read_calls();
    events_ += read_activities();
    std::vector<std::string> devices;
    database_.read("TARGET_INFO_GPU", {"name"}, [&](const Row& row) { devices.emplace_back(row.text(0)); });
    ToolTrace trace = std::move(builder_).finish();
    trace.events = events_;
    trace.dropped = dropped_;
    trace.device_names = std::move(devices);
    if (dropped_ > 0) {
      trace.notes.push_back(fmt::format("{} rows have no time, or end before they begin", dropped_));
    }
    if (operators_ == 0) {
      trace.notes.emplace_back(
          "no operators were recorded (torch.autograd.profiler.emit_nvtx does): kernels are known by "
          "their own names alone");
    }
    return trace;
  }

 private:
  void check_tables() const {
    for (const char* table :
         {"CUPTI_ACTIVITY_KIND_KERNEL", "CUPTI_ACTIVITY_KIND_MEMCPY", "NVTX_EVENTS", "CUPTI_ACTIVITY_KIND_RUNTIME"}) {
      if (!database_.columns_of(table).empty()) return;
    }
    throw Error(ErrorKind::kBadInput, name_ + " is a database, but none that Nsight Systems exported",
                "record with --trace cuda,nvtx and export with nsys export --type sqlite");
  }

  std::string_view string(std::int64_t id) const {
    const auto at = strings_.find(id);
    return at != strings_.end() ? builder_.text(at->second) : std::string_view();
  }

  /// False when the row has no time.
  /// @param begin,end positions of the columns
  bool when(const Row& row, int begin, int end, When& when) {
    when.begin_ns = row.integer(begin);
    when.end_ns = row.integer(end);
    const bool right = row.has(begin) && row.has(end) && is_stretch(when.begin_ns, when.end_ns);
    if (!right) ++dropped_;
    return right;
  }

  std::uint32_t thread(std::int64_t global) {
    return builder_.thread(std::to_string(global >> kThreadBits), std::to_string(global));
  }

  /// Correlation numbers are a process's own.
  static std::int64_t correlation(std::int64_t process, std::int64_t number) {
    return ((process >> kThreadBits) << 32U) ^ number;
  }

  void read_ranges() {
    events_ += database_.read("NVTX_EVENTS", {"start", "end", "eventType", "text", "textId", "globalTid"},
                              [&](const Row& row) {
                                const std::int64_t type = row.integer(2, kPushPop);
                                if ((type != kPushPop && type != kStartEnd) || !row.has(1)) return;
                                When range;
                                if (!when(row, 0, 1, range)) return;
                                range.thread = thread(row.integer(5));
                                add_range(row.has(3) ? row.text(3) : string(row.integer(4, -1)), range);
                              });
  }

  /// "aten::addmm, op_id = 3, sizes = [[1, 2], [2, 3]]" is an operator.
  void add_range(std::string_view text, const When& range) {
    const std::string_view name = text.substr(0, text.find(','));
    if (name.find("::") == std::string_view::npos || name.find(' ') != std::string_view::npos) {
      builder_.add_scope(range, text, "");
      return;
    }
    constexpr std::string_view kSizes = "sizes = ";
    const std::size_t sizes = text.find(kSizes);
    const std::string_view shapes = sizes != std::string_view::npos ? text.substr(sizes + kSizes.size()) : "";
    builder_.add_operator(range, builder_.call(name, shapes, "", ""), kAbsent);
    ++operators_;
  }

  void read_calls() {
    events_ += database_.read("CUPTI_ACTIVITY_KIND_RUNTIME", {"start", "end", "globalTid", "correlationId", "nameId"},
                              [&](const Row& row) {
                                When call;
                                if (!when(row, 0, 1, call)) return;
                                call.thread = thread(row.integer(2));
                                builder_.add_launch(call, {correlation(row.integer(2), row.integer(3)), kAbsent},
                                                    kind_of_call(string(row.integer(4, -1))));
                              });
    // What the device did of it; the calls themselves are those above.
    events_ += database_.read("CUPTI_ACTIVITY_KIND_SYNCHRONIZATION", {"start"}, [](const Row&) {});
  }

  std::int64_t read_activities() {
    enum : int { kStart, kEnd, kDevice, kStream, kCorrelation, kProcess, kBytes, kCopy, kName, kShort };
    const std::vector<std::string> columns = {"start",     "end",   "deviceId", "streamId",      "correlationId",
                                              "globalPid", "bytes", "copyKind", "demangledName", "shortName"};
    const auto add = [&](const Row& row, DeviceRecord record) {
      When time;
      if (!when(row, kStart, kEnd, time)) return;
      record.begin_ns = time.begin_ns;
      record.end_ns = time.end_ns;
      record.stream = builder_.stream(row.integer(kDevice), row.integer(kStream));
      record.bytes = static_cast<std::uint64_t>(std::max<std::int64_t>(0, row.integer(kBytes)));
      builder_.add_device(record, {correlation(row.integer(kProcess), row.integer(kCorrelation)), kAbsent});
    };
    std::int64_t rows = database_.read("CUPTI_ACTIVITY_KIND_KERNEL", columns, [&](const Row& row) {
      std::string_view name = string(row.integer(kName, -1));
      if (name.empty()) name = string(row.integer(kShort, -1));
      add(row, {.name = builder_.name(name.empty() ? "(without a name)" : name)});
    });
    rows += database_.read("CUPTI_ACTIVITY_KIND_MEMCPY", columns,
                           [&](const Row& row) { add(row, {.kind = copy_kind(row.integer(kCopy))}); });
    rows += database_.read("CUPTI_ACTIVITY_KIND_MEMSET", columns,
                           [&](const Row& row) { add(row, {.kind = DeviceRecord::Kind::kMemset}); });
    const std::int64_t replays = database_.read("CUPTI_ACTIVITY_KIND_GRAPH_TRACE", columns, [&](const Row& row) {
      add(row, {.name = builder_.name("(a CUDA graph as a whole)")});
    });
    if (replays > 0) {
      builder_.trace().notes.push_back(
          fmt::format("{} replays of CUDA graphs are known as a whole: record with --cuda-graph-trace node", replays));
    }
    return rows + replays;
  }

  Database database_;
  std::string name_;
  TraceBuilder builder_{"nsys"};
  std::unordered_map<std::int64_t, std::uint32_t> strings_;
  std::int64_t operators_ = 0;
  std::int64_t events_ = 0;
  std::int64_t dropped_ = 0;
};

}  // namespace

bool is_sqlite(std::string_view begin) { return begin.starts_with("SQLite format 3"); }

ToolTrace read_nsys(const std::filesystem::path& path) { return Reader(path).read(); }

}  // namespace nongemm::traces
