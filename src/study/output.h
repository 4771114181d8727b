// Where a report goes: files in a folder, or standard output.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "report/document.h"
#include "spec/request.h"

namespace nongemm {

/// Before a long run: unknown formats and folders that cannot be written to, or that another run writes into, are named
/// now. The folder is this process's until it ends.
void check_output(const OutputOptions& options);

/// folder/report.EXTENSION, whole or not at all; gives its path.
std::string write_report_file(const Document& document, const std::string& folder, const Writer& writer);

/// Files into the folder, and a summary to standard output; or what was asked for to standard output. Throws the first
/// failure to write when everything that can be written is.
void write_output(const Document& document, const OutputOptions& options);

/// The folder that relative paths of a report belong to: its key in the context.
inline constexpr const char* kStartedIn = "started in";

/// What a report says first: the machine, and the command line.
std::vector<std::pair<std::string, std::string>> make_context();

/// The table for a screen of so many lines. The first rows of a table say most, and the first tables of a point: they
/// are cut to as few rows as it takes, where three each are too many to as few tables. One is left in any case.
std::string text_for_screen(const Document& document, TableLook look, std::size_t lines);

}  // namespace nongemm
