#include "study/limits_file.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cctype>
#include <chrono>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <system_error>

#include "base/error.h"
#include "base/file.h"
#include "base/message.h"

namespace nongemm {
namespace {

void check_owner(const std::filesystem::path& path) {
  struct stat status = {};
  if (::stat(path.c_str(), &status) == 0 && status.st_uid != ::geteuid()) refuse_limits("it belongs to another user");
}

}  // namespace

bool read_kept_limits(const std::filesystem::path& path, const std::function<void(const std::string& content)>& parse) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::symlink_status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) return false;
  try {
    check_owner(path);
    constexpr std::size_t kMostBytes = 1 << 16;
    parse(read_file(path, kMostBytes));
    return true;
  } catch (const Error& problem) {
    const std::string what = problem.what();
    say(fmt::format("nongemm: the kept limits are not used: {}{}\n",
                    what.find(path.string()) == std::string::npos ? path.string() + ": " : "",
                    what.substr(0, what.find('\n'))));
    return false;
  }
}

void keep_limits(const std::filesystem::path& path, const Json& json) {
  std::error_code error;
  // Writing into a pipe that stands there would wait for a reader.
  if (std::filesystem::is_fifo(std::filesystem::symlink_status(path, error))) std::filesystem::remove(path, error);
  std::filesystem::create_directories(path.parent_path(), error);
  try {
    write_file_atomically(path, dump_json(json, 1) + "\n");
  } catch (const Error&) {  // a read-only home
  }
}

bool is_old_limits_file(const std::filesystem::path& path) {
  std::error_code error;
  const auto written = std::filesystem::last_write_time(path, error);
  return !error && std::filesystem::file_time_type::clock::now() - written > std::chrono::hours(1);
}

void refuse_limits(const std::string& what) { throw Error(ErrorKind::kBadInput, what); }

double plausible_limit(const Json& value, const std::string& name) {
  constexpr double kMost = 1e19;
  const double figure = value.is_number() ? value.get<double>() : 0;
  if (!(figure > 0 && figure < kMost)) refuse_limits("'" + name + "' is no figure");
  return figure;
}

std::string text_of_limits(const Json& json, const char* key) {
  if (!json.contains(key) || !json[key].is_string()) refuse_limits(std::string("'") + key + "' is missing");
  return json[key].get<std::string>();
}

std::string limits_file_name(std::string words) {
  for (char& letter : words) {
    if (std::isalnum(static_cast<unsigned char>(letter)) == 0 && letter != '-') letter = '_';
  }
  return words + ".json";
}

}  // namespace nongemm
