// The terminal: what a person wants first, in 120 columns.
#include <fmt/format.h>

#include <algorithm>
#include <ostream>

#include "report/document.h"
#include "report/writers.h"

namespace nongemm {
namespace {

constexpr std::size_t kColumns = 120;

bool is_number(Unit unit) { return unit != Unit::kText && unit != Unit::kYesNo; }

/// Columns as wide as people see them: UTF-8 continuation bytes take no place.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::string shortened(const std::string& text, std::size_t most) {
  return width_of(text) <= most ? text : text.substr(0, most - 3) + "...";
}

void write_cell(std::ostream& out, const std::string& text, std::size_t width, bool right) {
  const std::string padding(width - std::min(width, width_of(text)), ' ');
  out << (right ? padding + text : text + padding);
}

void write_figures(const Table& table, std::ostream& out) {
  for (std::size_t c = 0; c < table.info->columns.size(); ++c) {
    const Column& column = table.info->columns[c];
    const FieldValue& value = table.rows[0][c];
    // What this kind of run has no figure for (device waits on a host) is not worth a line here.
    if (column.wide || std::holds_alternative<std::monostate>(value)) continue;
    out << "  ";
    constexpr std::size_t kTitleWidth = 26;
    write_cell(out, std::string(column.title), kTitleWidth, false);
    out << to_text(value, column.unit) << '\n';
  }
}

using Cells = std::vector<std::vector<std::string>>;

/// Titles, then rows. @param most columns for a text
Cells cells_of(const Table& table, const std::vector<std::size_t>& shown, std::size_t count, std::size_t most) {
  Cells cells(count + 1);
  for (const std::size_t c : shown) {
    const Column& column = table.info->columns[c];
    cells[0].push_back(std::string(column.title));
    for (std::size_t r = 0; r < count; ++r) {
      const FieldValue& value = table.rows[r][c];
      const bool absent = std::holds_alternative<std::monostate>(value);
      cells[r + 1].push_back(absent ? "-" : shortened(to_text(value, column.unit), most));
    }
  }
  return cells;
}

std::vector<std::size_t> widths_of(const Cells& cells) {
  std::vector<std::size_t> widths(cells[0].size(), 0);
  for (const auto& row : cells) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  return widths;
}

std::size_t total_of(const std::vector<std::size_t>& widths) {
  std::size_t total = 0;
  for (const std::size_t width : widths) total += width + 2;
  return total;
}

void write_rows(const Table& table, std::ostream& out) {
  constexpr std::size_t kMostText = 44;
  constexpr std::size_t kLeastText = 24;
  constexpr std::size_t kStep = 4;
  std::vector<std::size_t> shown;
  for (std::size_t c = 0; c < table.info->columns.size(); ++c) {
    if (table.info->columns[c].wide) continue;
    // A static report has no times: a column without any value is left out.
    const bool any = std::any_of(table.rows.begin(), table.rows.end(),
                                 [&](const auto& row) { return !std::holds_alternative<std::monostate>(row[c]); });
    if (any) shown.push_back(c);
  }
  const std::size_t limit = table.info->most_rows == 0 ? table.rows.size() : table.info->most_rows;
  const std::size_t count = std::min(limit, table.rows.size());
  Cells cells = cells_of(table, shown, count, kMostText);
  // Texts are cut further where that makes the rows fit.
  for (std::size_t most = kMostText; most >= kLeastText; most -= kStep) {
    Cells shorter = cells_of(table, shown, count, most);
    if (total_of(widths_of(shorter)) > kColumns) continue;
    cells = std::move(shorter);
    break;
  }
  const std::vector<std::size_t> widths = widths_of(cells);
  for (const auto& row : cells) {
    out << ' ';
    for (std::size_t i = 0; i < shown.size(); ++i) {
      out << ' ';
      const bool last = i + 1 == shown.size();
      const bool right = is_number(table.info->columns[shown[i]].unit);
      if (last && !right) {
        out << row[i];
      } else {
        write_cell(out, row[i], widths[i], right);
        out << ' ';
      }
    }
    out << '\n';
  }
  if (count < table.rows.size()) {
    out << fmt::format("  ... {} more, in the JSON and CSV reports\n", table.rows.size() - count);
  }
}

/// "gpt2  flow=torch  device=cpu ...", on as many lines as it takes.
void write_heading(const Point& point, std::ostream& out) {
  std::size_t column = 0;
  for (std::size_t i = 0; i < point.settings.size(); ++i) {
    const auto& [name, value] = point.settings[i];
    if (value.empty()) continue;
    const std::string text = i == 0 ? value : name + "=" + value;
    if (column > 0 && column + 2 + width_of(text) > kColumns) {
      out << "\n   ";
      column = 3;
    }
    out << (column == 0 ? "" : column == 3 ? " " : "  ") << text;
    column += 2 + width_of(text);
  }
  out << '\n';
}

}  // namespace

void write_table(const Document& document, std::ostream& out) {
  for (const Point& point : document.points) {
    out << '\n';
    write_heading(point, out);
    if (point.status != "ok" || !point.reason.empty()) out << "  " << point.status << ": " << point.reason << '\n';
    for (const Table& table : point.tables) {
      if (table.rows.empty() || table.info->id == "nodes") continue;
      out << "\n  " << table.info->title << '\n';
      if (table.info->single_row) {
        write_figures(table, out);
      } else {
        write_rows(table, out);
      }
    }
  }
}

}  // namespace nongemm
