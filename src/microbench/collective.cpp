#include "microbench/collective.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "base/interrupt.h"
#include "base/statistics.h"
#include "microbench/call_graph.h"
#include "profile/device_pass.h"
#include "profile/ranked_session.h"

namespace nongemm::microbench {
namespace {

/// Of each call the collective's own kernel, the last one, on the rank that it took least for: that one came last and
/// did not wait.
std::vector<double> transfers_of(const RankTraces& traces) {
  std::vector<double> transfers;
  for (const std::vector<RankTrace>& rank : traces.by_rank) {
    transfers.resize(rank.size(), std::numeric_limits<double>::infinity());
    for (std::size_t i = 0; i < rank.size(); ++i) {
      if (rank[i].device.empty()) return {};
      const DeviceRecord& last = rank[i].device.back();
      transfers[i] = std::min(transfers[i], static_cast<double>(last.end_ns - last.begin_ns) * 1e-9);
    }
  }
  return transfers;
}

/// Its kernels on a device, with that of the copy that the functional kind makes first; the call and the wait for its
/// result on a host.
void measure_inside(LeadingSession& session, const CallGraph& graph, const PassSettings& settings, bool on_device,
                    CallMeasurement& result) {
  result.how = "wall times";
  result.call_s = result.wall.samples_s;
  if (!on_device) return;
  const NodePass pass = measure_on_device(session, graph.graph, settings, median(result.wall.samples_s));
  session.end_tracing();
  if (pass.averaged == 0) return;
  result.how = pass.how;
  result.call_s = pass.inside_s;
  result.gap_s = pass.gap_s;
  if (const std::vector<double> transfers = transfers_of(session.gather()); !transfers.empty()) {
    result.transfer_s = median(transfers);
  }
  for (const KernelSum& kernel : pass.kernels) result.kernels += kernel.launches;
}

}  // namespace

CallMeasurement measure_collective(const Call& call, Flow& flow, const CallOptions& options) {
  Communicator& ranks = flow.communicator(options.run);
  const CallGraph graph = graph_of(call, 1);
  const std::unique_ptr<Session> session =
      flow.prepare(graph.graph, make_tensors(graph.parameters, options.run.seed), options.run);
  session->set_inputs(make_tensors(graph.inputs, options.run.seed + graph.parameters.size()));
  CallMeasurement result;
  if (ranks.rank() > 0) {
    follow(*session, ranks);
    return result;
  }
  LeadingSession leading(*session, ranks);
  const PassSettings settings{options.policy};
  result.observed = leading.run_for_types();
  std::vector<double> warmup_s = warm_up(leading, settings);
  result.wall = measure_latency(leading, settings);
  result.wall.warmup_s = std::move(warmup_s);
  if (!interrupted()) measure_inside(leading, graph, settings, !options.run.device.is_host(), result);
  end_ranks(ranks);
  result.incomplete = interrupted();
  return result;
}

}  // namespace nongemm::microbench
