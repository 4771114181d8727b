#include "profile/queue_check.h"

#include <array>
#include <cmath>
#include <vector>

#include "record/decomposition.h"

namespace nongemm {

QueueErrors errors_of(const QueuePlan& plan, const QueueSources& sources, std::span<const std::size_t> in,
                      const QueueConstants& constants, std::size_t node_count) {
  QueueErrors errors;
  std::vector<Decomposition> modelled;
  std::vector<Decomposition> recorded;
  for (const std::size_t k : in) {
    const Trace& truth = sources.recorded()[k];
    QueuePlan own = plan;
    for (std::size_t i = 0; i < own.work.size(); ++i)
      own.work[i].duration_ns = static_cast<double>(truth.device[i].end_ns - truth.device[i].begin_ns);
    const Trace model = run_queue(own, truth, constants);
    double sum = 0;
    for (std::size_t i = 0; i < model.device.size(); ++i) {
      sum += std::abs(static_cast<double>(model.device[i].begin_ns - truth.device[i].begin_ns));
    }
    errors.start_ns += sum / static_cast<double>(model.device.size() * in.size());
    modelled.push_back(decompose(model, node_count));
    recorded.push_back(decompose(truth, node_count));
  }
  const Decomposition a = mean_of(modelled);
  const Decomposition b = mean_of(recorded);
  errors.wall_ns = b.wall_ns;
  errors.gap_ns = std::abs(a.head_ns - b.head_ns) + std::abs(a.unattributed.gap_ns - b.unattributed.gap_ns);
  for (std::size_t n = 0; n < a.nodes.size() && n < b.nodes.size(); ++n) {
    errors.gap_ns += std::abs(a.nodes[n].gap_ns - b.nodes[n].gap_ns);
  }
  return errors;
}

QueueErrors check_queue(const QueueSources& sources, std::span<const std::size_t> of, const QueueTimes& times,
                        std::size_t node_count) {
  std::array<std::vector<std::size_t>, 2> halves;
  for (std::size_t i = 0; i < of.size(); ++i) halves[i % 2].push_back(of[i]);
  QueueErrors errors;
  for (const std::size_t half : {0, 1}) {
    const QueuePlan plan = plan_queue(sources, halves[half], times, QueueCondition::kRecorded);
    const QueueErrors found =
        errors_of(plan, sources, halves[1 - half], constants_of(times, QueueCondition::kRecorded), node_count);
    errors.start_ns += found.start_ns / 2;
    errors.gap_ns += found.gap_ns / 2;
    errors.wall_ns += found.wall_ns / 2;
  }
  return errors;
}

}  // namespace nongemm
