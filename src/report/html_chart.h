// The picture of an HTML report: one bar per measured point, divided among the operator groups (the paper's Figure 5).
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>

#include "report/document.h"

namespace nongemm {

/// Writes an <svg> with its legend; nothing when no point was measured.
void write_html_chart(const Document& document, std::ostream& out);

/// Text that may hold anything, for elements and attributes.
std::string html_escaped(std::string_view text);

}  // namespace nongemm
