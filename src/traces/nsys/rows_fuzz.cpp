// Fuzz target: databases that are whole, with tables, columns and values that no export of Nsight Systems has. Where
// fuzz.cpp mostly finds the end of SQLite's patience, this one gets to what is made of rows.
#include <sqlite3.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "traces/nsys/nsys.h"

namespace {

struct TableKind {
  std::string_view name;
  std::vector<std::string_view> columns;
};

const std::vector<TableKind>& tables() {
  static const std::vector<std::string_view> kActivity = {"start",         "end",       "deviceId", "streamId",
                                                          "correlationId", "globalPid", "bytes",    "copyKind",
                                                          "demangledName", "shortName"};
  static const std::vector<TableKind> kTables = {
      {"StringIds", {"id", "value"}},
      {"NVTX_EVENTS", {"start", "end", "eventType", "text", "textId", "globalTid"}},
      {"CUPTI_ACTIVITY_KIND_RUNTIME", {"start", "end", "globalTid", "correlationId", "nameId"}},
      {"CUPTI_ACTIVITY_KIND_KERNEL", kActivity},
      {"CUPTI_ACTIVITY_KIND_MEMCPY", kActivity},
      {"CUPTI_ACTIVITY_KIND_MEMSET", kActivity},
      {"CUPTI_ACTIVITY_KIND_GRAPH_TRACE", kActivity},
      {"CUPTI_ACTIVITY_KIND_SYNCHRONIZATION", {"start"}},
      {"TARGET_INFO_GPU", {"name"}}};
  return kTables;
}

/// The input, byte by byte; zeros behind its end.
class Bytes {
 public:
  Bytes(const std::uint8_t* data, std::size_t size) : at_(data), end_(data + size) {}
  std::uint8_t next() { return at_ == end_ ? std::uint8_t{0} : *at_++; }
  bool ended() const { return at_ == end_; }
  std::uint64_t word() {
    std::uint64_t value = 0;
    for (int i = 0; i < 8; ++i) value = (value << 8U) | next();
    return value;
  }

 private:
  const std::uint8_t* at_;
  const std::uint8_t* end_;
};

void bind(sqlite3_stmt* row, int place, Bytes& bytes) {
  constexpr std::array<std::string_view, 6> kTexts = {"aten::addmm, op_id = 3, sizes = [[1, 2], [2, 3]]",
                                                      "cudaLaunchKernel",
                                                      "cudaStreamSynchronize",
                                                      "cudaGraphLaunch",
                                                      "a,b::c",
                                                      ""};
  switch (bytes.next() % 8) {
    case 0:
      return;  // stays NULL
    case 1:
      sqlite3_bind_int64(row, place, bytes.next());
      return;
    case 2:
      sqlite3_bind_int64(row, place, static_cast<std::int64_t>(bytes.word()));
      return;
    case 3:
      sqlite3_bind_int64(row, place, 1'000'000 + 100 * std::int64_t{bytes.next()});
      return;  // a time
    case 4:
      sqlite3_bind_int64(row, place, (std::int64_t{bytes.next()} << 24U) | 7);
      return;  // a thread
    case 5: {
      const std::string_view text = kTexts.at(bytes.next() % kTexts.size());
      sqlite3_bind_text(row, place, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
      return;
    }
    case 6: {
      std::string text(bytes.next() % 32, ' ');
      for (char& letter : text) letter = static_cast<char>(bytes.next());
      sqlite3_bind_blob(row, place, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
      return;
    }
    default:
      sqlite3_bind_double(row, place, 1e18 * (bytes.next() - 128.0));
      return;
  }
}

void add_table(sqlite3* database, const TableKind& kind, Bytes& bytes) {
  const unsigned left_out = bytes.next() | (static_cast<unsigned>(bytes.next()) << 8U);
  std::string columns;
  std::string marks;
  int count = 0;
  for (std::size_t i = 0; i < kind.columns.size(); ++i) {
    if ((left_out >> i & 1U) != 0) continue;
    columns += (count > 0 ? ", \"" : "\"") + std::string(kind.columns[i]) + '"';
    marks += count > 0 ? ", ?" : "?";
    ++count;
  }
  if (count == 0) return;
  const std::string name(kind.name);
  sqlite3_exec(database, ("CREATE TABLE " + name + " (" + columns + ")").c_str(), nullptr, nullptr, nullptr);
  sqlite3_stmt* row = nullptr;
  sqlite3_prepare_v2(database, ("INSERT INTO " + name + " VALUES (" + marks + ")").c_str(), -1, &row, nullptr);
  for (int rows = bytes.next() % 8; rows > 0; --rows) {
    for (int i = 1; i <= count; ++i) bind(row, i, bytes);
    sqlite3_step(row);
    sqlite3_reset(row);
    sqlite3_clear_bindings(row);
  }
  sqlite3_finalize(row);
}

/// Where a path is opened from now on: in this process's memory, one database for all that open the same. SQLite counts
/// nothing and locks nothing, for there is one thread.
bool open_in_memory() {
  sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);  // NOLINT: its interface
  sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);  // NOLINT
  return sqlite3_initialize() == SQLITE_OK && sqlite3_vfs_register(sqlite3_vfs_find("memdb"), 1) == SQLITE_OK;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bool kInMemory = open_in_memory();
  const char* const path = "/rows.sqlite";  // the slash makes it one that others may open
  sqlite3* database = nullptr;
  if (!kInMemory || sqlite3_open(path, &database) != SQLITE_OK) std::abort();
  // One transaction without a way back: a journal for each row would be most of the work.
  sqlite3_exec(database, "PRAGMA journal_mode = OFF; BEGIN", nullptr, nullptr, nullptr);
  Bytes bytes(data, size);
  for (const TableKind& kind : tables()) {
    if (!bytes.ended()) add_table(database, kind, bytes);
  }
  sqlite3_exec(database, "COMMIT", nullptr, nullptr, nullptr);
  try {
    nongemm::traces::read_nsys(path);
  } catch (const nongemm::Error&) {
  }
  sqlite3_close(database);  // the last one to have it open: it is gone
  return 0;
}
