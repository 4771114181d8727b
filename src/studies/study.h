// A study: an experiment of the paper, or one beyond it. Which points it runs, and what it makes of what was recorded.
// One file pair and one line in all_studies.h and studies() each.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "report/document.h"
#include "studies/evidence.h"

namespace nongemm {

/// What a plan depends on.
struct StudySetting {
  bool quick = false;
  std::string accelerator = "cuda";  // as --device has it
  std::vector<std::string> flows;    // that exist, installed or not
  /// Whether `nongemm run` has this option.
  bool (*has_option)(const std::string& name) = nullptr;
};

/// A cross product as `nongemm run` takes it: models, and words of a command line.
struct PlanPart {
  std::vector<std::string> models;
  std::vector<std::string> words;
  /// Models that no part has may stand in the place of these.
  bool takes_others = true;
};

struct Study {
  std::string_view name;
  std::string_view title;
  std::string_view asks;   // one sentence
  std::string_view paper;  // "Figures 1 and 5"; empty beyond the paper
  /// Points are only built, not run: `nongemm inspect`.
  bool is_static = false;
  std::vector<PlanPart> (*plan)(const StudySetting& setting) = nullptr;
  /// @param evidence the runs at hand, whichever they are; what is missing is a row with its reason
  std::vector<Table> (*tables)(const Evidence& evidence) = nullptr;
  /// Why it cannot be made here at all; nullptr, or empty where it can.
  std::string (*not_available)(const StudySetting& setting) = nullptr;
};

std::span<const Study* const> studies();
/// Throws Error(kUsage) with the nearest names.
const Study& find_study(const std::string& name);

/// "name  asks (paper)": a line each.
std::string studies_text();

}  // namespace nongemm
