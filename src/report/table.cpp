// Text: what a person wants first; on a terminal in as many columns as it is given.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <ostream>

#include "base/text.h"
#include "report/document.h"
#include "report/writers.h"

namespace nongemm {
namespace {

bool is_number(Unit unit) { return unit != Unit::kText && unit != Unit::kYesNo; }

/// Columns as wide as people see them: UTF-8 continuation bytes take no place.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

/// At most so many characters, never a part of one.
std::string shortened(const std::string& text, std::size_t most) {
  if (width_of(text) <= most) return text;
  constexpr std::string_view kCut = "...";
  std::size_t end = 0;
  for (std::size_t characters = 0; end < text.size(); ++end) {
    const bool begins = (static_cast<unsigned char>(text[end]) & 0xC0U) != 0x80U;
    if (begins && ++characters > most - kCut.size()) break;
  }
  return text.substr(0, end) + std::string(kCut);
}

/// The same with the cut in the middle: what instances of one template differ in stands at their names' ends.
std::string shortened_inside(const std::string& text, std::size_t most) {
  const std::size_t characters = width_of(text);
  if (most == 0 || characters <= most) return text;
  const std::string head = shortened(text, most / 2 + 3);
  std::size_t begin = text.size();
  for (std::size_t left = most - width_of(head); left > 0 && begin > 0;) {
    if ((static_cast<unsigned char>(text[--begin]) & 0xC0U) != 0x80U) --left;
  }
  return head + text.substr(begin);
}

void write_cell(std::ostream& out, const std::string& text, std::size_t width, bool right) {
  const std::string padding(width - std::min(width, width_of(text)), ' ');
  out << (right ? padding + text : text + padding);
}

/// A line each: title and value, with two spaces at least between them.
void write_figures(const Table& table, std::ostream& out) {
  std::vector<std::size_t> shown;
  std::size_t width = 24;
  for (std::size_t c = 0; c < table.info->columns.size(); ++c) {
    const Column& column = table.info->columns[c];
    // What this kind of run has no figure for (device waits on a host) is not worth a line here.
    if (column.wide || std::holds_alternative<std::monostate>(table.rows[0][c])) continue;
    shown.push_back(c);
    width = std::max(width, width_of(std::string(column.title)));
  }
  for (const std::size_t c : shown) {
    const Column& column = table.info->columns[c];
    out << "  ";
    write_cell(out, std::string(column.title), width + 2, false);
    out << on_one_line(to_text(table.rows[0][c], column.unit)) << '\n';
  }
}

/// Nothing is cut.
constexpr std::size_t kUnlimited = SIZE_MAX;

using Cells = std::vector<std::vector<std::string>>;

/// Titles, then rows.
Cells cells_of(const Table& table, const std::vector<std::size_t>& shown, std::size_t count) {
  Cells cells(count + 1);
  for (const std::size_t c : shown) {
    const Column& column = table.info->columns[c];
    cells[0].push_back(std::string(column.title));
    for (std::size_t r = 0; r < count; ++r) {
      const FieldValue& value = table.rows[r][c];
      const bool absent = std::holds_alternative<std::monostate>(value);
      cells[r + 1].push_back(absent ? "-" : shortened_inside(on_one_line(to_text(value, column.unit)), column.most));
    }
  }
  return cells;
}

/// Columns that the terminal shows where there is room for all.
std::vector<std::size_t> shown_columns(const Table& table) {
  std::vector<std::size_t> shown;
  for (std::size_t c = 0; c < table.info->columns.size(); ++c) {
    if (table.info->columns[c].wide) continue;
    // A static report has no times: a column without any value is left out.
    const bool any = std::any_of(table.rows.begin(), table.rows.end(),
                                 [&](const auto& row) { return !std::holds_alternative<std::monostate>(row[c]); });
    if (any) shown.push_back(c);
  }
  return shown;
}

/// What is shown: some columns of the first rows, as texts.
struct Layout {
  std::vector<std::size_t> columns;
  Cells cells;
  std::vector<std::size_t> widths;
};

/// Cuts texts, the longest first and none below `least_text`, as far as makes the rows fit. @return whether they do
bool lay_out(const Table& table, std::size_t rows, std::size_t least_text, std::size_t room, Layout& layout) {
  const std::size_t most_text = room == kUnlimited ? kUnlimited : 44;
  layout.cells = cells_of(table, layout.columns, rows);
  const auto is_text = [&](std::size_t i) { return table.info->columns[layout.columns[i]].unit == Unit::kText; };
  std::vector<std::size_t>& widths = layout.widths;
  widths.assign(layout.columns.size(), 0);
  std::size_t total = 0;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    for (const auto& row : layout.cells) widths[i] = std::max(widths[i], width_of(row[i]));
    if (is_text(i)) widths[i] = std::min(widths[i], most_text);
    total += widths[i] + 2;
  }
  while (total > room) {
    std::size_t longest = widths.size();
    for (std::size_t i = 0; i < widths.size(); ++i) {
      if (is_text(i) && widths[i] > (longest == widths.size() ? least_text : widths[longest])) longest = i;
    }
    if (longest == widths.size()) break;
    --widths[longest];
    --total;
  }
  for (auto& row : layout.cells) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (is_text(i)) row[i] = shortened(row[i], widths[i]);
    }
  }
  return total <= room;
}

/// Leaves out the columns that are missed least, as many as it takes. @return whether the rows then fit
bool fit(const Table& table, std::size_t rows, std::size_t least_text, std::size_t room, Layout& layout) {
  const auto spare = [&](std::size_t c) { return table.info->columns[c].spare; };
  layout = {shown_columns(table), {}, {}};
  std::vector<std::size_t> dropped;
  while (!lay_out(table, rows, least_text, room, layout)) {
    const auto least = std::max_element(layout.columns.begin(), layout.columns.end(),
                                        [&](std::size_t a, std::size_t b) { return spare(a) < spare(b); });
    if (least == layout.columns.end() || spare(*least) == 0) return false;
    dropped.push_back(*least);
    layout.columns.erase(least);
  }
  // A broad column that had to go may have made room for narrow ones.
  for (std::size_t i = dropped.size(); i-- > 1;) {
    Layout more{layout.columns, {}, {}};
    more.columns.insert(std::upper_bound(more.columns.begin(), more.columns.end(), dropped[i - 1]), dropped[i - 1]);
    if (lay_out(table, rows, least_text, room, more)) layout = std::move(more);
  }
  return true;
}

Layout fitted(const Table& table, std::size_t rows, std::size_t room) {
  // Most operators and all groups can be told at this length; shorter ones are worse than a column less.
  constexpr std::size_t kReadable = 23;
  constexpr std::size_t kLeast = 20;
  Layout layout;
  if (!fit(table, rows, kReadable, room, layout)) fit(table, rows, kLeast, room, layout);
  return layout;
}

/// Of a share of the largest one, in eighths of a character.
std::string bar_of(double part, std::size_t most) {
  constexpr std::array<std::string_view, 8> kEighths = {"",       "\u258f", "\u258e", "\u258d",
                                                        "\u258c", "\u258b", "\u258a", "\u2589"};
  const auto eighths =
      static_cast<std::size_t>(std::lround(std::clamp(part, 0.0, 1.0) * 8 * static_cast<double>(most)));
  std::string text;
  for (std::size_t i = 0; i < eighths / 8; ++i) text += "\u2588";
  return text + std::string(kEighths[eighths % 8]);
}

/// One bar for each row, of the first column of shares that is shown; none where there is no such column, or no room.
std::vector<std::string> bars_of(const Table& table, const Layout& layout, std::size_t rows, std::size_t room) {
  constexpr std::size_t kLeast = 6;
  constexpr std::size_t kMost = 24;
  const auto column = std::find_if(layout.columns.begin(), layout.columns.end(),
                                   [&](std::size_t c) { return table.info->columns[c].unit == Unit::kShare; });
  std::size_t total = 2;
  for (const std::size_t width : layout.widths) total += width + 2;
  if (column == layout.columns.end() || total + kLeast > room) return {};
  const auto share = [&](std::size_t row) {
    const auto* value = std::get_if<double>(&table.rows[row][*column]);
    return value != nullptr ? *value : 0.0;
  };
  double largest = 0;
  for (std::size_t r = 0; r < rows; ++r) largest = std::max(largest, share(r));
  if (largest <= 0) return {};
  std::vector<std::string> bars;
  for (std::size_t r = 0; r < rows; ++r) bars.push_back(bar_of(share(r) / largest, std::min(kMost, room - total)));
  return bars;
}

void write_rows(const Table& table, TableLook look, std::ostream& out) {
  const std::size_t limit = table.info->most_rows == 0 ? table.rows.size() : table.info->most_rows;
  const std::size_t count = std::min(limit, table.rows.size());
  const Layout layout = fitted(table, count, look.room);
  const auto& [shown, cells, widths] = layout;
  const std::vector<std::string> bars =
      look.bars ? bars_of(table, layout, count, look.room) : std::vector<std::string>();
  for (std::size_t line = 0; line < cells.size(); ++line) {
    const auto& row = cells[line];
    out << ' ';
    for (std::size_t i = 0; i < shown.size(); ++i) {
      out << ' ';
      const bool last = i + 1 == shown.size();
      const bool right = is_number(table.info->columns[shown[i]].unit);
      if (last && !right && (bars.empty() || line == 0)) {
        out << row[i];
      } else {
        write_cell(out, row[i], widths[i], right);
        if (!last) out << ' ';
      }
    }
    if (line > 0 && !bars.empty() && !bars[line - 1].empty()) out << "  " << bars[line - 1];
    out << '\n';
  }
  if (count < table.rows.size()) {
    out << fmt::format("  ... {} more, in the JSON and CSV reports\n", table.rows.size() - count);
  }
  std::string left_out;
  for (const std::size_t c : shown_columns(table)) {
    if (std::binary_search(shown.begin(), shown.end(), c)) continue;
    left_out += (left_out.empty() ? "" : ", ") + std::string(table.info->columns[c].title);
  }
  if (!left_out.empty()) out << fmt::format("  No room here for: {}; in the other formats\n", left_out);
}

/// "gpt2  flow=torch  device=cpu ...", on as many lines as it takes.
void write_heading(const Point& point, std::size_t room, std::ostream& out) {
  std::size_t column = 0;
  for (std::size_t i = 0; i < point.settings.size(); ++i) {
    const auto& [name, value] = point.settings[i];
    if (value.empty()) continue;
    const std::string text = on_one_line(i == 0 ? value : name + "=" + value);
    if (column > 0 && column + 2 + width_of(text) > room) {
      out << "\n   ";
      column = 3;
    }
    out << (column == 0 ? "" : column == 3 ? " " : "  ") << text;
    column += 2 + width_of(text);
  }
  out << '\n';
}

}  // namespace

void write_table(const Document& document, std::ostream& out) { write_table(document, TableLook{}, out); }

void write_table(const Document& document, TableLook look, std::ostream& out) {
  for (const Point& point : document.points) {
    out << '\n';
    write_heading(point, look.room, out);
    if (!point.status.ok() || !point.status.reason.empty()) {
      out << "  " << name_of(point.status.kind) << ": " << without_controls(point.status.reason) << '\n';
    }
    for (const Table& table : point.tables) {
      if (table.rows.empty() || table.info->bulk) continue;
      out << "\n  " << table.info->title << '\n';
      if (table.info->single_row) {
        write_figures(table, out);
      } else {
        write_rows(table, look, out);
      }
    }
  }
}

}  // namespace nongemm
