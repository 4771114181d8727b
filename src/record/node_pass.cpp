#include "record/node_pass.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace nongemm {

double StepPass::total_s() const { return std::accumulate(mean_s.begin(), mean_s.end(), 0.0); }

NodePass node_pass_of(const StepPass& steps, std::optional<double> plain_s, std::string how) {
  NodePass pass;
  pass.how = std::move(how);
  pass.wall_s = steps.sum_s;
  pass.inside_s = steps.sum_s;
  pass.averaged = steps.inferences;
  for (const double time : steps.mean_s) pass.nodes.push_back({.device_s = time, .calls = 1});
  pass.device_busy_s = steps.total_s();
  pass.mean_wall_s = std::max(plain_s.value_or(0), pass.device_busy_s);
  pass.outside_s = pass.mean_wall_s - pass.device_busy_s;
  return pass;
}

}  // namespace nongemm
