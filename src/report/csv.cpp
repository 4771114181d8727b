// CSV (RFC 4180): all sections below one another, each with its header line; the first columns name section and point.
#include <algorithm>
#include <ostream>
#include <string>
#include <vector>

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

/// Settings of all points, in the order of their first mention: rows of one section have the same columns.
std::vector<std::string> setting_names(const Document& document) {
  std::vector<std::string> names;
  for (const Point& point : document.points) {
    for (const auto& [key, value] : point.settings) {
      if (std::find(names.begin(), names.end(), key) == names.end()) names.push_back(key);
    }
  }
  return names;
}

}  // namespace

void write_csv(const Document& document, std::ostream& out) {
  const std::vector<std::string> settings = setting_names(document);
  const auto write_settings = [&](const Point& point) {
    for (const std::string& name : settings) out << ',' << quoted(point.setting(name));
  };
  bool first = true;
  for (const SectionInfo* section : all_sections()) {
    bool header_written = false;
    for (const Point& point : document.points) {
      for (const Table& table : point.tables) {
        if (table.info != section) continue;
        if (!header_written) {
          if (!first) out << "\r\n";
          out << "section";
          for (const std::string& name : settings) out << ',' << quoted(name);
          out << ",status";
          for (const Column& column : section->columns) out << ',' << quoted(header(column));
          out << "\r\n";
          header_written = true;
          first = false;
        }
        for (const auto& row : table.rows) {
          out << section->id;
          write_settings(point);
          out << ',' << name_of(point.status.kind);
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
      for (const std::string& name : settings) out << ',' << quoted(name);
      out << ",status,reason\r\n";
      header_written = true;
    }
    out << "point";
    write_settings(point);
    out << ',' << name_of(point.status.kind) << ',' << quoted(point.status.reason) << "\r\n";
  }
}

}  // namespace nongemm
