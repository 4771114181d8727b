// A database that is only read, with tables whose columns differ from version to version.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct sqlite3;
struct sqlite3_stmt;

namespace nongemm::traces {

/// A row as it is read; positions are those of the columns that were asked for.
class Row {
 public:
  explicit Row(sqlite3_stmt* statement) : statement_(statement) {}

  bool has(int column) const;
  std::int64_t integer(int column, std::int64_t otherwise = 0) const;
  /// Valid until the next row.
  std::string_view text(int column) const;

 private:
  sqlite3_stmt* statement_;
};

class Database {
 public:
  /// @throws Error (kIo) when it cannot be opened
  explicit Database(const std::filesystem::path& path);

  /// Empty when there is no such table.
  std::vector<std::string> columns_of(const std::string& table) const;

  /// Calls `visit` for every row with these columns; those that the table lacks have no value. Without the table
  /// nothing happens.
  /// @return how many rows there were
  /// @throws Error (kBadInput) when the file is damaged
  std::int64_t read(const std::string& table, const std::vector<std::string>& columns,
                    const std::function<void(const Row&)>& visit) const;

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  [[noreturn]] void fail(int code) const;

  std::string name_;
  std::unique_ptr<sqlite3, Close> database_;
};

}  // namespace nongemm::traces
