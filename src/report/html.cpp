// One HTML page that needs nothing else: no fonts, no network. Its text, style and script are the files in html/; the
// data is one JSON block of the figures in the field table.
#include <fmt/format.h>

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <ostream>
#include <sstream>

#include "base/json.h"
#include "ops/group.h"
#include "report/document.h"
#include "report/html/page.h"
#include "report/packed.h"
#include "report/writers.h"

namespace nongemm {
namespace {

std::string_view name_of(Unit unit) {
  switch (unit) {
    case Unit::kYesNo:
      return "yes";
    case Unit::kCount:
      return "count";
    case Unit::kShare:
      return "share";
    default:
      return symbol(unit);  // which has one name for shares and ratios
  }
}

/// As JSON, and harmless within a page: no tag and no comment begins in it.
std::string quoted(const std::string& text) {
  const std::string json = dump_json(Json(text));
  std::string safe;
  for (const char letter : json) safe += letter == '<' ? std::string("\\u003c") : std::string(1, letter);
  return safe;
}

/// Every text of the tables, once.
class Texts {
 public:
  std::size_t place_of(const std::string& text) {
    const auto [at, is_new] = places_.try_emplace(text, places_.size());
    if (is_new) all_.push_back(&at->first);
    return at->second;
  }
  const std::vector<const std::string*>& all() const { return all_; }

 private:
  std::map<std::string, std::size_t> places_;
  std::vector<const std::string*> all_;
};

/// Six digits are more than the page shows, and enough that cutting twice leaves what is shown as it is elsewhere.
std::string short_number(double value) {
  if (!std::isfinite(value)) return "null";
  const std::string text = fmt::format("{:.6g}", value);
  // "1e-05" as "1e-5".
  const std::size_t zero = text.find("e-0");
  return zero == std::string::npos ? text : text.substr(0, zero + 2) + text.substr(zero + 3);
}

/// In ns, which makes times short; to the nanosecond where many follow one another, or they are longer than 0.1 ms.
std::string nanoseconds(double seconds, bool whole) {
  constexpr double kLong = 1e5;
  const double value = seconds * 1e9;
  return std::isfinite(value) && (whole || std::abs(value) >= kLong) ? fmt::format("{:.0f}", value)
                                                                     : short_number(value);
}

class PageData {
 public:
  explicit PageData(const Document& document) : document_(document) {}

  std::string text() {
    std::string points;
    for (const Point& point : document_.points) points += (points.empty() ? "" : ",\n") + point_text(point);
    std::ostringstream out;
    out << "{\"sections\":{" << sections_text() << "},\n\"groups\":[" << groups_text() << "],\n\"context\":["
        << pairs_text(document_.context) << "],\n\"texts\":[";
    for (std::size_t i = 0; i < texts_.all().size(); ++i) out << (i == 0 ? "" : ",") << quoted(*texts_.all()[i]);
    out << "],\n\"points\":[" << points << "]}";
    return out.str();
  }

 private:
  std::string cell(const FieldValue& value, const Column& column, bool exact) {
    if (std::holds_alternative<std::monostate>(value)) return "null";
    if (const auto* text = std::get_if<std::string>(&value)) return fmt::format("{}", texts_.place_of(*text));
    if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
    if (const auto* number = std::get_if<std::int64_t>(&value); number != nullptr && column.unit != Unit::kSeconds) {
      return fmt::format("{}", *number);
    }
    const auto* number = std::get_if<double>(&value);
    const double plain = number != nullptr ? *number : static_cast<double>(std::get<std::int64_t>(value));
    return column.unit == Unit::kSeconds ? nanoseconds(plain, exact) : short_number(plain);
  }

  /// Nothing for a column without any value, one value for all where they are the same.
  std::string column_text(const Table& table, std::size_t c) {
    const Column& column = table.info->columns[c];
    std::string list;
    std::string first;
    bool same = true;
    for (const auto& row : table.rows) {
      const std::string text = cell(row[c], column, table.info->columnar);
      if (list.empty()) first = text;
      same = same && text == first;
      list += (list.empty() ? "" : ",") + text;
    }
    if (same && (first.empty() || first == "null")) return {};
    const bool once = same && table.rows.size() > 1;
    return fmt::format("\"{}\":{}", column.id, once ? "{\"all\":" + first + "}" : "[" + list + "]");
  }

  std::string table_text(const Table& table) {
    std::string columns;
    for (std::size_t c = 0; c < table.info->columns.size(); ++c) {
      const std::string text = column_text(table, c);
      if (!text.empty()) columns += (columns.empty() ? "" : ",") + text;
    }
    return fmt::format("\"{}\":{{\"rows\":{},\"columns\":{{{}}}}}", table.info->id, table.rows.size(), columns);
  }

  std::string point_text(const Point& point) {
    std::string tables;
    for (const Table& table : point.tables) {
      present_[table.info->id] = table.info;
      tables += (tables.empty() ? "" : ",\n") + table_text(table);
    }
    return fmt::format("{{\"status\":\"{}\",\"reason\":{},\"command\":{},\"settings\":[{}],\"tables\":{{{}}}}}",
                       nongemm::name_of(point.status.kind), quoted(point.status.reason), quoted(point.command),
                       pairs_text(point.settings), tables);
  }

  static std::string pairs_text(const std::vector<std::pair<std::string, std::string>>& pairs) {
    std::string text;
    for (const auto& [key, value] : pairs) {
      text += fmt::format("{}[{},{}]", text.empty() ? "" : ",", quoted(key), quoted(value));
    }
    return text;
  }

  /// Of the sections that some point has: titles, units and definitions.
  std::string sections_text() const {
    std::string text;
    for (const SectionInfo* section : all_sections()) {
      if (present_.count(section->id) == 0) continue;
      std::string columns;
      for (const Column& column : section->columns) {
        columns +=
            fmt::format("{}{{\"id\":\"{}\",\"title\":{},\"unit\":\"{}\",\"doc\":{}{}}}", columns.empty() ? "" : ",",
                        column.id, quoted(std::string(column.title)), name_of(column.unit),
                        quoted(std::string(column.doc)), column.wide ? ",\"wide\":true" : "");
      }
      text += fmt::format("{}\"{}\":{{\"title\":{},\"doc\":{},\"single\":{},\"columns\":[{}]}}",
                          text.empty() ? "" : ",\n", section->id, quoted(std::string(section->title)),
                          quoted(std::string(section->doc)), section->single_row, columns);
    }
    return text;
  }

  static std::string groups_text() {
    std::string text;
    for (const std::string& id : group_ids()) {
      const GroupInfo& group = info(*parse_group(id));
      text +=
          fmt::format("{}{{\"id\":{},\"title\":{},\"doc\":{},\"gemm\":{}}}", text.empty() ? "" : ",", quoted(id),
                      quoted(std::string(group.title)), quoted(std::string(group.what)), counts_as_gemm(group.group));
    }
    return text;
  }

  const Document& document_;
  Texts texts_;
  std::map<std::string_view, const SectionInfo*> present_;
};

}  // namespace

void write_html(const Document& document, std::ostream& out) {
  // Large reports are packed: the page tells the two by the JSON's type.
  constexpr std::size_t kLarge = std::size_t{1} << 18;
  for (const PagePiece& piece : page_pieces()) {
    out << piece.text;
    if (!piece.data_follows) continue;
    const std::string data = PageData(document).text();
    out << (data.size() < kLarge ? data : '"' + packed(data) + '"');
  }
}

}  // namespace nongemm
