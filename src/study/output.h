// Where a report goes: files in a folder, or standard output.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "report/document.h"
#include "spec/request.h"

namespace nongemm {

/// Before a long run: unknown formats and folders that cannot be written to are named now.
void check_output(const OutputOptions& options);

/// folder/report.EXTENSION, whole or not at all; gives its path.
std::string write_report_file(const Document& document, const std::string& folder, const Writer& writer);

/// What is done of a sweep is on disk while the rest runs: report.json is written again and again. A long sweep's
/// report takes a while to write, so that this is done seldom enough not to matter.
class Checkpoints {
 public:
  explicit Checkpoints(std::string folder) : folder_(std::move(folder)) {}  // none when it is empty

  void add(const Document& document);

 private:
  std::string folder_;
  std::int64_t next_ns_ = 0;
};

/// Files into the folder, and a summary to standard output; or what was asked for to standard output.
void write_output(const Document& document, const OutputOptions& options);

/// What a report says first: the machine, and the command line.
std::vector<std::pair<std::string, std::string>> make_context();

}  // namespace nongemm
