#include "report/workload_sections.h"

#include "report/section_fields.h"

namespace nongemm {
namespace {

const Section<Bucket>& workload_section() {
  static const Section<Bucket> section(
      {.id = "workload",
       .title = "Workload",
       .doc = "Distinct calls with shapes, in order of first use.",
       .report = ReportKind::kWorkload,
       .most_rows = 40,
       .columns = {}},
      {
          operator_field<Bucket>(),
          group_field<Bucket>(),
          shapes_field<Bucket>(),
          dtype_field<Bucket>(),
          nodes_field<Bucket>("calls of this kind per inference"),
          {{"parameters", "Parameters", Unit::kCount, "of all these nodes, tied weights at their first use", false, 1},
           [](const Bucket& b) { return count(b.parameters); }},
          flops_field<Bucket>("of all these nodes"),
          unknown_field(),
          bytes_field<Bucket>("least traffic of all these nodes"),
          {{"intensity", "Intensity", Unit::kIntensity, "work over bytes", false, 2},
           [](const Bucket& b) { return measured(rate(work_of(b).flops, work_of(b).bytes())); }},
      });
  return section;
}

}  // namespace

std::vector<const SectionInfo*> workload_section_infos() { return {&workload_section().info()}; }

std::vector<Table> make_workload_tables(const RunFigures& figures) {
  return {workload_section().fill(figures.analysis->workload)};
}

}  // namespace nongemm
