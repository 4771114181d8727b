#include "traces/nsys/database.h"

#include <sqlite3.h>

#include <algorithm>

#include "base/error.h"

namespace nongemm::traces {
namespace {

struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

/// As SQL has it, whatever is in the name.
std::string quoted(const std::string& name) {
  std::string text = "\"";
  for (const char c : name) {
    if (c == '"') text += '"';
    text += c;
  }
  return text + '"';
}

}  // namespace

void Database::Close::operator()(sqlite3* database) const { sqlite3_close(database); }

bool Row::has(int column) const { return sqlite3_column_type(statement_, column) != SQLITE_NULL; }

std::int64_t Row::integer(int column, std::int64_t otherwise) const {
  return has(column) ? sqlite3_column_int64(statement_, column) : otherwise;
}

std::string_view Row::text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  const int size = sqlite3_column_bytes(statement_, column);
  return text != nullptr ? std::string_view(text, static_cast<std::size_t>(size)) : std::string_view();
}

Database::Database(const std::filesystem::path& path) : name_(path.filename().string()) {
  sqlite3* opened = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &opened, SQLITE_OPEN_READONLY, nullptr);
  database_.reset(opened);
  if (code != SQLITE_OK) {
    throw Error(ErrorKind::kIo, "'" + path.string() + "' cannot be opened: " + sqlite3_errstr(code));
  }
  // What a hostile file may bring along is not run.
  sqlite3_db_config(opened, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);    // NOLINT: its interface
  sqlite3_db_config(opened, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);  // NOLINT
  sqlite3_exec(opened, "PRAGMA trusted_schema=OFF", nullptr, nullptr, nullptr);
}

void Database::fail(int code) const {
  throw Error(ErrorKind::kBadInput, name_ + " cannot be read as a database: " + sqlite3_errstr(code),
              "export it again: nsys export --type sqlite");
}

std::vector<std::string> Database::columns_of(const std::string& table) const {
  std::vector<std::string> columns;
  sqlite3_stmt* prepared = nullptr;
  const std::string query = "PRAGMA table_info(" + quoted(table) + ")";
  const int code = sqlite3_prepare_v2(database_.get(), query.c_str(), -1, &prepared, nullptr);
  const Statement statement(prepared);
  if (code != SQLITE_OK) fail(code);
  int step = SQLITE_ROW;
  while ((step = sqlite3_step(prepared)) == SQLITE_ROW) columns.emplace_back(Row(prepared).text(1));
  if (step != SQLITE_DONE) fail(step);
  return columns;
}

std::int64_t Database::read(const std::string& table, const std::vector<std::string>& columns,
                            const std::function<void(const Row&)>& visit) const {
  const std::vector<std::string> there = columns_of(table);
  if (there.empty()) return 0;
  std::string query = "SELECT ";
  for (const std::string& column : columns) {
    const bool known = std::find(there.begin(), there.end(), column) != there.end();
    query += (&column == columns.data() ? "" : ",") + (known ? quoted(column) : std::string("NULL"));
  }
  query += " FROM " + quoted(table);
  sqlite3_stmt* prepared = nullptr;
  const int code = sqlite3_prepare_v2(database_.get(), query.c_str(), -1, &prepared, nullptr);
  const Statement statement(prepared);
  if (code != SQLITE_OK) fail(code);
  std::int64_t rows = 0;
  int step = SQLITE_ROW;
  while ((step = sqlite3_step(prepared)) == SQLITE_ROW) {
    visit(Row(prepared));
    ++rows;
  }
  if (step != SQLITE_DONE) fail(step);
  return rows;
}

}  // namespace nongemm::traces
