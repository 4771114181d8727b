// The paper's figures beside ours: rows with their difference and, where it is large or ours is missing, the reason.
#pragma once

#include <string>
#include <vector>

#include "studies/evidence.h"
#include "studies/paper.h"

namespace nongemm {

/// What is told apart without a reason: 10 points.
inline constexpr double kClose = 0.10;

/// @param reason of a difference of more than kClose
/// @param missing why there is no figure of ours
StudyShareRow share_claim(std::string where, std::string what, const ThreeShares& ours, double paper,
                          const std::string& reason, const std::string& missing);
StudyNumberRow number_claim(std::string where, std::string what, std::string unit, double ours, double paper,
                            const std::string& reason, const std::string& missing);

/// What is different about a run than in the paper, as far as it is recorded: the device, dtype, length, waits.
std::string differences_of(const Run& run);
/// The same of several runs that a mean is of.
std::string differences_of(const std::vector<const Run*>& runs);

/// "45.0 %"
std::string percent(double share);
/// "1.3 ms"
std::string duration(double seconds);
/// "3 of the 16 models"
std::string count_of(std::size_t part, std::size_t whole, std::string_view what);

/// Share rows that agree with the paper, those that differ, those without a figure of ours, in a sentence.
StudySentence agreement(const std::vector<StudyShareRow>& rows);

/// Where nothing was measured on a kind of device: what the reader has to know first. Empty otherwise.
std::vector<StudySentence> missing_pieces(const Evidence& evidence);

}  // namespace nongemm
