// Markdown (GitHub tables).
#include <algorithm>
#include <ostream>

#include "base/text.h"
#include "report/document.h"
#include "report/writers.h"

namespace nongemm {
namespace {

std::string escaped(const std::string& text) {
  std::string result;
  for (const char letter : without_controls(text)) {
    if (letter == '|' || letter == '\\' || letter == '<' || letter == '*' || letter == '_' || letter == '`')
      result += '\\';
    result += letter == '\n' ? ' ' : letter;
  }
  return result;
}

bool is_number(Unit unit) { return unit != Unit::kText && unit != Unit::kYesNo; }

void write_rows(const Table& table, std::ostream& out) {
  const std::vector<Column>& columns = table.info->columns;
  std::vector<std::size_t> shown;  // a column without any value is left out
  for (std::size_t c = 0; c < columns.size(); ++c) {
    const bool any = std::any_of(table.rows.begin(), table.rows.end(),
                                 [&](const auto& row) { return !std::holds_alternative<std::monostate>(row[c]); });
    if (any || table.rows.empty()) shown.push_back(c);
  }
  out << '|';
  for (const std::size_t c : shown) out << ' ' << escaped(std::string(columns[c].title)) << " |";
  out << "\n|";
  for (const std::size_t c : shown) out << (is_number(columns[c].unit) ? " ---: |" : " --- |");
  out << '\n';
  const std::size_t limit = table.info->most_rows == 0 ? table.rows.size() : table.info->most_rows;
  for (std::size_t r = 0; r < std::min(limit, table.rows.size()); ++r) {
    out << '|';
    for (const std::size_t c : shown) {
      out << ' ' << escaped(to_text(table.rows[r][c], columns[c].unit)) << " |";
    }
    out << '\n';
  }
  if (limit < table.rows.size()) {
    out << "\n" << limit << " of " << table.rows.size() << " rows; the JSON report has all.\n";
  }
}

}  // namespace

void write_markdown(const Document& document, std::ostream& out) {
  out << "# nongemm report\n\n";
  for (const auto& [key, value] : document.context) out << "- " << escaped(key) << ": " << escaped(value) << '\n';
  for (const Point& point : document.points) {
    out << "\n## ";
    for (std::size_t i = 0; i < point.settings.size(); ++i) {
      if (point.settings[i].second.empty()) continue;
      out << (i == 0 ? "" : ", ") << (i == 0 ? "" : escaped(point.settings[i].first) + " ")
          << escaped(point.settings[i].second);
    }
    out << "\n\n";
    if (!point.status.ok()) {
      out << "Status: " << escaped(std::string(name_of(point.status.kind))) << ". " << escaped(point.status.reason)
          << "\n\n";
    }
    if (!point.command.empty()) out << "    " << on_one_line(point.command) << "\n";
    for (const Table& table : point.tables) {
      if (table.info->bulk) continue;
      out << "\n### " << table.info->title << "\n\n" << table.info->doc << "\n\n";
      if (table.info->single_row && !table.rows.empty()) {
        out << "| Figure | Value | |\n| --- | ---: | --- |\n";
        for (std::size_t c = 0; c < table.info->columns.size(); ++c) {
          const Column& column = table.info->columns[c];
          out << "| " << escaped(std::string(column.title)) << " | " << escaped(to_text(table.rows[0][c], column.unit))
              << " | " << escaped(std::string(column.doc)) << " |\n";
        }
      } else {
        write_rows(table, out);
      }
    }
  }
}

}  // namespace nongemm
