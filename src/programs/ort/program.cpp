#include "programs/ort/program.h"

#include <set>

namespace nongemm::ort_flow {

NodeId Program::add_step(const ProfiledNode& node, Waiting& waiting, RuntimeProgram& ordered) const {
  std::deque<std::size_t>* same = &waiting.by_name[node.name];
  // Without a name of its own (out of a function that the runtime put in the place of a node) a step is called by its
  // type and number in profiles. The file has them in the order in which they run.
  if (same->empty() && node.name == node.type + "_" + std::to_string(node.index)) same = &waiting.nameless[node.type];
  if (same->empty()) {
    ordered.nodes.emplace_back();
    ordered.nodes.back().type = node.type;
  } else {
    ordered.nodes.push_back(program_.nodes[same->front()]);
    same->pop_front();
  }
  ordered.nodes.back().name = node.name;
  ordered.nodes.back().provider = node.provider;
  ordered.nodes.back().bytes = node.output_bytes;
  return static_cast<NodeId>(ordered.nodes.size() - 1);
}

void Program::complete(const RunProfile& profile) {
  Waiting waiting;
  for (std::size_t i = 0; i < program_.nodes.size(); ++i) {
    const RuntimeNode& step = program_.nodes[i];
    (step.name.empty() ? waiting.nameless[step.type] : waiting.by_name[step.name]).push_back(i);
  }
  RuntimeProgram ordered;
  ordered.folded = program_.folded;
  for (const ProfiledNode& node : profile.nodes) {
    const Key key(node.name, node.index);
    if (!places_.contains(key)) places_[key] = add_step(node, waiting, ordered);
  }
  std::set<std::size_t> rest;  // in the order of the graph
  for (const auto* steps_of : {&waiting.by_name, &waiting.nameless}) {
    for (const auto& [key, steps] : *steps_of) rest.insert(steps.begin(), steps.end());
  }
  for (const std::size_t step : rest) {
    not_run_[program_.nodes[step].name] = static_cast<NodeId>(ordered.nodes.size());
    ordered.nodes.push_back(program_.nodes[step]);
  }
  program_ = std::move(ordered);
}

std::vector<NodeSpan> Program::spans(const RunProfile& profile) const {
  const std::vector<std::int64_t> own = own_durations(profile.nodes);
  std::vector<NodeSpan> spans;
  spans.reserve(profile.nodes.size());
  for (std::size_t i = 0; i < profile.nodes.size(); ++i) {
    const ProfiledNode& node = profile.nodes[i];
    NodeId step = kNoId;
    if (const auto place = places_.find(Key(node.name, node.index)); place != places_.end()) {
      step = place->second;
    } else if (const auto late = not_run_.find(node.name); late != not_run_.end()) {
      step = late->second;
    }
    if (step == kNoId) continue;
    const std::int64_t begin = (node.begin_us - profile.begin_us) * 1000;
    spans.push_back({step, begin, begin + own[i] * 1000});
  }
  return spans;
}

}  // namespace nongemm::ort_flow
