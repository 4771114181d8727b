#include "profile/stopping.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace nongemm {
namespace {

using testing::HasSubstr;

std::unique_ptr<StoppingRule> rule(const std::string& name, std::map<std::string, double> parameters = {}) {
  return make_rule(stopping_rules(), {name, std::move(parameters)});
}

std::vector<double> spread(int n) {
  std::vector<double> samples;
  for (int i = 0; i < n; ++i) samples.push_back(i % 2 == 0 ? 0.001 : 0.002);
  return samples;
}

TEST(StoppingRule, CountsExactly) {
  const auto three = rule("count", {{"n", 3}});
  EXPECT_FALSE(three->enough(std::vector<double>(2, 1.0)));
  EXPECT_TRUE(three->enough(std::vector<double>(3, 1.0)));
}

TEST(StoppingRule, StopsWhenTheMedianIsKnown) {
  const auto interval = rule("interval");
  EXPECT_FALSE(interval->enough(std::vector<double>(9, 0.01)));
  EXPECT_TRUE(interval->enough(std::vector<double>(10, 0.01)));
}

TEST(StoppingRule, GoesOnWhileSamplesSpreadUntilTheLimit) {
  const auto fifty = rule("interval", {{"most", 50}});
  EXPECT_FALSE(fifty->enough(spread(10)));
  EXPECT_TRUE(fifty->enough(spread(50)));
  const auto slow = rule("interval", {{"width", 0}, {"seconds", 0.01}});
  EXPECT_FALSE(slow->enough(std::vector<double>(2, 0.01)));  // never cut below three
  EXPECT_TRUE(slow->enough(std::vector<double>(3, 0.01)));
}

TEST(StoppingRule, StopsAfterATime) {
  const auto time = rule("time", {{"seconds", 0.5}});
  EXPECT_FALSE(time->enough({}));
  EXPECT_FALSE(time->enough(std::vector<double>(4, 0.1)));
  EXPECT_TRUE(time->enough(std::vector<double>(5, 0.1)));
}

TEST(StoppingRule, ErrorsNameWhatThereIs) {
  const auto reason = [](const RuleChoice& choice) -> std::string {
    try {
      make_rule(stopping_rules(), choice);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage);
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(reason({"entropy"}), HasSubstr("interval, count, time"));
  EXPECT_THAT(reason({"count", {{"width", 1}}}), HasSubstr("it has n, retake"));
  EXPECT_THAT(reason({"count", {{"n", 0}}}), HasSubstr("give 1 to 1e+06"));
}

TEST(MeasuringRules, TextsSayThemAndBack) {
  const RuleChoice choice = parse_rule(stopping_rules(), "interval,width=0.01,most=50");
  EXPECT_EQ(choice.parameters, (std::map<std::string, double>{{"most", 50}, {"width", 0.01}}));
  EXPECT_EQ(to_text(choice), "interval,most=50,width=0.01");
  EXPECT_EQ(to_text(parse_rule(warm_up_rules(), "settle")), "settle");
  for (const char* wrong :
       {"", "entropy", "count,", "count,n", "count,n=", "count,n=1x", "count,width=1", "count,n=0", "count n=1"}) {
    EXPECT_THROW(parse_rule(stopping_rules(), wrong), Error) << wrong;
  }
}

TEST(StoppingRule, EveryRuleOfTheTablesIsMadeWithItsDefaults) {
  for (const auto* rules : {&stopping_rules(), &warm_up_rules()}) {
    for (const RuleInfo& info : *rules) {
      EXPECT_FALSE(info.doc.empty());
      EXPECT_FALSE(make_rule(*rules, {std::string(info.name)})->description().empty());
      for (const RuleParameter& row : info.parameters) {
        EXPECT_LE(row.least, row.preset) << info.name << " " << row.name;
        EXPECT_LE(row.preset, row.most) << info.name << " " << row.name;
        EXPECT_FALSE(row.doc.empty());
      }
    }
  }
}

TEST(MeasurePolicy, ShortFormsStandForRules) {
  MeasurePolicy policy;
  EXPECT_EQ(stop_of(policy).name, "interval");
  policy.most_seconds = 2;
  EXPECT_THAT(rule_for(policy)->description(), HasSubstr("at most 2 s"));
  policy.stop.parameters["seconds"] = 3;
  EXPECT_THAT(rule_for(policy)->description(), HasSubstr("at most 3 s"));
  policy.stop.parameters = {{"retake", 0.5}};
  policy.iterations = 7;
  EXPECT_EQ(rule_for(policy)->description(), "7 iterations");
  EXPECT_EQ(retakes_of(policy), 0.5);
  policy.warmup = 0;
  EXPECT_TRUE(make_rule(warm_up_rules(), warm_up_of(policy))->enough({}));
}

}  // namespace
}  // namespace nongemm
