// The figures of a report as documentation: docs/figures.md is this text, held to it by a test.
#pragma once

#include <string>

namespace nongemm {

/// Markdown: every section with its figures, units and meaning.
std::string figures_markdown();

}  // namespace nongemm
