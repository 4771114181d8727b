#include "study/effects.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <set>
#include <string_view>

#include "base/error.h"
#include "prepare/model.h"

namespace nongemm {
namespace {

bool is_of(const Model& model, std::initializer_list<Domain> domains) {
  return model.architecture != nullptr &&
         std::find(domains.begin(), domains.end(), model.architecture->domain) != domains.end();
}

bool has_length(const Model& model) {
  return is_of(model, {Domain::kLanguage, Domain::kSpeech, Domain::kImageGeneration});
}

bool has_pixels(const Model& model) {
  return is_of(model, {Domain::kImageClassification, Domain::kObjectDetection, Domain::kImageSegmentation,
                       Domain::kImageGeneration});
}

/// An option that some models have no use for.
struct OfModels {
  std::string_view option;
  bool (*has_effect)(const Model& model, const RunSpec& run);
  const char* reason;
};

constexpr std::array kOfModels = {
    // A text is cut to it whatever reads the tokens; prepared inputs may lack the tokens.
    OfModels{"seq-len",
             [](const Model& model, const RunSpec& run) {
               return has_length(model) || (model.file && !(run.data.empty() && run.inputs.empty()));
             },
             "no model here has a length of its own to choose"},
    OfModels{"image-size", [](const Model& model, const RunSpec&) { return has_pixels(model); },
             "no model here takes images of a size to choose"},
    OfModels{"detections",
             [](const Model& model, const RunSpec&) {
               return has_pixels(model) && model.architecture->model_type.find("rcnn") != std::string_view::npos;
             },
             "no model here is an R-CNN"},
    OfModels{"attention", [](const Model& model, const RunSpec&) { return model.file == nullptr; },
             "a model's file has the attention that it was exported with"},
    OfModels{"generate",
             [](const Model& model, const RunSpec&) {
               return model.architecture != nullptr && model.architecture->generates;
             },
             "no model here is a decoder with a cache that is built in (gpt2, llama, mistral, qwen3, ...)"},
    OfModels{"input", [](const Model& model, const RunSpec&) { return model.file != nullptr; },
             "no model here is a .pt2 or .onnx file"},
};

/// One that some ways of running have no use for.
struct OfRuns {
  std::string_view option;
  bool (*has_effect)(const Request& point);
  const char* reason;
};

bool prints_operators(const Request& point) { return point.print_stream || point.print_graph; }

bool writes_onnx(const Request& point) { return !point.exported.file.ends_with(".pt2"); }
constexpr const char* kNoOnnx = "a .pt2 file holds PyTorch's operators as they are";

bool generates(const Request& point) { return point.run.generate.tokens > 0; }
/// With prompts whose number and lengths options say.
bool makes_prompts(const Request& point) { return generates(point) && point.run.inputs.empty(); }
constexpr const char* kGivenPrompts = "the prompts of --inputs are as many and as long as they are";

bool goes_to_slurm(const Request& point) { return point.sweep.launcher == "slurm"; }
constexpr const char* kNoSlurm = "points do not go to Slurm; add --launcher slurm";

constexpr std::array kOfRuns = {
    OfRuns{"stop", [](const Request& point) { return !point.run.policy.iterations; }, "--iterations says how many"},
    OfRuns{"warm-up", [](const Request& point) { return !point.run.policy.warmup; }, "--warmup says how many"},
    OfRuns{"remeasure-limits", [](const Request& point) { return point.run.limits; }, "--no-limits measures none"},
    OfRuns{"points-per-task", goes_to_slurm, kNoSlurm},
    OfRuns{"tasks-at-once", goes_to_slurm, kNoSlurm},
    OfRuns{"slurm-options", goes_to_slurm, kNoSlurm},
    OfRuns{"check", [](const Request& point) { return point.run.flow != kBaselineFlow; },
           "the torch flow alone has nothing to be compared with; add --flow"},
    OfRuns{"fuse", [](const Request& point) { return point.run.flow == kBaselineFlow; },
           "other runtimes fuse by themselves; add --flow torch"},
    OfRuns{"tf32", [](const Request& point) { return !point.run.runtime.device.is_host(); },
           "only CUDA devices round operands to TF32; add --device cuda"},
    OfRuns{"prompt", [](const Request& point) { return generates(point); },
           "it is for text generation; add --generate N"},
    OfRuns{"sample", [](const Request& point) { return generates(point); },
           "it is for text generation; add --generate N"},
    OfRuns{"cache", [](const Request& point) { return generates(point); },
           "it is for text generation; add --generate N"},
    OfRuns{"quantize.activations",
           [](const Request& point) { return point.run.options.quantize.scheme == QuantizeScheme::kW8a8; },
           "activations of w8a8 alone have scales to choose; add --quantize w8a8"},
    OfRuns{"quantize.tokens", [](const Request& point) { return !point.run.data.empty(); },
           "perplexity is taken of a text; add --data"},
    OfRuns{"seq-len", [](const Request& point) { return !generates(point); },
           "the prompt's length is --prompt where text is generated"},
    OfRuns{"inputs", [](const Request& point) { return point.run.data.empty(); }, "--data gives the inputs"},
    OfRuns{"prompt", [](const Request& point) { return !generates(point) || makes_prompts(point); }, kGivenPrompts},
    OfRuns{"shortest-prompt", [](const Request& point) { return !generates(point) || makes_prompts(point); },
           kGivenPrompts},
    OfRuns{"batch", [](const Request& point) { return !generates(point) || makes_prompts(point); }, kGivenPrompts},
    OfRuns{"shortest-prompt", [](const Request& point) { return generates(point) && point.run.options.batch > 1; },
           "it is for text generation of several samples; add --generate N and --batch"},
    OfRuns{"check", [](const Request& point) { return !generates(point); },
           "generated tokens are compared by `nongemm verify`"},
    OfRuns{"output", [](const Request& point) { return !prints_operators(point); },
           "--stream and --graph print to standard output"},
    OfRuns{"format", [](const Request& point) { return !prints_operators(point); }, "--stream and --graph print JSON"},
    OfRuns{"opset", writes_onnx, kNoOnnx},
    OfRuns{"simplify", writes_onnx, kNoOnnx},
    OfRuns{"decompose", writes_onnx, kNoOnnx},
    OfRuns{"report", [](const Request& point) { return !prints_operators(point); }, "--stream and --graph print JSON"},
};

[[noreturn]] void refuse(const GivenOption& given, const char* reason) {
  throw Error(ErrorKind::kUsage, fmt::format("{} has no effect: {}", given.option->spelled(), reason), "leave it out");
}

}  // namespace

void check_effects(const Selection& selection, const std::vector<Request>& points) {
  std::set<std::string> names;
  std::vector<Model> models;
  for (const Request& point : points) {
    if (names.insert(point.run.model).second) models.push_back(find_model(point.run.model));
  }
  for (const GivenOption& given : selection) {
    for (const OfModels& row : kOfModels) {
      if (row.option != given.option->name) continue;
      const bool any = std::any_of(models.begin(), models.end(),
                                   [&](const Model& model) { return row.has_effect(model, points.front().run); });
      if (!any) refuse(given, row.reason);
    }
  }
  check_run_effects(selection, points);
}

void check_run_effects(const Selection& selection, const std::vector<Request>& points) {
  for (const GivenOption& given : selection) {
    for (const OfRuns& row : kOfRuns) {
      if (row.option == given.option->name && std::none_of(points.begin(), points.end(), row.has_effect)) {
        refuse(given, row.reason);
      }
    }
  }
}

}  // namespace nongemm
