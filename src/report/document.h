// A report: context once, then one point per run (model, flow, device, batch, ...). JSON is its complete form; every
// other format is made from it and can be made again later from the JSON alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "record/status.h"
#include "report/field.h"
#include "spec/option_value.h"

namespace nongemm {

/// Version of the JSON schema (docs/report-format.md). Raised when a reader of the old form would misread the new one.
inline constexpr int kSchemaVersion = 2;
/// The oldest that is still read.
inline constexpr int kOldestSchemaVersion = 1;

/// Raw samples of a pass, in seconds; "latency_clock": the device's clock during each, in Hz.
struct SampleSet {
  std::string name;
  std::vector<double> seconds;
};

struct Point {
  Status status;
  /// The command line that makes this point again.
  std::string command;
  /// Equal for points that are equal (OptionTable::key_of); empty in reports of version 1.
  std::string key;
  /// What was asked for, typed; empty in reports of version 1.
  std::vector<OptionValue> specification;
  /// model, flow, device, batch, ... as people read them, in a fixed order; also what came of what was asked for.
  std::vector<std::pair<std::string, std::string>> settings;
  /// From 1 on where several processes measured the same point, each a point of the report with the same key; else 0.
  int process = 0;
  std::vector<Table> tables;
  std::vector<SampleSet> samples;

  std::string setting(std::string_view key) const;
};

/// A point's table of the section; nullptr without one.
const Table* find_table(const Point& point, std::string_view section);
/// Absent where the table has no such column.
FieldValue value_at(const Table& table, std::size_t row, std::string_view column);
/// NaN where there is no number.
double number_at(const Table& table, std::size_t row, std::string_view column);

struct Document {
  /// Machine, versions, command, time: first in every format.
  std::vector<std::pair<std::string, std::string>> context;
  std::vector<Point> points;
};

/// The same points with the tables of some reports only.
Document only(const Document& document, const std::vector<ReportKind>& reports);
/// What a terminal has room for: of a measured point the performance report and what could be won, else everything.
Document summary_of(const Document& document);

/// The sections a table can belong to, by id; nullptr for an unknown one.
const SectionInfo* find_section(std::string_view id);
const std::vector<const SectionInfo*>& all_sections();

/// How a document is written. One file pair and one line in writers() per format.
struct Writer {
  std::string_view format;     // "json"
  std::string_view extension;  // ".json"
  void (*write)(const Document& document, std::ostream& out);
};
const std::vector<Writer>& writers();
/// For a terminal: what does not fit into its columns is cut, and that is said; bars beside shares are of Unicode's
/// blocks.
struct TableLook {
  std::size_t room = SIZE_MAX;
  bool bars = false;
};
void write_table(const Document& document, TableLook look, std::ostream& out);
/// Throws Error(kUsage) naming the known formats.
const Writer& find_writer(std::string_view format);

/// Reads what the JSON writer wrote. Throws Error(kBadInput) for damaged files and other schema versions.
Document read_document(const std::string& path);
Document parse_document(std::string_view json, const std::string& origin);

/// A point alone, as it stands in a JSON report, in one line; and the other way, with the same errors.
std::string point_text(const Point& point);
Point parse_point(std::string_view json, const std::string& origin);

}  // namespace nongemm
