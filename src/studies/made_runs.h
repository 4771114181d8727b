// Points of reports made by hand, for tests: groups with times, as a run has them.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "ops/group.h"
#include "report/document.h"

namespace nongemm::made {

struct Group {
  std::string id;
  double time = 0;
  double gap = 0;
  double host = 0;
  double limit = 0;
  std::int64_t nodes = 1;
  double kernels = 1;
};

/// Puts a value into a table's only row, or its last one.
inline void set(Table& table, std::string_view column, FieldValue value) {
  for (std::size_t c = 0; c < table.info->columns.size(); ++c) {
    if (table.info->columns[c].id == column) {
      table.rows.back()[c] = std::move(value);
      return;
    }
  }
  throw std::logic_error("no column " + std::string(column));
}

inline void add_row(Table& table) { table.rows.emplace_back(table.info->columns.size()); }

inline Table table_of(std::string_view section) {
  Table table{find_section(section), {}};
  add_row(table);
  return table;
}

struct Options {
  std::string flow = "torch";
  std::string device = "cuda";
  std::string dtype = "fp16";
  std::string batch = "1";
  std::string sequence = {};
  std::string quantize = {};
  std::string way = {};
  double wall = 1.0;
  double latency = 1.0;
};

inline Point run(const std::string& model, const std::vector<Group>& groups, const Options& options = {}) {
  Point point;
  point.key = model + options.flow + options.device + options.dtype + options.batch + options.sequence +
              options.quantize + options.way;
  point.settings = {{"model", model},
                    {"flow", options.flow},
                    {"device", options.device},
                    {"dtype", options.dtype},
                    {"batch", options.batch}};
  if (!options.sequence.empty()) point.settings.emplace_back("sequence", options.sequence);
  if (!options.quantize.empty())
    point.specification.push_back({"quantize", OptionType::kText, false, {options.quantize}});
  if (!options.way.empty()) point.specification.push_back({"quantize.way", OptionType::kText, false, {options.way}});
  Table performance = table_of("performance");
  set(performance, "latency", options.latency);
  set(performance, "node_wall", options.wall);
  Table table{find_section("groups"), {}};
  for (const Group& group : groups) {
    add_row(table);
    set(table, "id", group.id);
    set(table, "group", std::string(nongemm::info(*parse_group(group.id)).title));
    set(table, "time", group.time);
    set(table, "nodes", group.nodes);
    set(table, "kernels", group.kernels);
    if (group.limit > 0) set(table, "limit", group.limit);
    if (options.device == "cpu") continue;
    set(table, "gap", group.gap);
    set(table, "host_time", group.host);
  }
  point.tables = {std::move(performance), std::move(table)};
  return point;
}

inline Point failed(const std::string& model, const std::string& reason, const Options& options = {}) {
  Point point = run(model, {}, options);
  point.tables.clear();
  point.status = {StatusKind::kUnsupported, reason};
  return point;
}

}  // namespace nongemm::made
