#include "report/compare_sections.h"

#include "report/section_fields.h"

namespace nongemm {
namespace {

std::vector<Field<ComparisonRow>> comparison_fields() {
  using R = ComparisonRow;
  return {
      {{"point", "Point", Unit::kText, "which of several points"}, [](const R& r) { return text_if_any(r.point); }},
      {{"level", "Level", Unit::kText, "inference, replay, group or operator"},
       [](const R& r) { return text(r.level); }},
      {{"name", "Name", Unit::kText, "of the group or operator"}, [](const R& r) { return text_if_any(r.name); }},
      {{"base", "Base", Unit::kSeconds, "median over processes of their medians; of parts what the node pass says"},
       [](const R& r) { return measured(r.base_s); }},
      {{"new", "New", Unit::kSeconds, "the same of the other report"}, [](const R& r) { return measured(r.new_s); }},
      {{"ratio", "New / base", Unit::kRatio, "above 1 where the new one takes longer"},
       [](const R& r) { return measured(r.ratio); }},
      {{"low", "Low", Unit::kRatio, "of the ratio's 95 % interval"}, [](const R& r) { return measured(r.low); }},
      {{"high", "High", Unit::kRatio, "of the ratio's 95 % interval"}, [](const R& r) { return measured(r.high); }},
      {{"in_cycles", "In cycles", Unit::kRatio, "the ratio with the device's clocks taken out, where both are known",
        false, 1},
       [](const R& r) { return measured(r.in_cycles); }},
      {{"verdict", "Verdict", Unit::kText,
        "faster, slower: the whole interval lies beyond the tolerance; same: within it; undecided; not comparable"},
       [](const R& r) { return text(r.verdict); }},
      {{"needed", "Processes needed", Unit::kCount, "for each side, to decide what is undecided; absent above 1000",
        false, 2},
       [](const R& r) -> FieldValue { return r.needed > 0 ? count(r.needed) : FieldValue{}; }},
      {{"why", "Why", Unit::kText, "what moved it: work, waits, clocks, other kernels, another fusion"},
       [](const R& r) { return text_if_any(r.why); }},
      {{"p_value", "p", Unit::kNumber, "two-sided, that it lies beyond the tolerance", true},
       [](const R& r) { return measured(r.p_value); }},
      {{"processes", "Processes", Unit::kCount, "of the side that has fewer", true},
       [](const R& r) { return count(r.processes); }},
  };
}

const Section<ComparisonRow>& comparison_section() {
  static const Section<ComparisonRow> section({.id = "comparison",
                                               .title = "New against base",
                                               .doc = "Inferences as wholes.",
                                               .report = ReportKind::kPerformance,
                                               .columns = {}},
                                              comparison_fields());
  return section;
}

const Section<ComparisonRow>& part_section() {
  static const Section<ComparisonRow> section(
      {.id = "comparison_parts",
       .title = "Groups and operators",
       .doc = "Parts of one inference; operators are decided together, so that at most 5 % of those called faster or "
              "slower are not (Benjamini and Hochberg).",
       .report = ReportKind::kPerformance,
       .most_rows = 24,
       .columns = {}},
      comparison_fields());
  return section;
}

const Section<ComparisonDifference>& difference_section() {
  using D = ComparisonDifference;
  static const Section<D> section(
      {.id = "comparison_differences",
       .title = "What differs",
       .doc = "Machines, versions and options that the two do not have in common.",
       .report = ReportKind::kPerformance,
       .columns = {}},
      {{{"what", "What", Unit::kText, "of the machine, the versions or the options"},
        [](const D& d) { return text(d.what); }},
       {{"base", "Base", Unit::kText, "its value there"}, [](const D& d) { return text_if_any(d.base); }},
       {{"new", "New", Unit::kText, "its value there"}, [](const D& d) { return text_if_any(d.fresh); }}});
  return section;
}

const Section<ComparisonLeftover>& leftover_section() {
  using L = ComparisonLeftover;
  static const Section<L> section(
      {.id = "comparison_leftovers",
       .title = "Without a partner",
       .doc = "What stands in one of the two alone.",
       .report = ReportKind::kPerformance,
       .most_rows = 24,
       .columns = {}},
      {{{"side", "Side", Unit::kText, "base or new"}, [](const L& l) { return text(l.side); }},
       {{"what", "What", Unit::kText, "point, operator or kernel"}, [](const L& l) { return text(l.what); }},
       {{"name", "Name", Unit::kText, "with its shapes, for an operator"}, [](const L& l) { return text(l.name); }},
       {{"time", "Time", Unit::kSeconds, "of one inference"}, [](const L& l) { return measured(l.time_s); }}});
  return section;
}

}  // namespace

const std::vector<const SectionInfo*>& compare_section_infos() {
  static const std::vector<const SectionInfo*> kAll = {&difference_section().info(), &comparison_section().info(),
                                                       &part_section().info(), &leftover_section().info()};
  return kAll;
}

bool is_comparison(const Document& document) {
  return !document.points.empty() && find_table(document.points.front(), "comparison") != nullptr;
}

Table make_difference_table(const std::vector<ComparisonDifference>& rows) { return difference_section().fill(rows); }
Table make_comparison_table(const std::vector<ComparisonRow>& rows) { return comparison_section().fill(rows); }
Table make_part_table(const std::vector<ComparisonRow>& rows) { return part_section().fill(rows); }
Table make_leftover_table(const std::vector<ComparisonLeftover>& rows) { return leftover_section().fill(rows); }

}  // namespace nongemm
