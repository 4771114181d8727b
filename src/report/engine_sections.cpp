#include "report/engine_sections.h"

#include "analysis/kernel_class.h"
#include "base/statistics.h"
#include "report/section_fields.h"

namespace nongemm {
namespace {

struct StepClock {
  double latency_s = 0;
  double sum_s = 0;
  double busy_s = kNaN;
};

const Section<StepClock>& clock_section() {
  using C = StepClock;
  static const Section<C> section(
      {.id = "step_clock",
       .title = "Steps by the runtime's own clock",
       .doc =
           "The runtime takes the time of each step in a pass of its own and waits in between, so that steps add up to "
           "more than the latency.",
       .report = ReportKind::kPerformance,
       .single_row = true,
       .columns = {}},
      {
          {{"latency", "Latency (median)", Unit::kSeconds, "nothing recorded"},
           [](const C& c) { return measured(c.latency_s); }},
          {{"steps", "Steps added up", Unit::kSeconds, "mean over the pass"},
           [](const C& c) { return measured(c.sum_s); }},
          {{"excess", "Excess", Unit::kShare, "of the steps over the latency"},
           [](const C& c) { return measured_if(c.latency_s > 0, c.sum_s / c.latency_s - 1.0); }},
          {{"kernels", "Kernels", Unit::kSeconds, "device busy, from kernel records"},
           [](const C& c) { return measured(c.busy_s); }},
      });
  return section;
}

const Section<OpaqueTime>& opaque_section() {
  using O = OpaqueTime;
  static const Section<O> section(
      {.id = "opaque_kernels",
       .title = "Inside fused blocks",
       .doc = "Kernels of the steps of which the runtime does not say what happens inside, told apart by their names.",
       .report = ReportKind::kPerformance,
       .columns = {}},
      {
          {{"kind", "Inside fused blocks", Unit::kText, "class of the kernel's name"},
           [](const O& o) { return text(title_of(o.kind)); }},
          {{"launches", "Launches", Unit::kCount, "of one inference"},
           [](const O& o) -> FieldValue { return static_cast<std::int64_t>(o.launches + 0.5); }},
          time_field<O>("of these kernels"),
          {{"share", "of blocks", Unit::kShare, "of all time inside fused blocks"},
           [](const O& o) { return measured(o.share); }},
          {{"example", "Longest", Unit::kText, "the kernel with the most time"},
           [](const O& o) { return text(o.example); }},
      });
  return section;
}

const Section<KernelSum>& kernel_section() {
  using K = KernelSum;
  static const Section<K> section(
      {.id = "step_kernels",
       .title = "Kernels",
       .doc = "Which kernels the graph's nodes, or the runtime's steps, launch.",
       .report = ReportKind::kNongemm,
       .most_rows = 40,
       .columns = {}},
      {
          {{"step", "Step", Unit::kCount,
            "position of the node in the graph, or of the step in the runtime's program, from 0"},
           [](const K& k) -> FieldValue {
             return k.node == kNoId ? FieldValue{} : FieldValue{static_cast<std::int64_t>(k.node)};
           }},
          {{"kernel", "Kernel", Unit::kText, "its name, or the kind of copy", false, 0, kMostOfName},
           [](const K& k) { return text(k.name); }},
          {{"launches", "Launches", Unit::kRatio, "of one inference"}, [](const K& k) { return measured(k.launches); }},
          {{"time", "Time", Unit::kSeconds, "of one inference"}, [](const K& k) { return measured(k.device_s); }},
      });
  return section;
}

}  // namespace

const std::vector<const SectionInfo*>& engine_section_infos() {
  static const std::vector<const SectionInfo*> kAll = {&clock_section().info(), &opaque_section().info(),
                                                       &kernel_section().info()};
  return kAll;
}

std::vector<Table> make_engine_tables(const Entry& entry, const Phase& phase) {
  const DevicePhase& device = phase.devices.front();
  std::vector<Table> tables;
  if (device.steps) {
    const StepClock row{median(phase.latency.samples_s), device.steps->total_s(),
                        device.nodes.kernel_records ? device.nodes.device_busy_s : kNaN};
    tables.push_back(clock_section().fill(std::span(&row, 1)));
  }
  if (entry.program) {
    const std::vector<OpaqueTime> inside = time_inside_opaque_steps(*entry.program, device.nodes.kernels);
    if (!inside.empty()) tables.push_back(opaque_section().fill(inside));
  }
  if (!device.nodes.kernels.empty()) tables.push_back(kernel_section().fill(device.nodes.kernels));
  return tables;
}

}  // namespace nongemm
