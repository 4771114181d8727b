// The part of the field table that tells what a runtime made of the graph.
#pragma once

#include <string>
#include <vector>

#include "analysis/fusion.h"
#include "record/output_difference.h"
#include "report/field.h"

namespace nongemm {

/// One deployment flow of a point that ran in several.
struct FlowFigures {
  std::string flow;
  double latency_s = 0;
  double wall_s = 0;
  double gemm_s = 0;
  double nongemm_s = 0;
  double memory_s = 0;  // layout and movement
  double communication_s = 0;
  double idle_s = 0;  // device waits; 0 on a host
  double outside_s = 0;
  std::int64_t steps = 0;
  std::optional<double> fusion_rate;
};

FlowFigures flow_figures(const std::string& flow, double latency_s, const Analysis& analysis,
                         const FusionAnalysis* fusion);

const std::vector<const SectionInfo*>& fusion_section_infos();

std::vector<Table> make_fusion_tables(const FusionAnalysis& fusion);
Table make_check_table(const std::vector<OutputDifference>& outputs);
Table make_flows_table(const std::vector<FlowFigures>& flows);

}  // namespace nongemm
