#include "profile/measurement.h"

#include <optional>
#include <utility>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/statistics.h"
#include "profile/device_pass.h"
#include "profile/host_pass.h"
#include "profile/step_times.h"

namespace nongemm {
namespace {

/// Absent where the runtime does not tell.
std::optional<MemoryUse> memory_use(Session& session) {
  try {
    return session.run_for_memory();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kUnsupported) throw;
    return std::nullopt;
  }
}

}  // namespace

Record measure(Session& session, std::shared_ptr<const Graph> graph, const PassSettings& settings, bool on_device) {
  Record record;
  Entry& entry = record.entries.emplace_back();
  entry.graph = std::move(graph);
  record.devices.emplace_back().is_host = !on_device;
  Phase& phase = record.phases.emplace_back();
  DevicePhase& device = phase.devices.emplace_back();
  std::vector<double> warmup_s = warm_up(session, settings);
  device.before = session.device_state();
  phase.latency = measure_latency(session, settings);
  phase.latency.warmup_s = std::move(warmup_s);
  device.after = session.device_state();
  if (!interrupted()) {
    device.nodes = on_device ? measure_on_device(session, *entry.graph, settings, median(phase.latency.samples_s))
                             : measure_on_host(session, traced_nodes(session, *entry.graph), settings);
  }
  session.end_tracing();
  if (!interrupted()) device.steps = measure_steps(session, settings);
  if (!interrupted()) device.memory = memory_use(session);
  if (!interrupted()) entry.observed = session.run_for_types();
  if (const RuntimeProgram* program = session.program()) entry.program = *program;
  record.incomplete = interrupted();
  return record;
}

}  // namespace nongemm
