// JSON: the complete form. Numbers are in base units, absent figures are null, there is no NaN.
#include "base/json.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>

#include "base/error.h"
#include "base/file.h"
#include "report/document.h"
#include "report/writers.h"

namespace nongemm {
namespace {

OrderedJson to_json(const FieldValue& value) {
  return std::visit(
      [](const auto& held) -> OrderedJson {
        if constexpr (std::is_same_v<std::decay_t<decltype(held)>, std::monostate>) {
          return nullptr;
        } else if constexpr (std::is_same_v<std::decay_t<decltype(held)>, double>) {
          return std::isfinite(held) ? OrderedJson(held) : OrderedJson(nullptr);
        } else {
          return held;
        }
      },
      value);
}

FieldValue from_json(const nlohmann::json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (value.is_number()) return value.get<double>();
  return std::monostate{};
}

OrderedJson pairs_to_json(const std::vector<std::pair<std::string, std::string>>& pairs) {
  OrderedJson object = OrderedJson::object();
  for (const auto& [key, value] : pairs) object[key] = value;
  return object;
}

/// Timelines have hundreds of thousands of values: room for them at once.
OrderedJson array_for(std::size_t size) {
  OrderedJson array = OrderedJson::array();
  array.get_ref<OrderedJson::array_t&>().reserve(size);
  return array;
}

/// Texts, of which most columns have few, stand once: {"texts": ["a", "b"], "index": [0, 1, 0, null]}.
OrderedJson texts_to_json(const Table& table, std::size_t column) {
  OrderedJson texts = OrderedJson::array();
  OrderedJson index = array_for(table.rows.size());
  std::map<std::string, std::size_t> places;
  for (const auto& row : table.rows) {
    const auto* text = std::get_if<std::string>(&row[column]);
    if (text == nullptr) {
      index.push_back(nullptr);
      continue;
    }
    const auto [at, is_new] = places.try_emplace(*text, places.size());
    if (is_new) texts.push_back(*text);
    index.push_back(at->second);
  }
  return {{"texts", std::move(texts)}, {"index", std::move(index)}};
}

/// Columns without any value are left out.
OrderedJson columns_to_json(const Table& table) {
  OrderedJson columns = OrderedJson::object();
  for (std::size_t c = 0; c < table.info->columns.size(); ++c) {
    const Column& column = table.info->columns[c];
    const bool any = std::any_of(table.rows.begin(), table.rows.end(),
                                 [&](const auto& row) { return !std::holds_alternative<std::monostate>(row[c]); });
    if (!any && c > 0) continue;  // the first one tells the length
    OrderedJson& values = columns[std::string(column.id)];
    if (column.unit == Unit::kText) {
      values = texts_to_json(table, c);
      continue;
    }
    values = array_for(table.rows.size());
    for (const auto& row : table.rows) values.push_back(to_json(row[c]));
  }
  return {{"rows", table.rows.size()}, {"columns", std::move(columns)}};
}

OrderedJson table_to_json(const Table& table) {
  if (table.info->columnar) return columns_to_json(table);
  OrderedJson rows = OrderedJson::array();
  for (const auto& row : table.rows) {
    OrderedJson object = OrderedJson::object();
    for (std::size_t c = 0; c < row.size(); ++c) object[std::string(table.info->columns[c].id)] = to_json(row[c]);
    rows.push_back(std::move(object));
  }
  return table.info->single_row && !rows.empty() ? rows[0] : rows;
}

[[noreturn]] void damaged(const std::string& origin, const std::string& what) {
  throw Error(ErrorKind::kBadInput, origin + " is not a nongemm report: " + what);
}

template <typename AnyJson>
std::string text_at(const AnyJson& object, const char* key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_string() ? at->template get<std::string>() : std::string();
}

std::vector<std::pair<std::string, std::string>> pairs_from_json(const OrderedJson& object) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const auto& [key, value] : object.items()) {
    pairs.emplace_back(key, value.is_string() ? value.get<std::string>() : dump_json(value));
  }
  return pairs;
}

/// A value as what it is; its text is that of the table, so that it has the right form.
OrderedJson typed(OptionType type, const std::string& text) {
  if (type == OptionType::kText) return text;
  OrderedJson value = OrderedJson::parse(text, nullptr, /*allow_exceptions=*/false);
  return value.is_discarded() ? OrderedJson(text) : value;
}

OrderedJson specification_to_json(const std::vector<OptionValue>& values) {
  OrderedJson object = OrderedJson::object();
  for (const OptionValue& value : values) {
    if (!value.list) {
      object[value.name] = typed(value.type, value.texts.front());
      continue;
    }
    OrderedJson list = OrderedJson::array();
    for (const std::string& text : value.texts) list.push_back(typed(value.type, text));
    object[value.name] = std::move(list);
  }
  return object;
}

OptionType type_of(const OrderedJson& value, const std::string& name, const std::string& origin) {
  if (value.is_string()) return OptionType::kText;
  if (value.is_boolean()) return OptionType::kFlag;
  if (value.is_number_integer()) return OptionType::kInteger;
  if (value.is_number()) return OptionType::kNumber;
  damaged(origin, "'" + name + "' of a specification is neither a text nor a number");
}

std::vector<OptionValue> specification_from_json(const OrderedJson& object, const std::string& origin) {
  std::vector<OptionValue> values;
  for (const auto& [name, value] : object.items()) {
    const bool list = value.is_array();
    OptionValue& row = values.emplace_back(OptionValue{name, OptionType::kText, list, {}});
    const auto elements = list ? value : OrderedJson::array({value});
    for (const auto& element : elements) {
      row.type = type_of(element, name, origin);
      row.texts.push_back(element.is_string() ? element.get<std::string>() : dump_json(element));
    }
    if (row.texts.empty()) damaged(origin, "'" + name + "' of a specification is an empty list");
  }
  return values;
}

Status status_from_json(const OrderedJson& point, const std::string& origin) {
  const std::string name = text_at(point, "status");
  const std::optional<StatusKind> kind = parse_status(name);
  if (!kind) damaged(origin, "a point has the unknown status '" + name + "'");
  return {*kind, text_at(point, "reason")};
}

/// Writers trust a column's unit: a text where a number belongs would reach a page as it stands.
bool fits(const FieldValue& value, Unit unit) {
  if (std::holds_alternative<std::monostate>(value)) return true;
  if (unit == Unit::kText) return std::holds_alternative<std::string>(value);
  if (unit == Unit::kYesNo) return std::holds_alternative<bool>(value);
  return std::holds_alternative<double>(value) || std::holds_alternative<std::int64_t>(value);
}

[[noreturn]] void wrong_type(const SectionInfo& info, const Column& column, const std::string& origin) {
  damaged(origin, "'" + std::string(column.id) + "' in section '" + std::string(info.id) + "' is of another type");
}

/// The values of a column as table_to_json wrote them; nothing for one that an older program did not have.
std::vector<FieldValue> column_from_json(const nlohmann::json& columns, const Column& column, std::size_t rows,
                                         const std::string& origin) {
  const auto at = columns.find(column.id);
  if (at == columns.end()) return std::vector<FieldValue>(rows);
  const bool texts = at->is_object() && at->contains("texts") && at->contains("index");
  const nlohmann::json& values = texts ? (*at)["index"] : *at;
  if (!values.is_array() || values.size() != rows)
    damaged(origin, "a column '" + std::string(column.id) + "' has not the length of the others");
  std::vector<FieldValue> result;
  result.reserve(rows);
  for (const nlohmann::json& value : values) {
    if (texts && !value.is_null()) {
      const nlohmann::json& all = (*at)["texts"];
      const bool inside = value.is_number_unsigned() && all.is_array() && value.get<std::size_t>() < all.size();
      if (!inside) damaged(origin, "a text of '" + std::string(column.id) + "' is not there");
      result.push_back(from_json(all[value.get<std::size_t>()]));
    } else {
      result.push_back(from_json(value));
    }
  }
  return result;
}

Table columns_from_json(const SectionInfo& info, const nlohmann::json& value, const std::string& origin) {
  Table table{&info, {}};
  const nlohmann::json& columns = value["columns"];
  const auto rows = value.find("rows");
  const bool counted = rows != value.end() && rows->is_number_unsigned() && columns.is_object();
  // No more rows than some column has: a wrong number takes no memory.
  const auto has_all = [&](const nlohmann::json& column) {
    const nlohmann::json& all = column.is_object() && column.contains("index") ? column["index"] : column;
    return all.is_array() && all.size() == rows->get<std::size_t>();
  };
  if (!counted || !std::any_of(columns.begin(), columns.end(), has_all)) {
    damaged(origin, "section '" + std::string(info.id) + "' has no columns of its length");
  }
  table.rows.resize(rows->get<std::size_t>());
  for (const Column& column : info.columns) {
    std::vector<FieldValue> values = column_from_json(columns, column, table.rows.size(), origin);
    for (std::size_t r = 0; r < table.rows.size(); ++r) {
      if (!fits(values[r], column.unit)) wrong_type(info, column, origin);
      table.rows[r].push_back(std::move(values[r]));
    }
  }
  return table;
}

Table table_from_json(const SectionInfo& info, const nlohmann::json& value, const std::string& origin) {
  if (info.columnar && value.is_object() && value.contains("columns")) return columns_from_json(info, value, origin);
  Table table{&info, {}};
  const nlohmann::json rows = value.is_array() ? value : nlohmann::json::array({value});
  if (info.single_row && rows.size() > 1) damaged(origin, "section '" + std::string(info.id) + "' is not one row");
  for (const nlohmann::json& row : rows) {
    if (!row.is_object()) damaged(origin, "section '" + std::string(info.id) + "' holds something that is no row");
    std::vector<FieldValue> values;
    for (const Column& column : info.columns) {
      const auto at = row.find(column.id);
      values.push_back(at == row.end() ? FieldValue{} : from_json(*at));
      if (!fits(values.back(), column.unit)) wrong_type(info, column, origin);
    }
    table.rows.push_back(std::move(values));
  }
  return table;
}

}  // namespace

namespace {

OrderedJson point_to_json(const Point& point) {
  OrderedJson object;
  object["status"] = name_of(point.status.kind);
  object["reason"] = point.status.reason;
  object["command"] = point.command;
  if (!point.key.empty()) object["key"] = point.key;
  if (point.process > 0) object["process"] = point.process;
  if (!point.specification.empty()) object["specification"] = specification_to_json(point.specification);
  object["settings"] = pairs_to_json(point.settings);
  object["sections"] = OrderedJson::object();
  for (const Table& table : point.tables) object["sections"][std::string(table.info->id)] = table_to_json(table);
  object["samples"] = OrderedJson::object();
  for (const SampleSet& set : point.samples) object["samples"][set.name] = set.seconds;
  return object;
}

}  // namespace

void write_json(const Document& document, std::ostream& out) {
  OrderedJson root;
  root["schema"] = "nongemm-report";
  root["version"] = kSchemaVersion;
  root["context"] = pairs_to_json(document.context);
  root["points"] = OrderedJson::array();
  for (const Point& point : document.points) root["points"].push_back(point_to_json(point));
  out << dump_json(root, 1) << '\n';
}

std::string point_text(const Point& point) { return dump_json(point_to_json(point)); }

namespace {

void check_version(const OrderedJson& root, const std::string& origin) {
  const auto at = root.find("version");
  const bool known = at != root.end() && at->is_number_integer() && at->get<std::int64_t>() >= kOldestSchemaVersion &&
                     at->get<std::int64_t>() <= kSchemaVersion;
  if (known) return;
  throw Error(ErrorKind::kBadInput,
              origin + " has schema version " + (at == root.end() ? "?" : at->dump()) + ", this program reads " +
                  std::to_string(kOldestSchemaVersion) + " to " + std::to_string(kSchemaVersion),
              "make the report again, or use the nongemm that wrote it");
}

Point point_from_json(const OrderedJson& object, const std::string& origin) {
  if (!object.is_object()) damaged(origin, "a point is no object");
  Point point;
  point.status = status_from_json(object, origin);
  point.command = text_at(object, "command");
  point.key = text_at(object, "key");
  if (object.contains("process") && object["process"].is_number_integer()) point.process = object["process"].get<int>();
  if (object.contains("specification") && object["specification"].is_object()) {
    point.specification = specification_from_json(object["specification"], origin);
  }
  if (object.contains("settings") && object["settings"].is_object()) {
    point.settings = pairs_from_json(object["settings"]);
  }
  if (object.contains("sections") && object["sections"].is_object()) {
    for (const auto& [id, value] : object["sections"].items()) {
      // A newer program's further sections are left alone.
      if (const SectionInfo* info = find_section(id)) {
        Table table = table_from_json(*info, nlohmann::json(value), origin);
        if (!info->single_row || !table.rows.empty()) point.tables.push_back(std::move(table));
      }
    }
  }
  if (object.contains("samples") && object["samples"].is_object()) {
    for (const auto& [name, values] : object["samples"].items()) {
      SampleSet set{name, {}};
      for (const auto& value : values) {
        if (!value.is_number()) damaged(origin, "samples '" + name + "' are not numbers");
        set.seconds.push_back(value.get<double>());
      }
      point.samples.push_back(std::move(set));
    }
  }
  return point;
}

}  // namespace

Document parse_document(std::string_view text, const std::string& origin) {
  const OrderedJson root = parse_ordered_json(text, origin);
  if (!root.is_object()) damaged(origin, "no JSON object");
  if (text_at(root, "schema") != "nongemm-report") damaged(origin, "its 'schema' is another");
  check_version(root, origin);
  Document document;
  if (root.contains("context") && root["context"].is_object()) document.context = pairs_from_json(root["context"]);
  if (!root.contains("points") || !root["points"].is_array()) damaged(origin, "it has no 'points'");
  for (const auto& object : root["points"]) {
    document.points.push_back(point_from_json(object, origin));
  }
  return document;
}

Point parse_point(std::string_view text, const std::string& origin) {
  return point_from_json(parse_ordered_json(text, origin), origin);
}

Document read_document(const std::string& path) {
  constexpr std::size_t kMostBytes = std::size_t{1} << 30;
  return parse_document(read_file(path, kMostBytes), path);
}

}  // namespace nongemm
