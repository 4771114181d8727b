// Static figures of every model of the registry at its defaults, in a committed table: parameters, operations, bytes
// and nodes by group. No change of the program changes them unnoticed.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

#include "analysis/analysis.h"
#include "golden.h"
#include "ops/group.h"
#include "prepare/model.h"

namespace nongemm {
namespace {

std::string figures_of(const std::string& name) {
  const Analysis analysis = analyse(record_of(build_graph(find_model(name), {})), {});
  const Cost known = analysis.total.known();
  std::string line = fmt::format("{}\t{}\t{:.17g}\t{:.17g}\t{:.17g}\t{}\t{}\t{}\t", name, analysis.parameters,
                                 known.flops, known.bytes_read, known.bytes_written, analysis.total.without_flops(),
                                 analysis.total.without_bytes(), analysis.nodes.size());
  std::map<std::string, std::int64_t> nodes;
  for (const Bucket& group : analysis.groups) nodes[group.name] += group.nodes;
  const char* comma = "";
  for (const auto& [group, count] : nodes) {
    line += fmt::format("{}{} {}", comma, group, count);
    comma = ", ";
  }
  return line + "\n";
}

TEST(StaticFigures, OfTheWholeRegistryAreThoseOfTheTable) {
  std::string table =
      "model\tparameters\tflops\tbytes_read\tbytes_written\tnodes_without_flops\tnodes_without_bytes\tnodes\tby_"
      "group\n";
  for (const std::string& name : registered_names()) table += figures_of(name);
  expect_golden("static_figures.tsv", table);
}

}  // namespace
}  // namespace nongemm
