// Tables I, II and III, and the non-GEMM report: which operators there are, with which traits and shapes. Static:
// graphs are built and nothing is run.
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <map>

#include "studies/all_studies.h"
#include "studies/claims.h"
#include "studies/plan.h"

namespace nongemm {
namespace {

std::vector<PlanPart> plan(const StudySetting& setting) {
  return {{setting.quick ? paper::model_names() : registered_names(), {}}};
}

struct Trait {
  std::string_view column;
  std::string_view name;
};
constexpr std::array kTraits = {Trait{"single_operation", "single operation"},
                                Trait{"single_operand", "single operand"}, Trait{"nonlinear", "non-linear"},
                                Trait{"dynamic", "dynamic"}, Trait{"reduction", "reduction"}};

std::string text_at(const Table& table, std::size_t row, std::string_view column) {
  return to_plain(value_at(table, row, column));
}

/// Rows of all points' `variants`, in the order in which they are met; memory operators as one group.
class Variants {
 public:
  void add(const Point& point, const std::string& model) {
    const Table* table = find_table(point, "variants");
    if (table == nullptr) return;
    std::map<std::string, bool> met;
    for (std::size_t r = 0; r < table->rows.size(); ++r) {
      const std::string title = text_at(*table, r, "group");
      const std::string group = title.starts_with("Memory") ? "Memory" : title;
      const std::string variant = text_at(*table, r, "variant");
      StudyVariantRow& row = row_of(group, variant);
      const auto nodes = static_cast<std::int64_t>(number_at(*table, r, "nodes"));
      row.nodes += nodes;
      if (!met[group + "\n" + variant]) ++row.models;
      met[group + "\n" + variant] = true;
      if (nodes > most_[&row - rows_.data()]) {
        most_[&row - rows_.data()] = nodes;
        row.example_model = model;
        row.example = text_at(*table, r, "example");
        take_traits(*table, r, row);
      }
    }
  }
  std::vector<StudyVariantRow>& rows() { return rows_; }

 private:
  StudyVariantRow& row_of(const std::string& group, const std::string& variant) {
    const auto [at, is_new] = places_.try_emplace(group + "\n" + variant, rows_.size());
    if (is_new) {
      StudyVariantRow row;
      row.group = group;
      row.variant = variant;
      rows_.push_back(std::move(row));
      most_.push_back(0);
    }
    return rows_[at->second];
  }

  static void take_traits(const Table& table, std::size_t r, StudyVariantRow& row) {
    row.traits.clear();
    row.marks = 0;
    for (const Trait& trait : kTraits) {
      const FieldValue value = value_at(table, r, trait.column);
      const bool* has = std::get_if<bool>(&value);
      if (has == nullptr || !*has) continue;
      row.traits += fmt::format("{}{}", row.traits.empty() ? "" : ", ", trait.name);
      ++row.marks;
    }
  }

  std::vector<StudyVariantRow> rows_;
  std::vector<std::int64_t> most_;  // nodes of each row's example
  std::map<std::string, std::size_t> places_;
};

/// Table II's rows come first.
std::vector<StudyVariantRow> with_paper(std::vector<StudyVariantRow> rows, std::vector<std::string>& not_found) {
  std::vector<StudyVariantRow> ordered;
  for (const paper::OperatorFigures& figures : paper::operators()) {
    StudyVariantRow row;
    row.group = figures.group;
    row.variant = figures.name;
    const auto at = std::find_if(rows.begin(), rows.end(), [&](const StudyVariantRow& other) {
      return other.group == figures.group && other.variant == figures.variant;
    });
    if (at != rows.end()) {
      row = *at;
      rows.erase(at);
    } else {
      not_found.emplace_back(figures.name);
    }
    row.paper_models = figures.model;
    row.paper_marks = figures.marks;
    row.paper_example = figures.example;
    ordered.push_back(std::move(row));
  }
  std::stable_sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.nodes > b.nodes; });
  ordered.insert(ordered.end(), rows.begin(), rows.end());
  return ordered;
}

std::vector<StudyNumberRow> parameters(const Evidence& evidence) {
  std::vector<StudyNumberRow> rows;
  for (const paper::ModelFigures& figures : paper::models()) {
    const Run* run = evidence.find([&](const Run& one) { return one.model == figures.model; });
    const std::string said = run == nullptr ? "" : run->point->setting("parameters");
    const double ours = said.empty() ? kNotMeasured : std::stod(said);
    std::string reason = "the registry's checkpoint has another number of parameters";
    if (figures.model == "vit-b") reason = "Table I repeats ViT large's number; ViT-B/16 has 86.6 M";
    rows.push_back(number_claim("Table I", fmt::format("{}: parameters", figures.title), "M", ours * 1e-6,
                                figures.parameters * 1e-6, reason, why_not(run)));
  }
  return rows;
}

StudySentence marks_sentence(const std::vector<StudyVariantRow>& rows) {
  std::size_t there = 0;
  std::size_t same = 0;
  std::vector<std::string> apart;
  for (const StudyVariantRow& row : rows) {
    if (row.paper_marks < 0 || row.models == 0) continue;
    ++there;
    if (row.marks == row.paper_marks) {
      ++same;
    } else {
      apart.push_back(fmt::format("{} ({} here, {} there)", row.variant, row.marks, row.paper_marks));
    }
  }
  std::string text = there == 0 ? "No row of Table II has one of ours yet."
                                : fmt::format("Table II marks as many traits as we do in {}.",
                                              count_of(same, there, "rows that both have"));
  if (!apart.empty()) text += fmt::format(" Others: {}.", fmt::join(apart, ", "));
  return {"Traits", text};
}

std::vector<Table> tables(const Evidence& evidence) {
  Variants variants;
  std::map<std::string, std::size_t> models;
  for (const Run& run : evidence.runs()) {
    if (models[run.model]++ == 0) variants.add(*run.point, run.model);
  }
  std::vector<std::string> not_found;
  const std::vector<StudyVariantRow> rows = with_paper(std::move(variants.rows()), not_found);
  std::map<std::string, std::size_t> groups;
  for (const StudyVariantRow& row : rows) {
    if (row.models > 0) ++groups[row.group];
  }
  std::vector<StudySentence> sentences;
  sentences.push_back(
      {"Found", fmt::format("{} models have {} non-GEMM operators and composite modules in {} groups; Table "
                            "II has {} rows.",
                            models.size(),
                            std::count_if(rows.begin(), rows.end(), [](const auto& row) { return row.models > 0; }),
                            groups.size(), paper::operators().size())});
  sentences.push_back(marks_sentence(rows));
  if (!not_found.empty()) {
    sentences.push_back({"Not found", fmt::format("Of Table II without a row of ours in these models: {}.",
                                                  fmt::join(not_found, ", "))});
  }
  sentences.push_back({"Figures 2 to 4",
                       "Diagrams of operators, models and the bench's structure: they give no figures to "
                       "hold ours against."});
  const std::string machine = evidence.context_of("processor");
  sentences.push_back({"Table III", fmt::format("The paper's platforms are {}. These runs: {}.", paper::kPlatforms,
                                                machine.empty() ? "a machine that was not recorded" : machine)});
  for (StudySentence& sentence : missing_pieces(evidence)) sentences.push_back(std::move(sentence));
  return {make_study_reading_table(sentences), make_study_number_table(parameters(evidence)),
          make_study_variant_table(rows)};
}

}  // namespace

const Study& operators_study() {
  static const Study kStudy{.name = "operators",
                            .title = "Non-GEMM operators of the models",
                            .asks = "Which non-GEMM operators do models have, with which traits and shapes?",
                            .paper = "Tables I to III, Figures 2 to 4",
                            .is_static = true,
                            .plan = plan,
                            .tables = tables};
  return kStudy;
}

}  // namespace nongemm
