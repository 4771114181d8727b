// The one declaration of every reported figure: id, title, unit, one line of documentation, and how to get it.
// Writers (table, JSON, CSV, Markdown) walk these and know no figure by name.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace nongemm {

/// monostate: not measured. Never 0 in its place.
using FieldValue = std::variant<std::monostate, std::string, double, std::int64_t, bool>;

enum class Unit : std::uint8_t {
  kText,
  kYesNo,
  kCount,
  kSeconds,
  kShare,  // 0 to 1, printed as percent
  kRatio,  // printed as 1.03
  kBytes,
  kFlops,
  kFlopRate,   // FLOP/s
  kByteRate,   // B/s
  kIntensity,  // FLOP/B
  kPerSecond,
  kJoules,
  kWatts,
  kHertz,
  kNumber,  // without a unit, printed as 2.9e-06
};
/// "s", "B", "FLOP/s", ...: as it stands in the JSON schema and CSV headers.
std::string_view symbol(Unit unit);

struct Column {
  std::string_view id;     // in JSON and CSV
  std::string_view title;  // in tables
  Unit unit = Unit::kText;
  std::string_view doc;
  /// Left out of the terminal's table, which has little room.
  bool wide = false;
  /// Left out of it only where rows do not fit otherwise: the highest first, 0 never.
  std::uint8_t spare = 0;
  /// Characters that lines of text show of it, wherever they go, cut in the middle: names of templates have hundreds,
  /// and files for programs have them whole. 0 for all.
  std::uint8_t most = 0;
};

/// Of names of kernels and operators.
inline constexpr std::uint8_t kMostOfName = 80;

enum class ReportKind : std::uint8_t { kPerformance, kWorkload, kNongemm };
std::string_view name_of(ReportKind kind);

/// A table of a report: one row (figures of a run) or many.
struct SectionInfo {
  std::string_view id;
  std::string_view title;
  std::string_view doc;
  ReportKind report = ReportKind::kPerformance;
  bool single_row = false;
  /// Rows that the terminal and Markdown show; 0 for all.
  std::size_t most_rows = 0;
  /// Rows that nobody reads one after the other: in the formats for programs and on the page alone.
  bool bulk = false;
  /// So many rows that JSON has them by column: `{"rows": 2, "columns": {...}}`.
  bool columnar = false;
  std::vector<Column> columns;
};

struct Table {
  const SectionInfo* info = nullptr;
  std::vector<std::vector<FieldValue>> rows;
};

/// A column with its getter, for one type of row.
template <typename Row>
struct Field {
  Column column;
  FieldValue (*get)(const Row&);
};

/// A section and the fields that fill it.
template <typename Row>
class Section {
 public:
  Section(SectionInfo info, std::vector<Field<Row>> fields) : info_(std::move(info)) {
    for (const Field<Row>& field : fields) {
      info_.columns.push_back(field.column);
      getters_.push_back(field.get);
    }
  }

  const SectionInfo& info() const { return info_; }

  Table fill(std::span<const Row> rows) const {
    Table table{&info_, {}};
    for (const Row& row : rows) {
      std::vector<FieldValue> values;
      values.reserve(getters_.size());
      for (const auto& get : getters_) values.push_back(get(row));
      table.rows.push_back(std::move(values));
    }
    return table;
  }

 private:
  SectionInfo info_;
  std::vector<FieldValue (*)(const Row&)> getters_;
};

/// A figure that may be absent: NaN is "not measured".
inline FieldValue measured(double value) {
  if (std::isnan(value)) return std::monostate{};
  return value;
}
/// The same, absent unless `present`.
inline FieldValue measured_if(bool present, double value) { return present ? measured(value) : FieldValue{}; }

/// As people read it: "12.3 ms", "48.1 %", "1.2 GB", "not measured".
std::string to_text(const FieldValue& value, Unit unit);
/// As programs read it: numbers in base units, no text for absent values.
std::string to_plain(const FieldValue& value);

}  // namespace nongemm
