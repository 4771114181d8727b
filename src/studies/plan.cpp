#include "studies/plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "models/registry.h"
#include "spec/command_line.h"
#include "studies/paper.h"

namespace nongemm {
namespace {

bool has_length(const std::string& model) {
  const RegisteredModel known = find_registered(model);
  return known.architecture == nullptr || known.architecture->domain == Domain::kLanguage;
}

/// Detection and segmentation: run in fp32 on a GPU.
bool is_dense(const std::string& model) {
  const RegisteredModel known = find_registered(model);
  return known.architecture != nullptr && (known.architecture->domain == Domain::kObjectDetection ||
                                           known.architecture->domain == Domain::kImageSegmentation);
}

bool is_large(const std::string& model) {
  constexpr std::int64_t kLarge = 3'000'000'000;
  const RegisteredModel known = find_registered(model);
  return known.row != nullptr && known.row->parameters > kLarge;
}

/// Models of one kind each: what they have in common is said once.
std::vector<PlanPart> parts_of(const std::vector<std::string>& models, const std::string& device,
                               const std::vector<std::string>& words) {
  struct Kind {
    bool (*has)(const std::string& model);
    std::vector<std::string> words;
  };
  const bool host = device == "cpu";
  const std::vector<std::string> half = host ? std::vector<std::string>{} : std::vector<std::string>{"--dtype", "fp16"};
  // Large language models at a length that a CPU ends with, the same everywhere so that the two compare.
  const Kind kinds[] = {
      {is_dense, {}},
      {is_large, joined_words(half, {"--seq-len", "512"})},
      {[](const std::string&) { return true; }, half},
  };
  std::vector<std::string> left = models;
  std::vector<PlanPart> parts;
  for (const Kind& kind : kinds) {
    PlanPart part{{}, joined_words(joined_words({"--device", device}, words), kind.words), false};
    std::erase_if(left, [&](const std::string& model) {
      if (!kind.has(model)) return false;
      part.models.push_back(model);
      return true;
    });
    if (!part.models.empty()) parts.push_back(std::move(part));
  }
  if (!parts.empty()) parts.back().takes_others = true;  // the usual kind
  return parts;
}

const std::vector<std::string>& quick_models() {
  static const std::vector<std::string> kModels = {"vit-b", "swin-t", "segformer", "gpt2", "bert"};
  return kModels;
}

std::string value_in(const std::vector<std::string>& words, const std::string& name, const std::string& otherwise) {
  const auto at = std::find(words.begin(), words.end(), name);
  return at == words.end() || at + 1 == words.end() ? otherwise : *(at + 1);
}

bool has(const std::vector<std::string>& values, const std::string& value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

bool chosen(const std::vector<std::string>& among, const std::string& value) {
  return among.empty() || has(among, value);
}

/// `cuda:0` is cuda.
bool is_chosen_device(const std::vector<std::string>& among, const std::string& device) {
  return among.empty() || std::any_of(among.begin(), among.end(), [&](const std::string& other) {
           return to_string(parse_device(other)) == to_string(parse_device(device));
         });
}

/// The part's models that were asked for, and those that the study does not have, which `others` are.
std::vector<std::string> models_of(const PlanPart& part, const std::vector<std::string>& wanted,
                                   const std::vector<std::string>& others) {
  if (wanted.empty()) return part.models;
  std::vector<std::string> models;
  for (const std::string& model : wanted) {
    if (has(part.models, model) || (part.takes_others && has(others, model))) models.push_back(model);
  }
  return models;
}

bool is_of_device(const PlanPart& part, const std::string& device) {
  return to_string(parse_device(value_in(part.words, "--device", "cpu"))) == to_string(parse_device(device));
}

bool is_of_flow(const PlanPart& part, const std::string& flow) {
  return value_in(part.words, "--flow", kBaselineFlow) == flow;
}

/// Every value of a list has to choose something: one that chooses nothing is a mistake.
void check_chosen(const std::vector<PlanPart>& parts, const char* option, const std::vector<std::string>& values,
                  bool (*chooses)(const PlanPart& part, const std::string& value)) {
  for (const std::string& value : values) {
    if (std::any_of(parts.begin(), parts.end(), [&](const PlanPart& part) { return chooses(part, value); })) continue;
    throw Error(ErrorKind::kUsage, fmt::format("{} {} has no effect: the study has no such point", option, value),
                "--list prints its points");
  }
}

/// Models that were asked for and that no part has.
std::vector<std::string> others_of(const std::vector<PlanPart>& parts, std::vector<std::string> wanted) {
  std::erase_if(wanted, [&](const std::string& model) {
    return std::any_of(parts.begin(), parts.end(), [&](const PlanPart& part) { return has(part.models, model); });
  });
  return wanted;
}

void replace(Selection& selection, const GivenOption& given) {
  std::erase_if(selection, [&](const GivenOption& other) { return other.option == given.option; });
  selection.push_back(given);
}

}  // namespace

std::vector<std::string> joined_words(std::vector<std::string> words, const std::vector<std::string>& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

std::vector<std::string> measuring(const StudySetting& setting) {
  return {"--max-seconds", setting.quick ? "0.5" : "2"};
}

std::vector<PlanPart> paper_parts(const StudySetting& setting, const std::string& device,
                                  const std::vector<std::string>& words) {
  return parts_of(setting.quick ? quick_models() : paper::model_names(), device,
                  joined_words(words, measuring(setting)));
}

std::vector<PlanPart> further_parts(const StudySetting& setting, const std::string& device,
                                    const std::vector<std::string>& words) {
  const std::vector<std::string> known = paper::model_names();
  std::vector<std::string> models = registered_names();
  std::erase_if(models,
                [&](const std::string& model) { return std::find(known.begin(), known.end(), model) != known.end(); });
  return parts_of(models, device, joined_words(words, measuring(setting)));
}

std::vector<PlanPart> flow_parts(const StudySetting& setting, const std::vector<std::string>& models,
                                 const std::vector<std::string>& words, bool host) {
  std::vector<PlanPart> parts;
  std::vector<std::string> devices = {setting.accelerator};
  if (host) devices.insert(devices.begin(), "cpu");
  for (const std::string& device : devices) {
    // All flows of a model one after another: they are held against each other.
    for (const std::string& model : models) {
      for (const std::string& flow : setting.flows) {
        const auto own = joined_words(joined_words({"--flow", flow}, words), measuring(setting));
        for (PlanPart& part : parts_of({model}, device, own)) parts.push_back(std::move(part));
      }
    }
  }
  return parts;
}

std::vector<Selection> selections_of(const OptionTable& table, const std::vector<PlanPart>& parts,
                                     const StudyRequest& request, const Selection& over) {
  check_chosen(parts, "--flow", request.flows, is_of_flow);
  check_chosen(parts, "--device", request.devices, is_of_device);
  const std::vector<std::string> others = others_of(parts, request.models);
  std::vector<Selection> selections;
  for (const PlanPart& part : parts) {
    if (!is_chosen_device(request.devices, value_in(part.words, "--device", "cpu"))) continue;
    if (!chosen(request.flows, value_in(part.words, "--flow", kBaselineFlow))) continue;
    const std::vector<std::string> models = models_of(part, request.models, others);
    if (models.empty()) continue;
    Selection selection = parse_arguments(table, kRun, joined_words(models, part.words)).selection;
    for (const GivenOption& given : over) {
      if (given.option->name == "seq-len" && std::none_of(models.begin(), models.end(), has_length)) continue;
      replace(selection, given);
    }
    selections.push_back(std::move(selection));
  }
  if (selections.empty()) {
    throw Error(ErrorKind::kUsage, "nothing of the study is left by --model, --flow and --device",
                "--list prints its points");
  }
  return selections;
}

}  // namespace nongemm
