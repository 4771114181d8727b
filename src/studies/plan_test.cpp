#include "studies/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "flows/load.h"
#include "flows/options.h"
#include "spec/command_line.h"
#include "studies/all_studies.h"
#include "studies/paper.h"

namespace nongemm {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

StudySetting setting(bool quick = false) {
  StudySetting result;
  result.quick = quick;
  for (const FlowDescription* flow : known_flows()) result.flows.emplace_back(flow->name);
  result.has_option = [](const std::string& name) { return option_table().find(kRun, name) != nullptr; };
  return result;
}

std::vector<Request> points_of(const Study& study, const StudySetting& how, const StudyRequest& request = {},
                               const std::vector<std::string>& over = {}) {
  std::vector<Request> points;
  const Selection selection = parse_arguments(option_table(), kStudy,
                                              [&] {
                                                std::vector<std::string> words = {std::string(study.name)};
                                                words.insert(words.end(), over.begin(), over.end());
                                                return words;
                                              }())
                                  .selection;
  const Selection of_run = part_of(selection, [](const Option& option) { return option.is_for(kRun); });
  for (const Selection& part : selections_of(option_table(), study.plan(how), request, of_run)) {
    for (Request& point : option_table().points(kRun, part)) points.push_back(std::move(point));
  }
  return points;
}

std::set<std::string> devices_of(const std::vector<Request>& points) {
  std::set<std::string> devices;
  for (const Request& point : points) devices.insert(to_string(point.run.runtime.device));
  return devices;
}

TEST(StudyPlan, EveryStudyIsAChoiceOfTheOptionAndTheOtherWay) {
  std::vector<std::string> names = {"list"};
  for (const Study* study : studies()) names.emplace_back(study->name);
  EXPECT_EQ(option_table().find(kStudy, "study")->choices, names);
}

TEST(StudyPlan, EveryPlanHasPointsThatTheTableTakes) {
  for (const Study* study : studies()) {
    if (study->not_available != nullptr && !study->not_available(setting()).empty()) continue;
    for (const bool quick : {false, true}) {
      SCOPED_TRACE(std::string(study->name) + (quick ? " quick" : ""));
      EXPECT_THAT(points_of(*study, setting(quick)), Not(IsEmpty()));
    }
  }
}

TEST(StudyPlan, QuickOnesAreSmall) {
  for (const Study* study : studies()) {
    if (study->is_static || (study->not_available != nullptr && !study->not_available(setting()).empty())) continue;
    std::size_t on_host = 0;
    for (const Request& point : points_of(*study, setting(true))) {
      on_host += point.run.runtime.device.is_host() ? 1 : 0;
      EXPECT_LE(point.run.policy.most_seconds, 0.5);
    }
    EXPECT_LE(on_host, 12U) << study->name;
  }
}

TEST(StudyPlan, AccelerationHasEveryModelOfThePaperOnBoth) {
  const std::vector<Request> points = points_of(acceleration_study(), setting());
  for (const std::string& model : paper::model_names()) {
    std::multiset<std::string> where;
    for (const Request& point : points) {
      if (point.run.model == model)
        where.insert(to_string(point.run.runtime.device) + "/" + std::to_string(point.run.options.batch));
    }
    EXPECT_THAT(where, ElementsAre("cpu/1", "cpu/8", "cuda/1", "cuda/8")) << model;
  }
}

TEST(StudyPlan, EveryFlowOfThisProgramIsAsked) {
  for (const Study* study : {&runtimes_study(), &fusion_study(), &launch_study()}) {
    std::set<std::string> flows;
    for (const Request& point : points_of(*study, setting())) flows.insert(point.run.flow);
    EXPECT_EQ(flows.size(), known_flows().size()) << study->name;
  }
}

TEST(StudyPlan, OptionsChooseAmongThePlansPoints) {
  StudyRequest request;
  request.models = {"gpt2", "swin-t"};
  request.devices = {"cpu"};
  const std::vector<Request> points = points_of(acceleration_study(), setting(), request, {"--batch", "2"});
  std::vector<std::string> models;
  for (const Request& point : points) {
    models.push_back(point.run.model);
    EXPECT_EQ(point.run.options.batch, 2);
  }
  EXPECT_THAT(models, testing::UnorderedElementsAre("gpt2", "swin-t"));
  EXPECT_THAT(devices_of(points), ElementsAre("cpu"));
}

TEST(StudyPlan, ModelsThatNoPartHasTakeAPartsPlace) {
  StudyRequest request;
  request.models = {"some/folder"};
  request.devices = {"cpu"};
  const std::vector<Request> points = points_of(scaling_study(), setting(true), request);
  ASSERT_FALSE(points.empty());
  for (const Request& point : points) EXPECT_EQ(point.run.model, "some/folder");
}

TEST(StudyPlan, OtherModelsStandBesideTheStudysOwn) {
  StudyRequest request;
  request.models = {"minilm-l6", "swin-t"};
  request.devices = {"cpu"};
  for (const Study* study : {&acceleration_study(), &runtimes_study()}) {
    std::set<std::string> models;
    for (const Request& point : points_of(*study, setting(true), request)) models.insert(point.run.model);
    EXPECT_THAT(models, ElementsAre("minilm-l6", "swin-t")) << study->name;
  }
}

TEST(StudyPlan, EveryFlowAndDeviceHasToChooseAPoint) {
  StudyRequest request;
  request.flows = {"torch", "ort"};
  EXPECT_THROW(points_of(acceleration_study(), setting(), request), Error);
  EXPECT_NO_THROW(points_of(runtimes_study(), setting(), request));
  request.flows = {};
  request.devices = {"cpu", "cuda:7"};
  EXPECT_THROW(points_of(acceleration_study(), setting(), request), Error);
}

TEST(StudyPlan, NothingLeftIsAnError) {
  StudyRequest request;
  request.flows = {"no-such-flow"};
  EXPECT_THROW(points_of(runtimes_study(), setting(), request), Error);
}

TEST(StudyPlan, AnUnknownStudyNamesTheNearest) {
  try {
    find_study("fussion");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("fusion"));
  }
}

}  // namespace
}  // namespace nongemm
