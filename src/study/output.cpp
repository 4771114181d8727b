#include "study/output.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>
#include <set>
#include <sstream>

#include "base/error.h"
#include "base/file.h"
#include "base/message.h"
#include "base/text.h"
#include "record/machine.h"
#include "report/compare_sections.h"
#include "report/op_sections.h"
#include "report/study_sections.h"
#include "report/sweep_sections.h"
#include "report/writers.h"

namespace nongemm {
namespace {

constexpr const char* kOnTerminal = "table";
constexpr std::size_t kColumns = 120;

std::vector<ReportKind> reports_of(const OutputOptions& options) {
  constexpr std::array kKinds = {ReportKind::kPerformance, ReportKind::kWorkload, ReportKind::kNongemm};
  std::vector<ReportKind> kinds;
  for (const std::string& name : options.reports) {
    const auto kind = std::find_if(kKinds.begin(), kKinds.end(), [&](ReportKind k) { return name_of(k) == name; });
    if (kind != kKinds.end()) kinds.push_back(*kind);  // others are refused by the option table
  }
  return kinds;
}

/// What a writer gets to see: everything in JSON, what was asked for elsewhere, a summary on the terminal.
Document part_for(const Document& document, const Writer& writer, const OutputOptions& options) {
  // A study's tables are read, the runs behind them looked up.
  if (is_study(document) && !options.details && writer.format != "json" && writer.format != "html") {
    const Document tables{document.context, {document.points.front()}};
    return options.reports.empty() ? tables : only(tables, reports_of(options));
  }
  // Formats for programs have every point by itself.
  if (writer.format == "json" || writer.format == "google-benchmark" || writer.format == "trace") return document;
  if (writer.format != "csv" && is_sweep_of_calls(document)) return calls_as_rows(document);
  if (!options.reports.empty()) return only(document, reports_of(options));
  if (writer.format == "csv") return document;
  if (writer.format != "table") return with_overview(document);
  constexpr std::size_t kFewParts = 4;
  if (is_comparison(document) && !options.details && document.points.size() > kFewParts) {
    return Document{document.context, {document.points.front()}};
  }
  return is_sweep_of_runs(document) && !options.details ? runs_as_rows(document) : summary_of(document);
}

/// One run writes into a folder at a time; the lock goes with the process.
void lock_folder(const std::string& folder) {
  static std::set<std::filesystem::path> held;
  std::error_code ignored;
  if (!held.insert(std::filesystem::canonical(folder, ignored)).second) return;
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0 || ::flock(descriptor, LOCK_EX | LOCK_NB) == 0) return;  // some file systems have no locks
  const bool taken = errno == EWOULDBLOCK;
  ::close(descriptor);
  if (!taken) return;
  throw Error(ErrorKind::kIo, "another run is writing into the output folder '" + folder + "'",
              "name another folder with --output, or wait for it");
}

/// A person reads, and the terminal has more than ASCII.
bool terminal_draws_bars() {
  const auto value_of = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value != nullptr ? value : "");
  };
  if (isatty(STDOUT_FILENO) == 0 || !value_of("NO_COLOR").empty() || value_of("TERM") == "dumb") return false;
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string locale = value_of(name);
    if (locale.empty()) continue;
    return locale.find("UTF-8") != std::string::npos || locale.find("utf8") != std::string::npos;
  }
  return false;
}

/// Lines of the terminal that a person reads; nothing where that is not known.
std::optional<std::size_t> lines_of_screen() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0) return std::nullopt;
  return size.ws_row;
}

/// The first tables of each point with their first rows. SIZE_MAX: all of them.
std::string cut_text(Document document, TableLook look, std::size_t tables, std::size_t rows) {
  for (Point& point : document.points) {
    if (point.tables.size() > tables) point.tables.resize(tables);
    for (Table& table : point.tables) table.rows.resize(std::min(table.rows.size(), rows));
  }
  std::ostringstream out;
  write_table(document, look, out);
  std::string text = out.str();
  if (rows == SIZE_MAX) return text;
  // On a small screen the first line is not for nothing.
  if (text.starts_with('\n')) text.erase(0, 1);
  return text + "\n  Cut to the screen: --details prints all\n";
}

}  // namespace

std::string text_for_screen(const Document& document, TableLook look, std::size_t lines) {
  constexpr std::size_t kAround = 3;  // the command's own line, the one below the text, and the next prompt
  const auto fits = [&](const std::string& text) {
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + kAround <= lines;
  };
  std::string text = cut_text(document, look, SIZE_MAX, SIZE_MAX);
  if (fits(text)) return text;
  std::size_t tables = 0;
  for (const Point& point : document.points) tables = std::max(tables, point.tables.size());
  for (const std::size_t rows : {12, 8, 5, 3}) {
    text = cut_text(document, look, tables, rows);
    if (fits(text)) return text;
  }
  // What stands first says most.
  for (std::size_t left = tables; left-- > 1;) {
    for (const std::size_t rows : {3, 2}) {
      text = cut_text(document, look, left, rows);
      if (fits(text)) return text;
    }
  }
  return text;
}

void check_output(const OutputOptions& options) {
  for (const std::string& format : options.formats) find_writer(format);
  if (options.folder.empty()) return;
  std::error_code error;
  std::filesystem::create_directories(options.folder, error);
  try {
    AtomicFile probe(std::filesystem::path(options.folder) / ".nongemm-probe");
    probe.write("x");  // and is gone again: it is not committed
  } catch (const Error& failed) {
    throw Error(ErrorKind::kIo, "output folder '" + options.folder + "' cannot be written to",
                error ? error.message() : failed.what());
  }
  lock_folder(options.folder);
}

std::string write_report_file(const Document& document, const std::string& folder, const Writer& writer) {
  std::ostringstream text;
  writer.write(document, text);
  const auto path = std::filesystem::path(folder) / ("report" + std::string(writer.extension));
  write_file_atomically(path, text.str());
  return path.string();
}

void write_output(const Document& document, const OutputOptions& options) {
  const auto print = [&](const std::string& format) {
    const Writer& writer = find_writer(format);
    const Document part = part_for(document, writer, options);
    if (isatty(STDOUT_FILENO) == 0) return writer.write(part, std::cout);
    const TableLook look{.room = kColumns, .bars = terminal_draws_bars()};
    // Of a sweep no row is one too many, and what was asked for by name is wanted whole.
    const bool cut = document.points.size() == 1 && options.reports.empty() && !options.details;
    std::ostringstream text;
    if (format != kOnTerminal) {
      writer.write(part, text);
    } else {
      text << text_for_screen(part, look, cut ? lines_of_screen().value_or(SIZE_MAX) : SIZE_MAX);
    }
    std::string shown = text.str();
    std::erase(shown, '\r');
    std::cout << without_controls(std::move(shown));
  };
  if (options.folder.empty()) {
    if (options.formats.empty()) print(kOnTerminal);
    for (const std::string& format : options.formats) print(format);
    return;
  }
  // The JSON report is always among the files: everything else can be made from it.
  std::vector<std::string> formats = {"json"};
  for (const std::string& format : options.formats) {
    if (format != "json") formats.push_back(format);
  }
  // What was measured is told whatever becomes of the files.
  std::optional<Error> problem;
  for (const std::string& format : formats) {
    const Writer& writer = find_writer(format);
    try {
      const std::string path = write_report_file(part_for(document, writer, options), options.folder, writer);
      say(fmt::format("wrote {}\n", path));
    } catch (const Error& error) {
      if (!problem) problem = error;
    }
  }
  print(kOnTerminal);
  std::cout.flush();
  if (problem) throw Error(*problem);
}

std::vector<std::pair<std::string, std::string>> make_context() {
  std::vector<std::pair<std::string, std::string>> context = describe_machine();
  std::string command;
  std::ifstream file("/proc/self/cmdline");
  for (std::string word; std::getline(file, word, '\0');) {
    if (command.empty()) word = std::filesystem::path(word).filename().string();
    command += (command.empty() ? "" : " ") + shell_word(word);
  }
  context.emplace_back("command", command);
  std::error_code ignored;
  context.emplace_back(kStartedIn, std::filesystem::current_path(ignored).string());
  return context;
}

}  // namespace nongemm
