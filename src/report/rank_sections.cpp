#include "report/rank_sections.h"

#include <cmath>
#include <limits>
#include <utility>

#include "report/section_fields.h"

namespace nongemm {
namespace {

/// One rank, all its collectives together.
struct RankRow {
  std::string_view phase;
  std::size_t rank = 0;
  double wall_s = 0;
  double busy_s = 0;
  RankCollective sum;
  ClockOffset clock;
  double device_clock_s = kNaN;
};

struct RankGroup {
  std::string_view phase;
  std::size_t rank = 0;
  Group group = Group::kOther;
  double time_s = 0;
  double wall_s = 0;
};

/// A row of the analysis, with its phase.
template <typename Row>
struct OfPhase : Row {
  std::string_view phase;
};

template <typename Row>
std::vector<OfPhase<Row>> of_phases(const std::vector<RankFigures>& phases, std::vector<Row> RankWaits::*rows) {
  std::vector<OfPhase<Row>> all;
  for (const RankFigures& figures : phases) {
    for (const Row& row : figures.waits->*rows) all.push_back({row, figures.phase});
  }
  return all;
}

template <typename Row>
Field<Row> phase_field() {
  return {{"phase", "Phase", Unit::kText, "of a text generation: prefill, decode"},
          [](const Row& row) { return text_if_any(row.phase); }};
}

template <typename Row>
Field<Row> rank_field() {
  return {{"rank", "Rank", Unit::kCount, "its number"},
          [](const Row& row) { return count(static_cast<std::int64_t>(row.rank)); }};
}

void add_rank_rows(const RankFigures& figures, std::vector<RankRow>& rows) {
  for (std::size_t rank = 0; rank < figures.waits->wall_s.size(); ++rank) {
    RankRow row{figures.phase, rank, figures.waits->wall_s[rank], 0, {}, figures.clocks->at(rank)};
    row.busy_s = rank < figures.waits->busy_s.size() ? figures.waits->busy_s[rank] : kNaN;
    if (!figures.waits->device_clock_s.empty()) row.device_clock_s = figures.waits->device_clock_s[rank];
    for (const RankCollective& one : figures.waits->collectives) {
      if (one.rank != rank) continue;
      row.sum.time_s += one.time_s;
      row.sum.transfer_s += one.transfer_s;
      row.sum.waiting_s += one.waiting_s;
      row.sum.hidden_s += one.hidden_s;
    }
    rows.push_back(std::move(row));
  }
}

const Section<RankRow>& rank_section() {
  using R = RankRow;
  static const Section<R> section(
      {.id = "ranks",
       .title = "Ranks",
       .doc = "Each rank in the same inferences: its collectives, the time of which moves bytes or waits for the last "
              "rank to come.",
       .report = ReportKind::kPerformance,
       .columns = {}},
      {
          phase_field<R>(),
          rank_field<R>(),
          {{"wall", "Inference", Unit::kSeconds, "wall time with records, mean"},
           [](const R& r) { return measured(r.wall_s); }},
          {{"work", "Other work", Unit::kSeconds, "in anything but collectives alone"},
           [](const R& r) { return measured(r.busy_s - r.sum.exposed_s()); }},
          {{"idle", "Idle", Unit::kSeconds,
            "in nothing at all: with other work and what is exposed it is the wall time"},
           [](const R& r) { return measured(r.wall_s - r.busy_s); }},
          {{"collectives", "Collectives", Unit::kSeconds, "from the call to the result, an inference"},
           [](const R& r) { return measured(r.sum.time_s); }},
          {{"transfer", "Transfer", Unit::kSeconds, "of that, from when the last rank had come"},
           [](const R& r) { return measured(r.sum.transfer_s); }},
          {{"waiting", "Waiting for a rank", Unit::kSeconds, "of that, until the last rank had come"},
           [](const R& r) { return measured(r.sum.waiting_s); }},
          {{"exposed", "Exposed", Unit::kSeconds, "of that, while the rank did nothing else"},
           [](const R& r) { return measured(r.sum.exposed_s()); }},
          {{"hidden", "Hidden", Unit::kSeconds, "of that, behind other work of the rank"},
           [](const R& r) { return measured(r.sum.hidden_s); }},
          {{"clock", "Clock ahead", Unit::kSeconds, "of the first rank's; taken off", true},
           [](const R& r) { return measured(static_cast<double>(r.clock.offset_ns) * 1e-9); }},
          {{"clock_within", "Clock within", Unit::kSeconds, "what that was measured to", true},
           [](const R& r) { return measured(static_cast<double>(r.clock.within_ns) * 1e-9); }},
          {{"device_clock", "Device's clock ahead", Unit::kSeconds,
            "of the first rank's, by the ends of collectives, at which ranks leave together; taken off", true},
           [](const R& r) { return measured(r.device_clock_s); }},
      });
  return section;
}

const Section<OfPhase<RankCollective>>& collective_section() {
  using C = OfPhase<RankCollective>;
  static const Section<C> section(
      {.id = "rank_collectives",
       .title = "Collectives of the ranks",
       .doc = "An inference's collectives, by rank and kind.",
       .report = ReportKind::kPerformance,
       .columns = {}},
      {
          phase_field<C>(),
          rank_field<C>(),
          operator_field<C>(),
          {{"calls", "Calls", Unit::kCount, "an inference"}, [](const C& c) { return count(std::llround(c.calls)); }},
          {{"bytes", "Bytes", Unit::kBytes, "of the results"}, [](const C& c) { return measured(c.bytes); }},
          {{"time", "Time", Unit::kSeconds, "from the call to the result"},
           [](const C& c) { return measured(c.time_s); }},
          {{"transfer", "Transfer", Unit::kSeconds, "from when the last rank had come"},
           [](const C& c) { return measured(c.transfer_s); }},
          {{"byte_rate", "Rate", Unit::kByteRate, "bytes over transfer"},
           [](const C& c) { return measured(rate(c.bytes, c.transfer_s)); }},
          {{"limit", "At the limit", Unit::kSeconds, "the transfer, at the measured limits of collectives", true},
           [](const C& c) { return measured(c.limit_s); }},
          {{"distance", "Times the limit", Unit::kRatio, "transfer over the transfer at the limit"},
           [](const C& c) { return measured(rate(c.transfer_s, c.limit_s)); }},
          {{"waiting", "Waiting for a rank", Unit::kSeconds, "until the last rank had come"},
           [](const C& c) { return measured(c.waiting_s); }},
          {{"exposed", "Exposed", Unit::kSeconds, "while the rank did nothing else"},
           [](const C& c) { return measured(c.exposed_s()); }},
          {{"hidden", "Hidden", Unit::kSeconds, "behind other work of the rank"},
           [](const C& c) { return measured(c.hidden_s); }},
      });
  return section;
}

const Section<OfPhase<RankWait>>& wait_section() {
  using W = OfPhase<RankWait>;
  static const Section<W> section(
      {.id = "rank_waits",
       .title = "What ranks waited for",
       .doc =
           "The waiting of each rank, charged to what the last rank took longer for since the collective before, step "
           "by step. The rows of a rank add up to its waiting; below 0 where the last rank was quicker.",
       .report = ReportKind::kPerformance,
       .most_rows = 12,
       .columns = {}},
      {
          phase_field<W>(),
          rank_field<W>(),
          {{"last", "Waited for", Unit::kCount, "the rank that came last"},
           [](const W& w) { return count(static_cast<std::int64_t>(w.last)); }},
          {{"operator", "Because of", Unit::kText, "what it took longer for"},
           [](const W& w) { return text(w.op.empty() ? "what came before" : std::string_view(w.op)); }},
          group_field<W>(),
          {{"state", "State", Unit::kText, "busy in the operator, or idle before it"},
           [](const W& w) { return text(w.idle ? "idle before" : "busy"); }},
          {{"time", "Time", Unit::kSeconds, "longer by, an inference"}, [](const W& w) { return measured(w.time_s); }},
      });
  return section;
}

const Section<RankGroup>& group_section() {
  using G = RankGroup;
  static const Section<G> section({.id = "rank_groups",
                                   .title = "Groups of the ranks",
                                   .doc = "Time inside nodes by rank and group of their operators.",
                                   .report = ReportKind::kPerformance,
                                   .columns = {}},
                                  {
                                      phase_field<G>(),
                                      rank_field<G>(),
                                      group_field<G>(),
                                      time_field<G>("an inference"),
                                      {{"share", "Share", Unit::kShare, "of the rank's wall time"},
                                       [](const G& g) { return share(g.time_s, g.wall_s); }},
                                  });
  return section;
}

void add_group_rows(const RankFigures& figures, std::vector<RankGroup>& rows) {
  const RankWaits& waits = *figures.waits;
  for (std::size_t rank = 0; rank < waits.groups_s.size(); ++rank) {
    for (std::size_t group = 0; group < waits.groups_s[rank].size(); ++group) {
      if (waits.groups_s[rank][group] <= 0) continue;
      rows.push_back({figures.phase, rank, static_cast<Group>(group), waits.groups_s[rank][group], waits.wall_s[rank]});
    }
  }
}

struct LimitRow {
  std::string_view op;
  CollectivePoint point;
  int ranks = 0;
};

const Section<LimitRow>& limit_section() {
  using L = LimitRow;
  static const Section<L> section(
      {.id = "collective_limits",
       .title = "Limits of collectives",
       .doc = "What collectives took at best between these devices, in measurements of their own; what those of the "
              "model are held against.",
       .report = ReportKind::kNongemm,
       .bulk = true,
       .columns = {}},
      {
          {{"collective", "Collective", Unit::kText, "as the operator table names it"},
           [](const L& l) { return text(l.op); }},
          {{"bytes", "Bytes", Unit::kBytes, "of one rank's operand"},
           [](const L& l) { return measured(l.point.bytes); }},
          {{"time", "Time", Unit::kSeconds, "of one call, no rank waiting for another"},
           [](const L& l) { return measured(l.point.time_s); }},
          {{"bus_rate", "Bus bandwidth", Unit::kByteRate, "what each rank has to send over the time"},
           [](const L& l) { return measured(rate(bus_bytes(l.op, l.point.bytes, l.ranks), l.point.time_s)); }},
      });
  return section;
}

}  // namespace

const std::vector<const SectionInfo*>& rank_section_infos() {
  static const std::vector<const SectionInfo*> kInfos = {&rank_section().info(), &collective_section().info(),
                                                         &wait_section().info(), &group_section().info(),
                                                         &limit_section().info()};
  return kInfos;
}

std::vector<Table> make_rank_tables(const std::vector<RankFigures>& phases) {
  std::vector<RankRow> ranks;
  std::vector<RankGroup> groups;
  for (const RankFigures& figures : phases) {
    add_rank_rows(figures, ranks);
    add_group_rows(figures, groups);
  }
  return {rank_section().fill(ranks), collective_section().fill(of_phases(phases, &RankWaits::collectives)),
          wait_section().fill(of_phases(phases, &RankWaits::waits)), group_section().fill(groups)};
}

Table make_collective_limits_table(const CollectiveLimits& limits) {
  std::vector<LimitRow> rows;
  for (const CollectiveCurve& curve : limits.curves) {
    for (const CollectivePoint& point : curve.points) rows.push_back({curve.op, point, limits.ranks});
  }
  return limit_section().fill(rows);
}

Table make_waits_table(const std::vector<RankWait>& waits) {
  std::vector<OfPhase<RankWait>> rows;
  for (const RankWait& wait : waits) rows.push_back({wait, {}});
  return wait_section().fill(rows);
}

}  // namespace nongemm
