#include "study/journal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <system_error>
#include <tuple>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "record/machine.h"

namespace nongemm {
namespace {

constexpr std::string_view kSchema = "nongemm-journal";
constexpr int kVersion = 1;
constexpr std::uint64_t kMostBytes = std::uint64_t{8} << 30;

constexpr std::string_view kBegin = R"({"sum":")";
constexpr std::string_view kMiddle = R"(","line":)";
constexpr std::string_view kEnd = "}";
constexpr std::size_t kSumDigits = 16;
constexpr std::size_t kLeast = kBegin.size() + kSumDigits + kMiddle.size() + kEnd.size();

std::string sum_of(std::string_view content) { return fmt::format("{:016x}", hash_of(content)); }

std::string framed(const std::string& content) {
  return fmt::format("{}{}{}{}{}\n", kBegin, sum_of(content), kMiddle, content, kEnd);
}

/// What a line holds; nothing where it is not as it was written.
std::optional<std::string_view> content_of(std::string_view line) {
  if (line.size() < kLeast || !line.starts_with(kBegin) || !line.ends_with(kEnd)) return std::nullopt;
  const std::string_view sum = line.substr(kBegin.size(), kSumDigits);
  const std::string_view rest = line.substr(kBegin.size() + kSumDigits);
  if (!rest.starts_with(kMiddle)) return std::nullopt;
  const std::string_view content = rest.substr(kMiddle.size(), rest.size() - kMiddle.size() - kEnd.size());
  if (sum_of(content) != sum) return std::nullopt;
  return content;
}

void check_schema(const OrderedJson& line, const std::string& origin) {
  const auto schema = line.find("schema");
  if (schema == line.end() || *schema != kSchema) {
    throw Error(ErrorKind::kBadInput, origin + " is no journal of nongemm", "choose another file");
  }
  const auto version = line.find("version");
  if (version != line.end() && *version == kVersion) return;
  throw Error(ErrorKind::kBadInput,
              fmt::format("{} is a journal of version {}, this program has version {}", origin,
                          version == line.end() ? "?" : dump_json(*version), kVersion),
              "go on with the nongemm that wrote it, or choose another folder");
}

void read_session(const OrderedJson& line, const std::string& origin, JournalContent& content) {
  check_schema(line, origin);
  auto& context = content.sessions.emplace_back();
  if (line.contains("context") && line["context"].is_object()) {
    for (const auto& [key, value] : line["context"].items()) {
      context.emplace_back(key, value.is_string() ? value.get<std::string>() : dump_json(value));
    }
  }
  if (line.contains("points") && line["points"].is_number_unsigned()) content.promised = line["points"];
}

constexpr std::string_view kProgram = R"({"program":)";
constexpr std::string_view kPoint = R"(,"point":)";

/// A point's line is taken apart as text: its point may be long, and is read by who reads reports.
JournalPoint point_of(std::string_view content, const std::string& place) {
  // Quotes inside the program's name are escaped.
  const std::size_t at = content.find(kPoint);
  if (at == std::string_view::npos) throw Error(ErrorKind::kBadInput, place + " has no point");
  const Json program = parse_json_or_null(content.substr(kProgram.size(), at - kProgram.size()));
  const std::size_t begin = at + kPoint.size();
  return {program.is_string() ? program.get<std::string>() : "",
          parse_point(content.substr(begin, content.size() - begin - kEnd.size()), place)};
}

/// @param number of the first line
/// @return bytes of complete lines
std::size_t parse_lines(std::string_view text, const std::string& origin, JournalContent& content,
                        std::size_t number = 1) {
  std::size_t begin = 0;
  for (; begin < text.size(); ++number) {
    const std::size_t end = text.find('\n', begin);
    const std::string place = fmt::format("{}:{}", origin, number);
    const auto line = end == std::string_view::npos ? std::nullopt : content_of(text.substr(begin, end - begin));
    if (!line) {
      const bool last = end == std::string_view::npos || end + 1 == text.size();
      // What never was a journal is not taken for one whose only line is torn: it would be overwritten.
      const std::string_view first = text.substr(0, kBegin.size());
      const bool ours = number > 1 || first == kBegin.substr(0, first.size());
      if (last && ours) return begin;
      throw Error(ErrorKind::kBadInput, place + (ours ? " is damaged" : " is no line of a journal of nongemm"),
                  ours ? "remove this line to go on with the others" : "choose another file");
    }
    if (number > 1 && line->starts_with(kProgram)) {
      content.points.push_back(point_of(*line, place));
    } else {
      read_session(parse_ordered_json(*line, place), origin, content);
    }
    begin = end + 1;
  }
  return begin;
}

/// A new file's name is kept by its folder. What cannot be synchronised (a pipe's folder) has nothing to lose.
void keep_name(const std::filesystem::path& path) {
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
}

std::string read_whole(int descriptor, std::int64_t size) {
  std::string text(static_cast<std::size_t>(size), '\0');
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t got = ::pread(descriptor, text.data() + done, text.size() - done, static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    done += static_cast<std::size_t>(got);
  }
  text.resize(done);
  return text;
}

}  // namespace

std::string program_version() {
  std::string version;
  for (const auto& [key, value] : describe_machine()) {
    if (key == "nongemm" || key == "revision") version += (version.empty() ? "" : " ") + value;
  }
  return version;
}

void Journal::fail(const char* what, int error_number) const {
  const bool full = error_number == ENOSPC || error_number == EDQUOT;
  throw Error(ErrorKind::kIo,
              fmt::format("{}: {}: {}", path_.string(), what, std::generic_category().message(error_number)),
              full ? "free some space, and go on with --resume: what is in the journal is safe" : "");
}

Journal::Journal(std::filesystem::path path) : path_(std::move(path)) {
  descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail("cannot be opened", errno);
  try {
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) fail("cannot be locked", errno);
      throw Error(ErrorKind::kIo, path_.string() + ": another nongemm is writing this journal",
                  "wait for it, or choose another folder");
    }
    struct stat status = {};
    if (::fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode)) fail("is no regular file", EINVAL);
    size_ = static_cast<std::int64_t>(parse_lines(read_whole(descriptor_, status.st_size), path_.string(), content_));
    if (size_ < status.st_size && ::ftruncate(descriptor_, size_) != 0) fail("cannot be mended", errno);
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
}

Journal::~Journal() { ::close(descriptor_); }

void Journal::begin_anew() {
  if (::ftruncate(descriptor_, 0) != 0) fail("cannot be emptied", errno);
  size_ = 0;
  content_ = {};
}

void Journal::begin_session(const std::vector<std::pair<std::string, std::string>>& context, std::size_t promised) {
  OrderedJson line;
  line["schema"] = kSchema;
  line["version"] = kVersion;
  line["points"] = promised;
  line["context"] = OrderedJson::object();
  for (const auto& [key, value] : context) line["context"][key] = value;
  append(dump_json(line));
}

void Journal::add(const Point& point) {
  const std::string program = dump_json(Json(program_version()));
  append(fmt::format("{}{}{}{}{}", kProgram, program, kPoint, point_text(point), kEnd));
}

void Journal::append(const std::string& content) {
  const std::string line = framed(content);
  const auto give_up = [&](int error_number) {
    // What came through of the line would stand before the next one.
    if (::ftruncate(descriptor_, size_) != 0) error_number = errno;
    fail("cannot be written", error_number);
  };
  for (std::string_view rest = line; !rest.empty();) {
    const ssize_t written = ::write(descriptor_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) give_up(errno);
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  // Some file systems report a full disk only now.
  if (::fsync(descriptor_) != 0) give_up(errno);
  if (size_ == 0) keep_name(path_);
  size_ += static_cast<std::int64_t>(line.size());
}

JournalContent parse_journal(std::string_view text, const std::string& origin) {
  JournalContent content;
  parse_lines(text, origin, content);
  if (content.sessions.empty()) throw Error(ErrorKind::kBadInput, origin + " has no line yet");
  return content;
}

JournalContent read_journal(const std::filesystem::path& path) {
  return parse_journal(read_file(path, kMostBytes), path.string());
}

JournalContent read_journal_from(const std::filesystem::path& path, std::uint64_t& offset) {
  JournalContent content;
  std::ifstream file(path, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(offset));
  std::stringstream text;
  text << file.rdbuf();
  offset += parse_lines(text.view(), path.string(), content, offset == 0 ? 1 : 2);
  return content;
}

namespace {

using Paths = std::vector<std::filesystem::path>;

bool is_journal(const std::filesystem::path& path) { return path.extension() == ".jsonl"; }

/// What a run wrote there: its journals, or the report where it has none. In a folder without either, all journals and
/// reports whatever their names.
Paths reports_in(const std::filesystem::path& folder) {
  Paths of_run;
  Paths all;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::filesystem::path& path = entry.path();
    if (!is_journal(path) && path.extension() != ".json") continue;
    if (is_journal(path) && path.filename().string().starts_with("journal.")) of_run.push_back(path);
    all.push_back(path);
  }
  const std::filesystem::path report = folder / "report.json";
  if (of_run.empty() && std::find(all.begin(), all.end(), report) != all.end()) return {report};
  Paths& paths = of_run.empty() ? all : of_run;
  if (paths.empty()) {
    throw Error(ErrorKind::kBadInput, folder.string() + " holds no report",
                "a folder has to hold report.json, a sweep's journal.jsonl, or reports (*.json) and journals (*.jsonl) "
                "of other names");
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

void add_content(JournalContent content, Document& document,
                 std::map<std::tuple<std::string, std::string, int>, std::size_t>& known) {
  if (document.context.empty()) document.context = content.sessions.front();
  for (JournalPoint& line : content.points) {
    // Points without a key are all different.
    const std::string other = line.point.key.empty() ? line.point.command : "";
    const auto [at, is_new] = known.try_emplace({line.point.key, other, line.point.process}, document.points.size());
    if (is_new) {
      document.points.push_back(std::move(line.point));
    } else {
      document.points[at->second] = std::move(line.point);
    }
  }
}

}  // namespace

Document read_report(const std::string& path) {
  std::error_code ignored;
  const bool folder = std::filesystem::is_directory(path, ignored);
  if (!folder && !path.ends_with(".jsonl")) return read_document(path);
  Document document;
  std::map<std::tuple<std::string, std::string, int>, std::size_t> known;
  for (const auto& one : folder ? reports_in(path) : Paths{path}) {
    if (is_journal(one)) {
      add_content(read_journal(one), document, known);
      continue;
    }
    Document report = read_document(one.string());
    if (document.context.empty()) document.context = std::move(report.context);
    std::move(report.points.begin(), report.points.end(), std::back_inserter(document.points));
  }
  return document;
}

}  // namespace nongemm
