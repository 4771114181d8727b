// CSV (RFC 4180), one table with one header line: the first columns name section and point, the others are those of all
// sections; a row fills its section's. Points without figures are rows of the section "point".
#include <algorithm>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "base/text.h"
#include "report/document.h"
#include "report/writers.h"

namespace nongemm {
namespace {

/// Names come from files: no control characters but new lines and tabs.
std::string quoted(const std::string& raw) {
  const std::string text = without_controls(raw);
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

/// Columns of all sections that the document has, in their order, each header once.
class Columns {
 public:
  Columns(const Document& document, const std::vector<std::string>& settings) : settings_(settings) {
    for (const SectionInfo* section : all_sections()) {
      if (has(document, *section)) add(*section);
    }
  }

  const std::vector<std::string>& headers() const { return headers_; }
  /// Where the section's columns stand.
  const std::vector<std::size_t>& places(const SectionInfo& section) const { return places_.at(&section); }

 private:
  static bool has(const Document& document, const SectionInfo& section) {
    for (const Point& point : document.points) {
      for (const Table& table : point.tables) {
        if (table.info == &section) return true;
      }
    }
    return false;
  }

  void add(const SectionInfo& section) {
    for (const Column& column : section.columns) {
      std::string name = header(column);
      // A node's dtype is not the run's.
      if (std::find(settings_.begin(), settings_.end(), name) != settings_.end()) name = "row_" + name;
      const auto at = std::find(headers_.begin(), headers_.end(), name);
      places_[&section].push_back(static_cast<std::size_t>(at - headers_.begin()));
      if (at == headers_.end()) headers_.push_back(std::move(name));
    }
  }

  const std::vector<std::string>& settings_;
  std::vector<std::string> headers_;
  std::map<const SectionInfo*, std::vector<std::size_t>> places_;
};

void write_line(const std::vector<std::string>& cells, std::ostream& out) {
  for (std::size_t i = 0; i < cells.size(); ++i) out << (i > 0 ? "," : "") << quoted(cells[i]);
  out << "\r\n";
}

}  // namespace

void write_csv(const Document& document, std::ostream& out) {
  const std::vector<std::string> settings = setting_names(document);
  const Columns columns(document, settings);
  std::vector<std::string> line = {"section"};
  line.insert(line.end(), settings.begin(), settings.end());
  line.insert(line.end(), {"status", "reason"});
  const std::size_t first = line.size();
  line.insert(line.end(), columns.headers().begin(), columns.headers().end());
  write_line(line, out);

  const auto begin = [&](std::string_view section, const Point& point) {
    std::vector<std::string> cells = {std::string(section)};
    for (const std::string& name : settings) cells.push_back(point.setting(name));
    cells.emplace_back(name_of(point.status.kind));
    cells.push_back(point.status.reason);
    cells.resize(first + columns.headers().size());
    return cells;
  };
  for (const SectionInfo* section : all_sections()) {
    for (const Point& point : document.points) {
      for (const Table& table : point.tables) {
        if (table.info != section) continue;
        for (const auto& row : table.rows) {
          std::vector<std::string> cells = begin(section->id, point);
          const std::vector<std::size_t>& places = columns.places(*section);
          for (std::size_t i = 0; i < row.size(); ++i) cells[first + places[i]] = to_plain(row[i]);
          write_line(cells, out);
        }
      }
    }
  }
  for (const Point& point : document.points) {
    if (point.tables.empty()) write_line(begin("point", point), out);
  }
}

}  // namespace nongemm
