// One HTML page that needs nothing else: no scripts, no fonts, no network.
#include <algorithm>
#include <ostream>

#include "report/compare_sections.h"
#include "report/document.h"
#include "report/html_chart.h"
#include "report/writers.h"

namespace nongemm {
namespace {

constexpr std::string_view kStyle = R"(
:root { color-scheme: light dark; --text: #1c2330; --soft: #5d6678; --line: #dfe3ea; --page: #ffffff; --card: #f6f8fb; --hatch: #c3cad6; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6e9ef; --soft: #9aa4b5; --line: #323a48; --page: #12161d; --card: #1a202a; --hatch: #4a5464; }
}
body { font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--page); max-width: 84rem; margin: 2rem auto; padding: 0 1.5rem; }
h1 { font-size: 1.6rem; margin: 0 0 .2rem; } h2 { margin: 2.8rem 0 .3rem; font-size: 1.3rem; } h3 { margin: 1.8rem 0 .2rem; font-size: 1.05rem; }
p, .doc { color: var(--soft); margin: .1rem 0 .6rem; } code { font-size: .88em; overflow-wrap: anywhere; }
.settings { display: flex; flex-wrap: wrap; gap: .35rem; padding: 0; margin: .3rem 0 .6rem; list-style: none; }
.settings li { background: var(--card); border: 1px solid var(--line); border-radius: .4rem; padding: 0 .5rem; font-size: .86rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)); gap: .6rem; margin: .6rem 0; }
.figures div { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .45rem .7rem; }
.figures dt { color: var(--soft); font-size: .8rem; } .figures dd { margin: 0; font-size: 1.05rem; overflow-wrap: anywhere; }
.figures dd.long { font-size: .8rem; line-height: 1.3; } .absent { color: var(--soft); font-size: .82rem; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: .82rem; width: 100%; }
th, td { text-align: left; padding: .22rem .45rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { color: var(--soft); font-weight: 600; } .n { text-align: right; font-variant-numeric: tabular-nums; }
td.long { white-space: normal; min-width: 24rem; overflow-wrap: anywhere; }
.failed { border-left: 4px solid #e4572e; padding: .3rem .8rem; background: var(--card); }
summary { cursor: pointer; color: var(--soft); }
.chart { width: 100%; height: auto; margin-top: 1rem; } .chart text { fill: var(--text); font-size: 13px; }
.chart .label { text-anchor: end; } .chart .tick { text-anchor: middle; fill: var(--soft); font-size: 11px; }
.chart .grid { stroke: var(--line); } .chart .rest { fill: var(--card); } .chart .hatch { stroke: var(--hatch); stroke-width: 2; }
.legend { display: flex; flex-wrap: wrap; gap: .3rem 1.1rem; list-style: none; padding: 0; font-size: .86rem; }
.swatch { display: inline-block; width: .8rem; height: .8rem; border-radius: .15rem; margin-right: .35rem; vertical-align: -.08rem; }
.swatch.rest { background: repeating-linear-gradient(45deg, var(--hatch) 0 2px, var(--card) 2px 5px); border: 1px solid var(--hatch); }
)";

/// More rows than people read at once are folded away.
constexpr std::size_t kFolded = 40;

/// Longer texts may wrap.
constexpr std::size_t kLongText = 48;
constexpr std::size_t kLongFigure = 20;

bool is_text(Unit unit) { return unit == Unit::kText || unit == Unit::kYesNo; }

void write_pairs(const std::vector<std::pair<std::string, std::string>>& pairs, std::ostream& out) {
  out << "<ul class=\"settings\">\n";
  for (const auto& [key, value] : pairs) {
    if (!value.empty()) out << "<li>" << html_escaped(key) << ": " << html_escaped(value) << "</li>\n";
  }
  out << "</ul>\n";
}

void write_figures(const Table& table, std::ostream& out) {
  std::string absent;
  out << "<dl class=\"figures\">\n";
  for (std::size_t c = 0; c < table.info->columns.size(); ++c) {
    const Column& column = table.info->columns[c];
    const std::string text = to_text(table.rows[0][c], column.unit);
    if (std::holds_alternative<std::monostate>(table.rows[0][c])) {
      if (!column.wide) absent += (absent.empty() ? "" : ", ") + html_escaped(column.title);
      continue;
    }
    if (text.empty()) continue;
    out << "<div title=\"" << html_escaped(column.doc) << "\"><dt>" << html_escaped(column.title) << "</dt><dd"
        << (text.size() > kLongFigure ? " class=\"long\">" : ">") << html_escaped(text) << "</dd></div>\n";
  }
  out << "</dl>\n";
  if (!absent.empty()) out << "<p class=\"absent\">Not measured here: " << absent << "</p>\n";
}

/// Nothing to say here: no value in any row, or a detail that is 0 in all.
bool is_idle(const Table& table, std::size_t column) {
  const bool wide = table.info->columns[column].wide;
  return std::all_of(table.rows.begin(), table.rows.end(), [&](const auto& row) {
    const auto* number = std::get_if<double>(&row[column]);
    return std::holds_alternative<std::monostate>(row[column]) || (wide && number != nullptr && *number == 0);
  });
}

std::string_view class_of(const std::string& text, Unit unit) {
  if (!is_text(unit)) return "n";
  return text.size() > kLongText ? "long" : "t";
}

/// @param may_fold there is something else to see
void write_rows(const Table& table, bool may_fold, std::ostream& out) {
  const std::vector<Column>& columns = table.info->columns;
  std::vector<std::size_t> shown;
  // Details come last: what people look for first is in sight without scrolling.
  for (const bool details : {false, true}) {
    for (std::size_t c = 0; c < columns.size(); ++c) {
      if (columns[c].wide == details && !is_idle(table, c)) shown.push_back(c);
    }
  }
  const bool folded = may_fold && table.rows.size() > kFolded;
  if (folded) out << "<details><summary>" << table.rows.size() << " rows</summary>\n";
  out << "<div class=\"scroll\"><table>\n<tr>";
  for (const std::size_t c : shown) {
    const Column& column = columns[c];
    out << (is_text(column.unit) ? "<th" : "<th class=\"n\"") << " title=\"" << html_escaped(column.doc) << "\">"
        << html_escaped(column.title) << "</th>";
  }
  out << "</tr>\n";
  for (const auto& row : table.rows) {
    out << "<tr>";
    for (const std::size_t c : shown) {
      if (std::holds_alternative<std::monostate>(row[c])) {
        out << "<td class=\"" << class_of("", columns[c].unit) << "\" title=\"not measured\">&ndash;</td>";
        continue;
      }
      const std::string text = to_text(row[c], columns[c].unit);
      out << "<td class=\"" << class_of(text, columns[c].unit) << "\">" << html_escaped(text) << "</td>";
    }
    out << "</tr>\n";
  }
  out << "</table></div>\n";
  if (folded) out << "</details>\n";
}

void write_point(const Point& point, std::ostream& out) {
  out << "<h2>" << html_escaped(point.settings.empty() ? "run" : point.settings[0].second) << "</h2>\n";
  write_pairs(point.settings, out);
  if (!point.command.empty()) out << "<p><code>" << html_escaped(point.command) << "</code></p>\n";
  if (!point.status.reason.empty() || !point.status.ok()) {
    out << "<p class=\"failed\">" << name_of(point.status.kind) << ": " << html_escaped(point.status.reason)
        << "</p>\n";
  }
  for (const Table& table : point.tables) {
    if (table.rows.empty() || table.info->id == "nodes") continue;  // thousands of rows: in JSON and CSV
    out << "<h3>" << html_escaped(table.info->title) << "</h3>\n<div class=\"doc\">" << html_escaped(table.info->doc)
        << "</div>\n";
    table.info->single_row ? write_figures(table, out) : write_rows(table, point.tables.size() > 1, out);
  }
}

/// Operators alone have no inference that they are shares of.
bool is_of_calls(const Document& document) {
  return std::any_of(document.points.begin(), document.points.end(), [](const Point& point) {
    return !point.tables.empty() &&
           (point.tables.front().info->id == "op" || point.tables.front().info->id.starts_with("op_"));
  });
}

}  // namespace

void write_html(const Document& document, std::ostream& out) {
  out << "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>nongemm "
         "report</title>\n<style>"
      << kStyle << "</style>\n</head>\n<body>\n";
  if (is_of_calls(document)) {
    out << "<h1>Operators alone</h1>\n<p>Each call by itself. Hover over a figure or a heading for what it "
           "means.</p>\n";
  } else if (is_comparison(document)) {
    out << "<h1>New against base</h1>\n<p>Hover over a figure or a heading for what it means.</p>\n";
  } else {
    out << "<h1>Where inference time goes</h1>\n<p>Shares of one inference by operator group. Hover over a bar, a "
           "figure or a heading for what it means.</p>\n";
  }
  write_html_chart(document, out);
  for (const Point& point : document.points) write_point(point, out);
  out << "<h2>Made by</h2>\n";
  write_pairs(document.context, out);
  out << "</body>\n</html>\n";
}

}  // namespace nongemm
