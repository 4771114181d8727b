#include "report/document.h"

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "base/text.h"
#include "report/sections.h"
#include "report/writers.h"

namespace nongemm {

std::string Point::setting(std::string_view key) const {
  for (const auto& [name, value] : settings) {
    if (name == key) return value;
  }
  return "";
}

const Table* find_table(const Point& point, std::string_view section) {
  for (const Table& table : point.tables) {
    if (table.info->id == section) return &table;
  }
  return nullptr;
}

FieldValue value_at(const Table& table, std::size_t row, std::string_view column) {
  for (std::size_t c = 0; c < table.info->columns.size(); ++c) {
    if (table.info->columns[c].id == column) return table.rows.at(row)[c];
  }
  return {};
}

double number_at(const Table& table, std::size_t row, std::string_view column) {
  const FieldValue value = value_at(table, row, column);
  if (const auto* number = std::get_if<double>(&value)) return *number;
  if (const auto* number = std::get_if<std::int64_t>(&value)) return static_cast<double>(*number);
  return std::numeric_limits<double>::quiet_NaN();
}

Document only(const Document& document, const std::vector<ReportKind>& reports) {
  Document result = document;
  for (Point& point : result.points) {
    std::erase_if(point.tables, [&](const Table& table) {
      return std::find(reports.begin(), reports.end(), table.info->report) == reports.end();
    });
  }
  return result;
}

Document summary_of(const Document& document) {
  Document result = document;
  for (Point& point : result.points) {
    const std::string_view first = point.tables.empty() ? "" : point.tables.front().info->id;
    // A trace tells of operators by itself; what its groups are shares of, waits and the rest stand in `performance`.
    if (first == "trace") {
      std::erase_if(point.tables, [](const Table& table) {
        const std::string_view id = table.info->id;
        return id != "performance" && id != "groups" && id != "rank_waits" && !id.starts_with("trace");
      });
    }
    if (first == "generation") {
      std::erase_if(point.tables, [](const Table& table) { return table.info->report != ReportKind::kPerformance; });
    }
    if (first != "performance") continue;
    std::erase_if(point.tables, [](const Table& table) {
      return table.info->report != ReportKind::kPerformance && table.info->id != "what_if";
    });
  }
  return result;
}

const SectionInfo* find_section(std::string_view id) {
  for (const SectionInfo* section : all_sections()) {
    if (section->id == id) return section;
  }
  return nullptr;
}

const std::vector<Writer>& writers() {
  static const std::vector<Writer> kWriters = {
      {"table", ".txt", write_table},
      {"json", ".json", write_json},
      {"csv", ".csv", write_csv},
      {"md", ".md", write_markdown},
      {"html", ".html", write_html},
      {"google-benchmark", ".google-benchmark.json", write_google_benchmark},
      {"trace", ".trace.json", write_trace},
  };
  return kWriters;
}

const Writer& find_writer(std::string_view format) {
  std::vector<std::string> known;
  for (const Writer& writer : writers()) {
    if (writer.format == format) return writer;
    known.emplace_back(writer.format);
  }
  throw Error(ErrorKind::kUsage, "unknown format '" + std::string(format) + "'", did_you_mean(format, known));
}

}  // namespace nongemm
