#include "compare/estimate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "compare/student.h"

namespace nongemm {
namespace {

using testing::ElementsAre;

TEST(Student, AgreesWithTables) {
  EXPECT_NEAR(student_bound(0.95, 1), 12.7062047, 1e-6);
  EXPECT_NEAR(student_bound(0.95, 4), 2.7764451, 1e-6);
  EXPECT_NEAR(student_bound(0.99, 8), 3.3553873, 1e-6);
  EXPECT_NEAR(student_bound(0.95, 1e6), 1.9599640, 1e-4);
  EXPECT_NEAR(student_tail(2.0, 10), 0.0366940, 1e-6);
  EXPECT_NEAR(student_tail(-2.0, 10), 1 - 0.0366940, 1e-6);
  EXPECT_DOUBLE_EQ(student_tail(0, 3), 0.5);
}

/// Processes whose medians have this spread, with samples that spread as much again.
ProcessSamples processes(int count, double seconds, double spread, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal(0, spread);
  ProcessSamples all;
  for (int p = 0; p < count; ++p) {
    const double own = seconds * std::exp(normal(random));
    std::vector<double>& samples = all.emplace_back();
    for (int i = 0; i < 11; ++i) samples.push_back(own * std::exp(normal(random)));
  }
  return all;
}

TEST(Estimate, OfConstantsIsExact) {
  const ProcessSamples base(4, std::vector<double>(5, 0.002));
  const ProcessSamples fresh(4, std::vector<double>(5, 0.003));
  const Estimate estimate = estimate_ratio(base, fresh, {});
  EXPECT_DOUBLE_EQ(estimate.base, 0.002);
  EXPECT_DOUBLE_EQ(estimate.ratio, 1.5);
  EXPECT_NEAR(estimate.low, 1.5, 1e-12);
  EXPECT_NEAR(estimate.high, 1.5, 1e-12);
  EXPECT_LT(estimate.p_value, 1e-12);
  EXPECT_EQ(verdict_of(estimate, 0.03), Verdict::kSlower);
  EXPECT_EQ(verdict_of(estimate_ratio(fresh, base, {}), 0.03), Verdict::kFaster);
  EXPECT_EQ(verdict_of(estimate_ratio(base, base, {}), 0.03), Verdict::kSame);
}

TEST(Estimate, WithoutSamplesIsNotComparable) {
  EXPECT_EQ(verdict_of(estimate_ratio({}, {{1.0}}, {}), 0.03), Verdict::kNotComparable);
  EXPECT_EQ(verdict_of(estimate_ratio({{0.0}}, {{1.0}}, {}), 0.03), Verdict::kNotComparable);
  EXPECT_EQ(verdict_of(estimate_ratio({{NAN}}, {{1.0}}, {}), 0.03), Verdict::kNotComparable);
}

TEST(Estimate, OneProcessHasTheSpreadThatIsAssumed) {
  const ProcessSamples one(1, std::vector<double>(20, 1.0));
  const Estimate estimate = estimate_ratio(one, one, {});
  EXPECT_TRUE(estimate.assumed);
  EXPECT_NEAR(std::log(estimate.high), 1.96 * 0.02 * std::sqrt(2.0), 1e-4);
  EXPECT_EQ(verdict_of(estimate, 0.03), Verdict::kUndecided);
  EXPECT_GT(processes_needed(estimate, 0.03), 1);
}

TEST(Estimate, DriftThatBothSidesShareIsTakenOutInTurns) {
  ProcessSamples base;
  ProcessSamples fresh;
  for (int turn = 0; turn < 8; ++turn) {
    const double drift = 1 + 0.1 * turn;
    base.push_back({drift, drift, drift});
    fresh.push_back({1.1 * drift, 1.1 * drift, 1.1 * drift});
  }
  EXPECT_EQ(verdict_of(estimate_ratio(base, fresh, {}), 0.03), Verdict::kUndecided);
  const Estimate in_turns = estimate_ratio(base, fresh, {.in_turns = true});
  EXPECT_NEAR(in_turns.ratio, 1.1, 1e-12);
  EXPECT_EQ(verdict_of(in_turns, 0.03), Verdict::kSlower);
}

/// How often of 60 times a verdict is given where the truth is `ratio`.
double share_of(Verdict verdict, double ratio, int count, bool in_turns) {
  int given = 0;
  for (std::uint64_t trial = 0; trial < 60; ++trial) {
    const Estimate estimate = estimate_ratio(processes(count, 1.0, 0.02, 2 * trial),
                                             processes(count, ratio, 0.02, 2 * trial + 1), {.in_turns = in_turns});
    given += verdict_of(estimate, 0.03) == verdict ? 1 : 0;
  }
  return given / 60.0;
}

TEST(Estimate, FalseAlarmsAreRareAndTrueChangesAreFound) {
  for (const bool in_turns : {false, true}) {
    EXPECT_LE(share_of(Verdict::kSlower, 1.0, 5, in_turns), 0.02);
    EXPECT_LE(share_of(Verdict::kFaster, 1.0, 5, in_turns), 0.02);
    // At the very edge of the tolerance half of the doubt is on this side.
    EXPECT_LE(share_of(Verdict::kSlower, 1.03, 5, in_turns), 0.05);
    EXPECT_GE(share_of(Verdict::kSlower, 1.10, 10, in_turns), 0.95);
    // Medians of 32 medians that spread 2.1 % have a standard error of 0.67 % for the ratio, and the bootstrap makes it
    // 0.71: "same" within 3 % needs a ratio within 1.5 %, 2.3 deviations, which 98 of 100 are. Of 25 it would be 92.
    EXPECT_GE(share_of(Verdict::kSame, 1.0, 32, in_turns), 0.9);
  }
}

TEST(Rejected, IsBenjaminiAndHochbergs) {
  // Their own example of 15 p-values: the first four are rejected at 5 %.
  const std::vector<double> p = {0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344,
                                 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000};
  const std::vector<bool> sure = rejected(p, 0.05);
  for (std::size_t i = 0; i < p.size(); ++i) EXPECT_EQ(sure[i], i < 4) << i;
  EXPECT_THAT(rejected(std::vector{0.04, 0.03}, 0.05), ElementsAre(true, true));
  EXPECT_TRUE(rejected({}, 0.05).empty());
}

}  // namespace
}  // namespace nongemm
