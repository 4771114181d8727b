// Text generation as passes over one cache: the prompt's, then one for each token. Which graphs these are, and the
// sessions that run them over one set of weights. What drives them is verify/ and profile/.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "flows/flow.h"
#include "generate/growth.h"
#include "generate/open_sizes.h"
#include "generate/prompt.h"
#include "prepare/model.h"

namespace nongemm {

/// What is generated, for how many samples of which length.
struct GenerationPlan {
  std::int64_t batch = 1;
  std::int64_t prompt = 0;         // tokens per sample, padding on the left included
  std::int64_t tokens = 0;         // new ones per sample, at least one
  std::int64_t least_padding = 0;  // of the prompt's tokens, in the sample with the fewest
  CacheKind cache = CacheKind::kDynamic;
  Sampling sampling = {};
  bool replayable = false;  // see GenerationPass

  /// Tokens whose keys and values are cached: those of the last one never are.
  std::int64_t cached() const { return prompt + tokens - 1; }
};

/// The graphs of a model's passes. Step 0 is the prompt's pass, which makes the first token; step i makes token i.
class GenerationGraphs {
 public:
  /// Throws Error(kUsage) for a model that generates no text or a plan that does not fit into its positions.
  /// @param options what the model is built for; batch, sequence and pass are the plan's
  /// @param place the rank whose part of the model it is, where several share it
  GenerationGraphs(Model model, ModelOptions options, const GenerationPlan& plan, RankPlace place = {});

  const GenerationPlan& plan() const { return plan_; }
  const Model& model() const { return model_; }
  const std::shared_ptr<const Graph>& prompt() const { return prompt_; }
  /// The graph of a step after the prompt's, sizes as they are in that very step.
  Graph step(std::int64_t step) const;
  /// The graph that stands for a step and others after it.
  const GrowingGraph& growing(std::int64_t step);

 private:
  Model model_;
  ModelOptions options_;
  GenerationPlan plan_;
  RankPlace place_;
  std::shared_ptr<const Graph> prompt_;
  std::map<std::int64_t, GrowingGraph> growing_;  // by their first step
};

/// The prompt's values in the order of the graph's inputs; those of a cache, without data, begin as zeros.
std::vector<HostTensor> prompt_inputs(const GenerationGraphs& graphs, const Prompt& prompt);

/// What drives a generation pass by pass.
class GenerationSteps {
 public:
  virtual ~GenerationSteps() = default;
  /// Begins anew: the cache is empty, drawn tokens are those of the seed.
  virtual void begin(const Prompt& prompt) = 0;
  /// Before the pass of a step whose time is taken, and no part of it: several ranks come together.
  virtual void align(std::int64_t /*step*/) {}
  virtual Session& prompt() = 0;
  /// The session of a step, set to its sizes. It stays, for this step and all that its graph stands for.
  virtual Session& step(std::int64_t step) = 0;
  /// A session of its own for a step whose graph states that step's sizes; nullptr where the one of step() does as
  /// well: its sizes do not grow, or it finds them in its inputs.
  virtual Session* own_session(std::int64_t step, std::shared_ptr<const Graph> graph) = 0;
  /// Of the last run of a session: [batch, 1] int64
  virtual HostTensor token(Session& session) const = 0;
};

/// Sessions of the passes, over the weights of the first.
class GenerationSessions : public GenerationSteps {
 public:
  /// @param weights in the order of the prompt graph's stored_weights()
  GenerationSessions(GenerationGraphs& graphs, Flow& flow, const std::vector<HostTensor>& weights,
                     const RunOptions& options);

  void begin(const Prompt& prompt) override;
  Session& prompt() override { return *prompt_; }
  Session& step(std::int64_t step) override;
  Session* own_session(std::int64_t step, std::shared_ptr<const Graph> graph) override;
  HostTensor token(Session& session) const override { return session.output(places_.at(&session).token); }
  /// Of the last run of a session.
  HostTensor logits(Session& session) const { return session.output(places_.at(&session).logits); }

 private:
  /// Of Graph::outputs.
  struct Places {
    std::size_t logits, token;
  };

  struct Step {
    OpenGraph open;  // of a flow that takes sizes as inputs; without a graph otherwise
    std::unique_ptr<Session> session;
  };
  struct OwnStep {
    std::shared_ptr<const Graph> graph;
    std::unique_ptr<Session> session;
  };
  Step make_step(const GrowingGraph& growing);

  GenerationGraphs& graphs_;
  std::uint64_t seed_;
  std::unique_ptr<Session> prompt_;
  std::map<const GrowingGraph*, Step> steps_;
  std::vector<OwnStep> own_;
  std::map<const Session*, Places> places_;
};

}  // namespace nongemm
