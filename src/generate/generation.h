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
  GenerationGraphs(Model model, ModelOptions options, const GenerationPlan& plan);

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
  std::shared_ptr<const Graph> prompt_;
  std::map<std::int64_t, GrowingGraph> growing_;  // by their first step
};

/// The prompt's values in the order of the graph's inputs; those of a cache, without data, begin as zeros.
std::vector<HostTensor> prompt_inputs(const GenerationGraphs& graphs, const Prompt& prompt);

/// Sessions of the passes, over the weights of the first.
class GenerationSessions {
 public:
  /// @param weights in the order of the prompt graph's stored_weights()
  GenerationSessions(GenerationGraphs& graphs, Flow& flow, const std::vector<HostTensor>& weights,
                     const RunOptions& options);

  /// Begins anew: the cache is empty, drawn tokens are those of the seed.
  void begin(const Prompt& prompt);
  Session& prompt() { return *prompt_; }
  /// The session of a step, set to its sizes. It stays, for this step and all that its graph stands for.
  Session& step(std::int64_t step);

  /// A session of its own for a step whose graph states that step's sizes and has to outlive it; nothing where the one
  /// of step() does as well: its sizes do not grow, or it finds them in its inputs.
  std::unique_ptr<Session> own_session(std::int64_t step, const Graph& graph);

  /// Of the last run of a session.
  HostTensor logits(Session& session) const { return session.output(places_.at(&session).logits); }
  /// [batch, 1] int64
  HostTensor token(Session& session) const { return session.output(places_.at(&session).token); }

 private:
  /// Of Graph::outputs.
  struct Places {
    std::size_t logits, token;
  };

  struct Step {
    OpenGraph open;  // of a flow that takes sizes as inputs; without a graph otherwise
    std::unique_ptr<Session> session;
  };
  Step make_step(const GrowingGraph& growing);

  GenerationGraphs& graphs_;
  std::uint64_t seed_;
  std::unique_ptr<Session> prompt_;
  std::map<const GrowingGraph*, Step> steps_;
  std::map<const Session*, Places> places_;
};

}  // namespace nongemm
