#include "verify/perplexity.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/elements.h"

namespace nongemm {
namespace {

constexpr std::int64_t kWords = 3;

/// [2, 4, 3]: at each position the logarithms of these probabilities, with something added that changes nothing.
HostTensor logits_of(DType dtype) {
  std::vector<double> values;
  for (int position = 0; position < 8; ++position) {
    for (const double p : {0.5, 0.25, 0.25}) values.push_back(std::log(p) + position);
  }
  return tensor_from(dtype, {2, 4, kWords}, values);
}

const HostTensor kIds = HostTensor::from<std::int64_t>(DType::kInt64, {2, 4}, {0, 0, 1, 2, 1, 0, 0, 0});

data::Sample sample(std::int64_t first, std::int64_t end) {
  data::Sample made;
  made.first_token = first;
  made.end_token = end;
  return made;
}

TEST(Perplexity, IsOfTheTokensAfterTheFirstOfEachBlock) {
  TokenLosses losses;
  losses.add(logits_of(DType::kFloat32), kIds, {sample(0, 4), sample(0, 2)});
  // 0, 1, 2 of the first block and 0 of the second: probabilities 1/2, 1/4, 1/4, 1/2.
  ASSERT_EQ(losses.tokens(), 4);
  EXPECT_NEAR(losses.perplexity()->value, std::pow(2.0, (1 + 2 + 2 + 1) / 4.0), 1e-5);
  losses.add(logits_of(DType::kFloat32), kIds, {sample(0, 2), sample(0, 0)});
  EXPECT_NEAR(losses.perplexity()->value, std::pow(2.0, (1 + 2 + 2 + 1 + 1) / 5.0), 1e-5);
}

TEST(Perplexity, CountsNoSpecialTokens) {
  TokenLosses losses;
  losses.add(logits_of(DType::kFloat16), kIds, {sample(2, 3), sample(1, 1)});
  ASSERT_EQ(losses.tokens(), 1);
  EXPECT_NEAR(losses.perplexity()->value, 4.0, 2e-2);
}

TEST(Perplexity, OfNothingIsNone) {
  TokenLosses losses;
  losses.add(logits_of(DType::kFloat32), kIds, {sample(0, 1), sample(0, 0)});
  EXPECT_FALSE(losses.perplexity());
}

TEST(Perplexity, IsForDecodersAlone) {
  const Model model = find_model("bert");
  const Graph graph;
  class None : public Session {
   public:
    void set_inputs(const std::vector<HostTensor>&) override { ADD_FAILURE(); }
    void run() override {}
    std::vector<HostTensor> outputs() override { return {}; }
    void run_traced(TraceLevel, Trace&) override {}
    MemoryUse run_for_memory() override { return {}; }
    std::vector<ObservedTypes> run_for_types() override { return {}; }
    void capture() override {}
  } session;
  EXPECT_FALSE(perplexity_of_text(model, graph, session, "no such file", "", {}, 100));
}

}  // namespace
}  // namespace nongemm
