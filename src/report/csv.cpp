// CSV (RFC 4180): all sections below one another, each with its header line; the first columns name section and point.
#include <ostream>

#include "report/document.h"
#include "report/writers.h"

namespace nongemm {
namespace {

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string result = "\"";
  for (const char letter : text) {
    if (letter == '"') result += '"';
    result += letter;
  }
  return result + "\"";
}

/// "latency [s]"
std::string header(const Column& column) {
  std::string text(column.id);
  if (column.unit != Unit::kText && column.unit != Unit::kCount && column.unit != Unit::kYesNo) {
    text += " [" + std::string(symbol(column.unit)) + "]";
  }
  return text;
}

}  // namespace

void write_csv(const Document& document, std::ostream& out) {
  bool first = true;
  for (const SectionInfo* section : all_sections()) {
    bool header_written = false;
    for (const Point& point : document.points) {
      for (const Table& table : point.tables) {
        if (table.info != section) continue;
        if (!header_written) {
          if (!first) out << "\r\n";
          out << "section";
          for (const auto& [key, value] : point.settings) out << ',' << quoted(key);
          out << ",status";
          for (const Column& column : section->columns) out << ',' << quoted(header(column));
          out << "\r\n";
          header_written = true;
          first = false;
        }
        for (const auto& row : table.rows) {
          out << section->id;
          for (const auto& [key, value] : point.settings) out << ',' << quoted(value);
          out << ',' << quoted(point.status);
          for (const FieldValue& value : row) out << ',' << quoted(to_plain(value));
          out << "\r\n";
        }
      }
    }
  }
  // Points without figures still are rows.
  bool header_written = false;
  for (const Point& point : document.points) {
    if (!point.tables.empty()) continue;
    if (!header_written) {
      if (!first) out << "\r\n";
      out << "section";
      for (const auto& [key, value] : point.settings) out << ',' << quoted(key);
      out << ",status,reason\r\n";
      header_written = true;
    }
    out << "point";
    for (const auto& [key, value] : point.settings) out << ',' << quoted(value);
    out << ',' << quoted(point.status) << ',' << quoted(point.reason) << "\r\n";
  }
}

}  // namespace nongemm
