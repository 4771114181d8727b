#include "report/sections.h"

#include <utility>

#include "report/compare_sections.h"
#include "report/document.h"
#include "report/engine_sections.h"
#include "report/fusion_sections.h"
#include "report/generation_sections.h"
#include "report/nongemm_sections.h"
#include "report/op_sections.h"
#include "report/performance_sections.h"
#include "report/quantization_sections.h"
#include "report/rank_sections.h"
#include "report/study_sections.h"
#include "report/sweep_sections.h"
#include "report/timeline_sections.h"
#include "report/trace_sections.h"
#include "report/workload_sections.h"

namespace nongemm {
namespace {

template <typename T>
void append(std::vector<T>& all, std::vector<T> more) {
  for (T& one : more) all.push_back(std::move(one));
}

/// Static reports have no times: those columns are absent, not 0.
void forget_times(Table& table) {
  for (std::size_t c = 0; c < table.info->columns.size(); ++c) {
    const Column& column = table.info->columns[c];
    const bool timed = column.unit == Unit::kSeconds || column.unit == Unit::kShare || column.unit == Unit::kByteRate ||
                       column.unit == Unit::kFlopRate || column.id == "kernels";
    if (!timed) continue;
    for (auto& row : table.rows) row[c] = std::monostate{};
  }
}

}  // namespace

const std::vector<const SectionInfo*>& all_sections() {
  static const std::vector<const SectionInfo*> kAll = [] {
    std::vector<const SectionInfo*> sections = performance_section_infos();
    append(sections, workload_section_infos());
    append(sections, nongemm_section_infos());
    append(sections, timeline_section_infos());
    append(sections, fusion_section_infos());
    append(sections, quantization_section_infos());
    append(sections, generation_section_infos());
    append(sections, rank_section_infos());
    append(sections, engine_section_infos());
    append(sections, op_section_infos());
    append(sections, sweep_section_infos());
    append(sections, compare_section_infos());
    append(sections, trace_section_infos());
    append(sections, study_section_infos());
    return sections;
  }();
  return kAll;
}

std::vector<Table> make_tables(const RunFigures& figures) {
  std::vector<Table> tables = make_performance_tables(figures);
  if (figures.fusion != nullptr) append(tables, make_fusion_tables(*figures.fusion));
  if (const Phase* phase = figures.inference()) {
    append(tables, make_engine_tables(figures.record->entries.at(phase->entry), *phase));
  }
  append(tables, make_workload_tables(figures));
  append(tables, make_nongemm_tables(figures));
  append(tables, make_timeline_tables(figures));
  if (!figures.analysis->measured) {
    for (Table& table : tables) {
      if (table.info->id != "performance") forget_times(table);
    }
  }
  return tables;
}

}  // namespace nongemm
