#include "study/ranked_generation.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "analysis/rank_waits.h"
#include "report/rank_sections.h"
#include "study/ranked_run.h"

namespace nongemm {
namespace {

/// What is made of each of a generation's sessions, which all ranks use first in the same order: their numbers.
template <typename Made>
class Numbered {
 public:
  /// @param make called as make(session, number)
  template <typename Make>
  Made& of(Session& session, Make&& make) {
    for (std::size_t i = 0; i < sessions_.size(); ++i) {
      if (sessions_[i] == &session) return *made_[i];
    }
    sessions_.push_back(&session);
    made_.push_back(make(session, static_cast<std::uint16_t>(made_.size())));
    return *made_.back();
  }
  const std::vector<std::unique_ptr<Made>>& all() const { return made_; }

 private:
  std::vector<Session*> sessions_;
  std::vector<std::unique_ptr<Made>> made_;
};

/// What another rank than the first does with its own.
class Follower {
 public:
  Follower(GenerationGraphs& graphs, GenerationSessions& sessions, const Prompt& prompt, Communicator& ranks)
      : graphs_(graphs), sessions_(sessions), prompt_(prompt), ranks_(ranks) {
    select(sessions_.prompt());
  }

  void obey(const RankOrder& order) {
    const auto step = static_cast<std::int64_t>(order.count);
    switch (order.command) {
      case RankCommand::kBegin:
        return sessions_.begin(prompt_);
      case RankCommand::kToken: {
        ranks_.barrier();
        Session& session = step == 0 ? sessions_.prompt() : sessions_.step(step);
        select(session);
        return session.run_on();
      }
      case RankCommand::kStep:
        return select(sessions_.step(step));
      case RankCommand::kOwnStep:
        if (Session* own = sessions_.own_session(step, std::make_shared<const Graph>(graphs_.step(step)))) select(*own);
        return;
      default:
        return known_.all().at(order.session)->obey(order);
    }
  }

 private:
  void select(Session& session) {
    known_.of(session, [&](Session& own, std::uint16_t) { return std::make_unique<FollowingSession>(own, ranks_); });
  }

  GenerationGraphs& graphs_;
  GenerationSessions& sessions_;
  const Prompt& prompt_;
  Communicator& ranks_;
  Numbered<FollowingSession> known_;
};

}  // namespace

/// The first rank's: what it has its sessions do goes to the other ranks, too.
class RankedGeneration::Leading : public GenerationSteps {
 public:
  Leading(GenerationSessions& own, Communicator& ranks) : own_(own), ranks_(ranks) { lead(own_.prompt()); }

  void begin(const Prompt& prompt) override {
    tell(RankCommand::kBegin);
    own_.begin(prompt);
  }
  void align(std::int64_t step) override {
    tell(RankCommand::kToken, step);
    ranks_.barrier();
    aligned_ = step;
  }
  Session& prompt() override {
    LeadingSession& session = lead(own_.prompt());
    if (std::exchange(aligned_, kNone) == 0) session.announced();
    return session;
  }
  Session& step(std::int64_t step) override {
    const bool aligned = std::exchange(aligned_, kNone) == step;
    if (!aligned) tell(RankCommand::kStep, step);
    LeadingSession& session = lead(own_.step(step));
    if (aligned) session.announced();
    return session;
  }
  Session* own_session(std::int64_t step, std::shared_ptr<const Graph> graph) override {
    tell(RankCommand::kOwnStep, step);
    Session* own = own_.own_session(step, std::move(graph));
    return own != nullptr ? &lead(*own) : nullptr;
  }
  HostTensor token(Session& session) const override { return own_.token(static_cast<LeadingSession&>(session).own()); }

  LeadingSession& of_prompt() { return *known_.all().front(); }
  /// Of the step that was measured; nullptr for none.
  LeadingSession* of_step() {
    const auto& all = known_.all();
    for (auto session = all.begin() + 1; session != all.end(); ++session) {
      if ((*session)->has_traces()) return session->get();
    }
    return nullptr;
  }

 private:
  static constexpr std::int64_t kNone = -1;

  void tell(RankCommand command, std::int64_t step = 0) {
    ranks_.from_first(RankOrder{.command = command, .count = static_cast<std::uint32_t>(step)}.packed());
  }
  LeadingSession& lead(Session& session) {
    return known_.of(session, [&](Session& own, std::uint16_t number) {
      return std::make_unique<LeadingSession>(own, ranks_, number);
    });
  }

  GenerationSessions& own_;
  Communicator& ranks_;
  std::int64_t aligned_ = kNone;
  Numbered<LeadingSession> known_;
};

RankedGeneration::RankedGeneration(const RunSpec& spec, GenerationGraphs& graphs, GenerationSessions& sessions,
                                   Flow& flow, const RunOptions& options)
    : graphs_(graphs), sessions_(sessions), ranks_(meet_ranks(spec, *graphs.prompt(), flow, options)) {
  if (ranks_ == nullptr) return;
  limits_ = collective_limits_of(*ranks_, spec, options);
  if (ranks_->rank() == 0) leading_ = std::make_unique<Leading>(sessions, *ranks_);
}

RankedGeneration::~RankedGeneration() = default;

bool RankedGeneration::follows(const Prompt& prompt) {
  if (ranks_ == nullptr || leading_ != nullptr) return false;
  Follower follower(graphs_, sessions_, prompt, *ranks_);
  follow_orders(*ranks_, [&](const RankOrder& order) { follower.obey(order); });
  return true;
}

GenerationSteps& RankedGeneration::steps() {
  return leading_ != nullptr ? static_cast<GenerationSteps&>(*leading_) : sessions_;
}

void RankedGeneration::finish(const Record& record, Point& point) {
  if (leading_ == nullptr) return;
  struct Compared {
    PhaseKind kind;
    RankTraces traces;
    RankWaits waits;
  };
  std::vector<Compared> compared;
  const auto compare = [&](PhaseKind kind, LeadingSession* session) {
    const Phase* phase = record.find(kind);
    if (phase == nullptr || session == nullptr) return;
    RankTraces traces = session->gather();
    RankWaits waits = rank_waits(traces, *record.entries[phase->entry].graph, limits_ ? &*limits_ : nullptr);
    if (waits.inferences > 0) compared.push_back({kind, std::move(traces), std::move(waits)});
  };
  compare(PhaseKind::kPrefill, &leading_->of_prompt());
  compare(PhaseKind::kDecode, leading_->of_step());
  end_ranks(*ranks_);
  if (compared.empty()) return;
  std::vector<RankFigures> phases;
  for (const Compared& one : compared) phases.push_back({name_of(one.kind), &one.waits, &one.traces.clocks});
  std::vector<Table> tables = make_rank_tables(phases);
  if (limits_) tables.push_back(make_collective_limits_table(*limits_));
  // Behind what tells the phases apart.
  const auto at = std::find_if(point.tables.begin(), point.tables.end(),
                               [](const Table& table) { return table.info->id == "phase_groups"; });
  point.tables.insert(at == point.tables.end() ? at : at + 1, std::make_move_iterator(tables.begin()),
                      std::make_move_iterator(tables.end()));
}

}  // namespace nongemm
