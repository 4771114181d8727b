#include "study/quantized_run.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/temporary_folder.h"

namespace nongemm {
namespace {

/// A sweep over these ways of quantizing, all but `skip`.
std::vector<QuantizeScheme> run_with(const std::vector<QuantizeScheme>& schemes, const std::vector<std::string>& skip) {
  const TemporaryFolder folder;
  std::ofstream(folder.path() / "config.json")
      << R"({"model_type": "gpt2", "vocab_size": 50, "n_positions": 16, "n_embd": 8, "n_layer": 1, "n_head": 2})";
  std::vector<Request> points;
  for (const QuantizeScheme scheme : schemes) {
    Request point;
    point.run.model = folder.path().string();
    point.run.options.quantize.scheme = scheme;
    if (scheme != QuantizeScheme::kNone) point.run.options.quantize.skip = skip;
    points.push_back(std::move(point));
  }
  std::vector<QuantizeScheme> run;
  for (const Request& point : with_unquantized(points)) run.push_back(point.run.options.quantize.scheme);
  return run;
}

constexpr QuantizeScheme kAsItIs = QuantizeScheme::kNone;

TEST(QuantizedRun, TheModelAsItIsComesFirstAndOnce) {
  EXPECT_EQ(run_with({QuantizeScheme::kW8, QuantizeScheme::kW4}, {}),
            (std::vector{kAsItIs, QuantizeScheme::kW8, QuantizeScheme::kW4}));
  EXPECT_EQ(run_with({kAsItIs, QuantizeScheme::kW8}, {}), (std::vector{kAsItIs, QuantizeScheme::kW8}));
}

TEST(QuantizedRun, NothingIsRunBeforeOneThatCannotBe) {
  EXPECT_EQ(run_with({QuantizeScheme::kW8}, {"nosuch"}), std::vector{QuantizeScheme::kW8});
}

}  // namespace
}  // namespace nongemm
