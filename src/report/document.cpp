#include "report/document.h"

#include <algorithm>

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
    const bool measured = !point.tables.empty() && point.tables.front().info->id == "performance";
    if (!measured) continue;
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
      {"table", ".txt", write_table}, {"json", ".json", write_json},
      {"csv", ".csv", write_csv},     {"md", ".md", write_markdown},
      {"html", ".html", write_html},  {"google-benchmark", ".google-benchmark.json", write_google_benchmark},
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
