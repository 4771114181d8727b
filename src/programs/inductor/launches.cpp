#include "programs/inductor/launches.h"

#include <algorithm>
#include <cctype>
#include <numeric>

#include "base/common_sequence.h"
#include "programs/inductor/kernel_map.h"

namespace nongemm::inductor {
namespace {

constexpr std::size_t kMostDifferences = 2000;

/// A launch that goes on with what the one before began.
bool continues(std::string_view kernel) {
  if (kernel.empty()) return true;  // copies and fills
  const auto has = [&](std::string_view piece) { return kernel.find(piece) != std::string_view::npos; };
  return has("splitKreduce") || has("splitKreduce_kernel") || has("combine") || has("reduce_kernel_splitk");
}

/// Launches [begin, end) among the calls [first, last).
void share_out(std::vector<NodeId>& steps, const std::vector<std::string_view>& kernels, std::size_t begin,
               std::size_t end, NodeId first, NodeId last) {
  if (first == last) return;  // nobody announced them
  const std::size_t calls = last - first;
  const std::size_t launches = end - begin;
  const auto begins = static_cast<std::size_t>(std::count_if(
      kernels.begin() + static_cast<std::ptrdiff_t>(begin), kernels.begin() + static_cast<std::ptrdiff_t>(end),
      [](std::string_view kernel) { return !continues(kernel); }));
  if (begins != calls && launches % calls == 0) {
    for (std::size_t i = 0; i < launches; ++i) steps[begin + i] = first + static_cast<NodeId>(i / (launches / calls));
    return;
  }
  // Several kernels a call where there are more of them than calls; the last call takes what is over.
  const std::size_t each = std::max<std::size_t>(begins / calls, 1);
  std::size_t begun = 0;
  for (std::size_t i = begin; i < end; ++i) {
    if (!continues(kernels[i])) ++begun;
    const std::size_t call = std::min((std::max<std::size_t>(begun, 1) - 1) / each, calls - 1);
    steps[i] = first + static_cast<NodeId>(call);
  }
}

/// Without the number of the graph that it belongs to.
std::string_view plain_call(std::string_view call) {
  constexpr std::string_view kGraph = "graph_";
  if (!call.starts_with(kGraph)) return call;
  std::size_t at = kGraph.size();
  while (at < call.size() && std::isdigit(static_cast<unsigned char>(call[at])) != 0) ++at;
  return at > kGraph.size() && at < call.size() && call[at] == '_' ? call.substr(at + 1) : call;
}

}  // namespace

std::vector<NodeId> CompiledProgram::steps_of_launches(const std::vector<std::string_view>& kernels) const {
  // Compiled kernels of both lists are the fixed points.
  std::vector<std::size_t> compiled_steps;
  std::vector<std::size_t> compiled_launches;
  for (std::size_t i = 0; i < announced_; ++i) {
    if (!is_extern(program_.nodes[i].name)) compiled_steps.push_back(i);
  }
  for (std::size_t i = 0; i < kernels.size(); ++i) {
    if (kernels[i].starts_with("triton_")) compiled_launches.push_back(i);
  }
  const auto pairs = common_sequence(
      compiled_steps.size(), compiled_launches.size(), kMostDifferences, [&](std::size_t step, std::size_t launch) {
        return program_.nodes[compiled_steps[step]].name == kernels[compiled_launches[launch]];
      });
  std::vector<NodeId> steps(kernels.size(), kNoId);
  std::size_t launch = 0;
  std::size_t step = 0;
  const auto fill = [&](std::size_t launch_end, std::size_t step_end) {
    // The calls of a library in between; compiled kernels that were not seen are none.
    while (step < step_end && !is_extern(program_.nodes[step].name)) ++step;
    std::size_t last = step;
    while (last < step_end && is_extern(program_.nodes[last].name)) ++last;
    share_out(steps, kernels, launch, launch_end, static_cast<NodeId>(step), static_cast<NodeId>(last));
  };
  for (const auto& [compiled_step, compiled_launch] : pairs) {
    fill(compiled_launches[compiled_launch], compiled_steps[compiled_step]);
    launch = compiled_launches[compiled_launch];
    step = compiled_steps[compiled_step];
    steps[launch++] = static_cast<NodeId>(step++);
  }
  fill(kernels.size(), announced_);
  for (std::size_t i = 0; i < kernels.size(); ++i) {
    if (steps[i] == kNoId) steps[i] = added_step(kernels[i]);
  }
  return steps;
}

namespace {

/// Whether a call is the step: calls that Inductor does not bracket itself are seen where PyTorch dispatches them,
/// "aten::addmm" for "aoti_torch_cpu_addmm_out".
bool is_call_of(std::string_view call, const RuntimeNode& step) {
  constexpr std::string_view kAten = "aten::";
  call = plain_call(call);
  if (call == step.name) return true;
  if (!call.starts_with(kAten) || !is_extern(step.name)) return false;
  const std::string name(call.substr(kAten.size()));
  return step.type == name || step.type == name + "_out";
}

}  // namespace

std::vector<NodeId> CompiledProgram::steps_of_calls(const std::vector<std::string>& calls) const {
  std::vector<NodeId> steps(calls.size(), kNoId);
  const auto pairs = common_sequence(
      calls.size(), announced_, kMostDifferences,
      [&](std::size_t call, std::size_t step) { return is_call_of(calls[call], program_.nodes[step]); });
  for (const auto& [call, step] : pairs) steps[call] = static_cast<NodeId>(step);
  for (std::size_t i = 0; i < calls.size(); ++i) {
    if (steps[i] == kNoId) steps[i] = added_step(calls[i]);
  }
  return steps;
}

NodeId CompiledProgram::added_step(std::string_view name) const {
  for (std::size_t i = announced_; i < program_.nodes.size(); ++i) {
    if (program_.nodes[i].name == plain_call(name)) return static_cast<NodeId>(i);
  }
  return kNoId;
}

void CompiledProgram::complete(const std::vector<std::string>& names, const std::vector<NodeId>& steps) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (steps[i] != kNoId || names[i].empty() || added_step(names[i]) != kNoId) continue;
    RuntimeNode step;
    step.name = plain_call(names[i]);
    step.type = is_extern(step.name) ? "call" : "kernel";
    program_.nodes.push_back(std::move(step));
  }
}

Launches launches_of(const Trace& trace) {
  Launches launches;
  launches.records.resize(trace.device.size());
  std::iota(launches.records.begin(), launches.records.end(), std::size_t{0});
  std::stable_sort(launches.records.begin(), launches.records.end(),
                   [&](std::size_t a, std::size_t b) { return trace.device[a].launch_ns < trace.device[b].launch_ns; });
  for (const std::size_t i : launches.records) {
    const DeviceRecord& record = trace.device[i];
    launches.kernels.emplace_back(record.name == kNoId ? std::string_view()
                                                       : std::string_view(trace.names[record.name]));
  }
  return launches;
}

void CompiledProgram::assign_launches(Trace& trace) const {
  const Launches launches = launches_of(trace);
  const std::vector<NodeId> steps = steps_of_launches(launches.kernels);
  trace.nodes.clear();
  for (std::size_t i = 0; i < steps.size(); ++i) {
    DeviceRecord& record = trace.device[launches.records[i]];
    record.node = steps[i];
    if (steps[i] == kNoId || record.launch_ns == 0) continue;
    if (trace.nodes.empty() || trace.nodes.back().node != steps[i]) {
      if (!trace.nodes.empty()) trace.nodes.back().end_ns = record.launch_ns;
      trace.nodes.push_back({steps[i], record.launch_ns, record.launch_ns});
    }
    trace.nodes.back().end_ns = record.launch_ns;
    record.span = static_cast<std::uint32_t>(trace.nodes.size() - 1);
  }
}

}  // namespace nongemm::inductor
