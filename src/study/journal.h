// The journal of a sweep: a file to which each point is added as it ends, so that a sweep which is killed goes on where
// it was. One line for each session (the machine, the command) and each point:
//
//   {"sum":"0123456789abcdef","line":{"program":"0.1.0 1234abcd","point":{...}}}
//
// A line counts when it is complete and its sum (FNV-1a of what follows "line") is right. The last one may be torn, by
// a kill, a power loss or a full disk, and is dropped then; damage anywhere else is refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "report/document.h"

namespace nongemm {

struct JournalPoint {
  std::string program;  // version and revision of the nongemm that measured it
  Point point;
};

struct JournalContent {
  /// Of each process that wrote the journal: what a report's context says.
  std::vector<std::vector<std::pair<std::string, std::string>>> sessions;
  std::size_t promised = 0;  // points that the last session was to measure
  std::vector<JournalPoint> points;
};

/// This program, as a journal names it.
std::string program_version();

class Journal {
 public:
  /// Opens it, or makes it, and has it alone until its end. Drops a torn last line.
  /// Throws Error(kIo) for a file that cannot be opened, one that another process writes, and a full disk;
  /// Error(kBadInput) for what is no journal, damaged ones and those of another version.
  explicit Journal(std::filesystem::path path);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  const std::filesystem::path& path() const { return path_; }
  /// What was there when it was opened.
  const JournalContent& content() const { return content_; }
  void begin_anew();
  /// @param promised points that the session is to measure, with those that are there already
  void begin_session(const std::vector<std::pair<std::string, std::string>>& context, std::size_t promised);
  /// On the disk when it returns; nothing of it is there when it throws Error(kIo).
  void add(const Point& point);

 private:
  void append(const std::string& line);
  [[noreturn]] void fail(const char* what, int error_number) const;

  std::filesystem::path path_;
  int descriptor_ = -1;
  std::int64_t size_ = 0;  // of complete lines
  JournalContent content_;
};

/// The content of a journal, also while it is written. Throws as Journal does.
JournalContent read_journal(const std::filesystem::path& path);
JournalContent parse_journal(std::string_view text, const std::string& origin);

/// Reads on where it left off: the lines that have been completed since.
/// @param offset in bytes; moved behind the last complete line
JournalContent read_journal_from(const std::filesystem::path& path, std::uint64_t& offset);

/// A report of a journal, one in JSON, or a folder's: all its journals (journal.jsonl, journal.*.jsonl), else its
/// report.json, else every *.jsonl and *.json there. Of a point that stands in journals twice the last one.
/// Throws Error(kBadInput) for a folder without any.
Document read_report(const std::string& path);

}  // namespace nongemm
