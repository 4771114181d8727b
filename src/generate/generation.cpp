#include "generate/generation.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/error.h"
#include "base/text.h"

namespace nongemm {
namespace {

/// What a model has to be.
void check_model(const Model& model) {
  if (model.architecture != nullptr && model.architecture->generates) return;
  std::string why = "it is no decoder with a cache that is built in";
  if (model.file) why = "a .pt2 or .onnx file has one entry, without a cache";
  std::string known;
  for (const Architecture* architecture : architectures()) {
    if (architecture->generates) known += (known.empty() ? "" : ", ") + std::string(architecture->model_type);
  }
  throw Error(ErrorKind::kUsage, model.name + " generates no text: " + why,
              "leave --generate out, or take a model of one of these: " + known);
}

void check_plan(const GenerationPlan& plan) {
  if (plan.prompt < 1) throw Error(ErrorKind::kUsage, "a prompt of no tokens", "give --prompt 1 or more");
  if (plan.tokens < 1) throw Error(ErrorKind::kUsage, "no token to generate", "give --generate 1 or more");
}

std::size_t output_of(const Graph& graph, std::string_view name) {
  const auto at = std::find_if(graph.outputs.begin(), graph.outputs.end(),
                               [&](const Output& output) { return output.name == name; });
  if (at == graph.outputs.end()) throw Error(ErrorKind::kFailed, "the pass has no output " + std::string(name));
  return static_cast<std::size_t>(at - graph.outputs.begin());
}

/// A mask of the prompt, with ones for all that is generated where it has to be as long as a static cache.
HostTensor mask_of(const Prompt& prompt, const Shape& shape) {
  auto [mask, bytes] = HostTensor::allocate(DType::kInt64, shape);
  auto* out = reinterpret_cast<std::int64_t*>(bytes);
  std::fill_n(out, element_count(shape), 1);
  if (prompt.mask.data == nullptr) return mask;
  const std::int64_t tokens = prompt.mask.shape.at(1);
  for (std::int64_t row = 0; row < shape[0]; ++row) {
    std::copy_n(prompt.mask.as<std::int64_t>() + row * tokens, tokens, out + row * shape[1]);
  }
  return mask;
}

/// A mask of padding may grow where no argument does.
bool inputs_differ(const Graph& a, const Graph& b) {
  return !std::equal(a.inputs.begin(), a.inputs.end(), b.inputs.begin(), b.inputs.end(),
                     [&](const Input& x, const Input& y) { return a.values[x.value].type == b.values[y.value].type; });
}

}  // namespace

GenerationGraphs::GenerationGraphs(Model model, ModelOptions options, const GenerationPlan& plan, RankPlace place)
    : model_(std::move(model)), options_(std::move(options)), plan_(plan), place_(std::move(place)) {
  check_model(model_);
  check_plan(plan_);
  options_.batch = plan_.batch;
  options_.sequence = plan_.prompt;
  options_.pass = GenerationPass{.cache = plan_.cache,
                                 .prompt = plan_.prompt,
                                 .least_padding = plan_.least_padding,
                                 .longest = plan_.cached(),
                                 .sampling = plan_.sampling,
                                 .replayable = plan_.replayable};
  prompt_ = std::make_shared<const Graph>(build_graph(model_, options_, place_));
}

Graph GenerationGraphs::step(std::int64_t step) const {
  ModelOptions options = options_;
  options.sequence = 1;
  options.pass->past = plan_.prompt + step - 1;
  return build_graph(model_, options, place_);
}

const GrowingGraph& GenerationGraphs::growing(std::int64_t step) {
  const auto after = growing_.upper_bound(step);
  if (after != growing_.begin()) {
    const GrowingGraph& before = std::prev(after)->second;
    if (step <= before.last) return before;
  }
  const auto build = [this](std::int64_t at) { return this->step(at); };
  return growing_[step] = growing_graph(build, step, std::max(step, plan_.tokens - 1));
}

std::vector<HostTensor> prompt_inputs(const GenerationGraphs& graphs, const Prompt& prompt) {
  const Graph& graph = *graphs.prompt();
  std::vector<HostTensor> inputs;
  for (const Input& input : graph.inputs) {
    const Type& type = graph.values[input.value].type;
    if (input.name == "input_ids") {
      inputs.push_back(prompt.ids);
    } else if (input.name == "attention_mask") {
      inputs.push_back(mask_of(prompt, type.shape));
    } else {
      inputs.push_back({.dtype = type.dtype, .shape = type.shape, .data = nullptr});
    }
  }
  return inputs;
}

GenerationSessions::GenerationSessions(GenerationGraphs& graphs, Flow& flow, const std::vector<HostTensor>& weights,
                                       const RunOptions& options)
    : graphs_(graphs), seed_(options.seed), prompt_(flow.prepare(*graphs.prompt(), weights, options)) {
  const Graph& graph = *graphs.prompt();
  places_[prompt_.get()] = {output_of(graph, "logits"), output_of(graph, "present.token")};
}

void GenerationSessions::begin(const Prompt& prompt) {
  prompt_->set_inputs(prompt_inputs(graphs_, prompt));
  prompt_->seed(seed_);
}

GenerationSessions::Step GenerationSessions::make_step(const GrowingGraph& growing) {
  Step step;
  const Graph* graph = growing.graph.get();
  if (!prompt_->can_change_arguments() && growing.last > growing.first) {
    const Graph last = graphs_.step(growing.last);
    if (!growing.growth.empty() || inputs_differ(*graph, last)) {
      step.open = open_sizes(growing, last);
      graph = step.open.graph.get();
    }
  }
  step.session = prompt_->entry(*graph);
  places_[step.session.get()] = {output_of(*graph, "logits"), output_of(*graph, "present.token")};
  return step;
}

Session& GenerationSessions::step(std::int64_t step) {
  const GrowingGraph& growing = graphs_.growing(step);
  auto known = steps_.find(&growing);
  if (known == steps_.end()) known = steps_.emplace(&growing, make_step(growing)).first;
  Session& session = *known->second.session;
  const OpenGraph& open = known->second.open;
  if (open.graph != nullptr) {
    session.set_sizes(sizes_at(open, step - growing.first));
  } else if (!growing.growth.empty()) {
    session.change_arguments(changes_at(*growing.graph, growing.growth, step - growing.first));
  }
  return session;
}

Session* GenerationSessions::own_session(std::int64_t step, std::shared_ptr<const Graph> graph) {
  const bool changes = !graphs_.growing(step).growth.empty() && prompt_->can_change_arguments();
  if (!changes) return nullptr;
  std::unique_ptr<Session> session = prompt_->entry(*graph);
  return own_.emplace_back(OwnStep{std::move(graph), std::move(session)}).session.get();
}

}  // namespace nongemm
