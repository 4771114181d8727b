#include "report/figures.h"

#include <fmt/format.h>

#include "report/document.h"

namespace nongemm {

std::string figures_markdown() {
  std::string text = fmt::format(
      "# Figures of a report (schema version {})\n\n"
      "Made by `nongemm list figures` from the field table in `src/report/*sections.cpp`. Ids are the keys in JSON "
      "and, with the unit, "
      "the "
      "columns in\nCSV; values are in the unit given, without prefixes; a figure that was not measured is `null` in "
      "JSON and "
      "empty in CSV.\n",
      kSchemaVersion);
  for (const SectionInfo* section : all_sections()) {
    text +=
        fmt::format("\n## `{}`: {} ({} report{})\n{}\n\n| id | unit | meaning |\n| --- | --- | --- |\n", section->id,
                    section->title, name_of(section->report), section->single_row ? ", one row" : "", section->doc);
    for (const Column& column : section->columns) {
      text += fmt::format("| `{}` | {} | {} |\n", column.id, symbol(column.unit), column.doc);
    }
  }
  return text;
}

}  // namespace nongemm
