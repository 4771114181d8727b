// The formats, one function each (one source file each).
#pragma once

#include <iosfwd>

#include "report/document.h"

namespace nongemm {

void write_json(const Document& document, std::ostream& out);
void write_table(const Document& document, std::ostream& out);
void write_csv(const Document& document, std::ostream& out);
void write_markdown(const Document& document, std::ostream& out);
void write_html(const Document& document, std::ostream& out);
void write_trace(const Document& document, std::ostream& out);
void write_google_benchmark(const Document& document, std::ostream& out);

}  // namespace nongemm
