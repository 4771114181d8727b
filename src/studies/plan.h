// Plans of studies: parts that several share, and what becomes of them by the options on a study's command line.
#pragma once

#include <string>
#include <vector>

#include "spec/option_table.h"
#include "studies/study.h"

namespace nongemm {

/// The paper's models on a device, with the words that they need there: on a GPU language and classification in fp16,
/// as they are deployed, detection and segmentation in fp32, as their libraries load them.
std::vector<PlanPart> paper_parts(const StudySetting& setting, const std::string& device,
                                  const std::vector<std::string>& words);
/// The registry's models that the paper does not have.
std::vector<PlanPart> further_parts(const StudySetting& setting, const std::string& device,
                                    const std::vector<std::string>& words);

/// The same models once for each flow, on the accelerator and, where `host` says so, the CPU.
std::vector<PlanPart> flow_parts(const StudySetting& setting, const std::vector<std::string>& models,
                                 const std::vector<std::string>& words, bool host);

/// How long quick and usual points measure, as words.
std::vector<std::string> measuring(const StudySetting& setting);
std::vector<std::string> joined_words(std::vector<std::string> words, const std::vector<std::string>& more);

/// One Selection of `nongemm run` for each part that is left.
/// @param request its models, flows and devices choose; models that no part has stand in the place of a part's
/// @param over options of `run` that take the place of the plan's; a length does so for models that have one
/// Throws Error(kUsage) when nothing is left, and for a flow or device that the plan has no point of.
std::vector<Selection> selections_of(const OptionTable& table, const std::vector<PlanPart>& parts,
                                     const StudyRequest& request, const Selection& over);

}  // namespace nongemm
