// Two ranks on this machine, as users start them: outputs, figures, and what becomes of ranks that fail.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "cli_program.h"

namespace nongemm {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;

constexpr const char* kFamilies = NONGEMM_SHARED_DIR "/fixtures/families/";
constexpr const char* kNumerics = NONGEMM_SHARED_DIR "/fixtures/numerics/";

class Outputs : public testing::TestWithParam<std::string> {};

TEST_P(Outputs, OfTwoRanksAreTheOriginals) {
  const Outcome outcome = run("verify " + GetParam() + " --tensor-parallel 2 --rank-timeout 60");
  EXPECT_EQ(outcome.code, 0) << outcome.text;
  EXPECT_THAT(outcome.text, HasSubstr("ok  "));
}

std::vector<std::string> verified() {
  return {std::string(kNumerics) + "gpt2",  std::string(kNumerics) + "llama",   std::string(kNumerics) + "bert",
          std::string(kFamilies) + "qwen3", std::string(kFamilies) + "mixtral", std::string(kFamilies) + "phi3"};
}
INSTANTIATE_TEST_SUITE_P(Fixtures, Outputs, testing::ValuesIn(verified()),
                         [](const auto& info) { return info.param.substr(info.param.rfind('/') + 1); });

class Ranks : public ProgramTest {
 protected:
  /// A run's report. @param prefix variables of its environment
  Json report(const std::string& arguments, const std::string& prefix = "") {
    const std::string out = (folder_ / "out").string();
    const Outcome outcome = run("run " + arguments + " --no-limits --format json --output " + out, prefix);
    EXPECT_EQ(outcome.code, 0) << outcome.text;
    std::ifstream file(folder_ / "out" / "report.json");
    return Json::parse(file, nullptr, /*allow_exceptions=*/false);
  }
};

/// Rows of a table of the first point.
Json rows(const Json& report, const std::string& table) {
  for (const Json& point : report.value("points", Json::array())) {
    if (point.contains("sections") && point["sections"].contains(table)) return point["sections"][table];
  }
  return Json::array();
}

constexpr const char* kSmall =
    " --tensor-parallel 2 --seq-len 64 --iterations 12 --warmup 2 --rank-timeout 60 --threads 1";

TEST_F(Ranks, TheTimeOfCollectivesIsTransferAndWaiting) {
  const Json ranks = rows(report(std::string(kFamilies) + "mistral" + kSmall), "ranks");
  ASSERT_EQ(ranks.size(), 2U);
  for (const Json& rank : ranks) {
    const double time = rank["collectives"];
    EXPECT_GT(time, 0);
    EXPECT_NEAR(rank["transfer"].get<double>() + rank["waiting"].get<double>(), time, 1e-9 + 1e-6 * time);
    EXPECT_NEAR(rank["exposed"].get<double>() + rank["hidden"].get<double>(), time, 1e-9 + 1e-6 * time);
    EXPECT_LT(time, rank["wall"].get<double>());
    EXPECT_LT(rank["clock_within"].get<double>(), 0.1);
  }
}

TEST_F(Ranks, WhatARankWaitedForAddsUp) {
  const Json read = report(std::string(kFamilies) + "qwen3" + kSmall);
  std::vector<double> waited(2, 0.0);
  for (const Json& row : rows(read, "rank_waits")) waited[row["rank"].get<std::size_t>()] += row["time"].get<double>();
  for (const Json& rank : rows(read, "ranks")) {
    EXPECT_NEAR(waited[rank["rank"].get<std::size_t>()], rank["waiting"].get<double>(), 1e-8);
  }
}

TEST_F(Ranks, ADelayOfOneIsWaitingOfTheOtherForThatOperator) {
  constexpr double kDelayS = 20e-3;
  const std::string library = NONGEMM_BINARY_DIR "/lib/nongemm/examples/libexample_delayed_rank.so";
  const Json read = report(
      std::string(kFamilies) +
          "mistral --tensor-parallel 2 --seq-len 64 --iterations 6 --warmup 1 --threads 1 --load-library " + library,
      "EXAMPLE_DELAY_RANK=1 EXAMPLE_DELAY_US=20000 ");
  double layers = 0;
  for (const Json& row : rows(read, "operators")) {
    if (row.value("operator", "") == "aten.silu.default") layers += row.value("nodes", 0.0);
  }
  double charged = 0;
  for (const Json& row : rows(read, "rank_waits")) {
    const bool silu = row["operator"] == "aten.silu.default" && row["state"] == "busy";
    if (silu && row["rank"] == 0 && row["last"] == 1) charged += row["time"].get<double>();
  }
  // What the operator really took longer for: a machine that is busy makes a delay longer, never shorter.
  double longer = 0;
  for (const Json& row : rows(read, "rank_groups")) {
    if (row["group"] == "Activation") longer += (row["rank"] == 1 ? 1 : -1) * row["time"].get<double>();
  }
  ASSERT_GT(layers, 0);
  EXPECT_GE(longer, 0.99 * layers * kDelayS);
  EXPECT_NEAR(charged, longer, 0.05 * longer);
}

TEST_F(Ranks, CollectivesAloneHaveABusBandwidth) {
  const std::string out = (folder_ / "out").string();
  const Outcome outcome = run(
      "op all_reduce all_gather_into_tensor reduce_scatter_tensor all_to_all_single --shape 64x256 --tensor-parallel 2 "
      "--iterations 10 --warmup 2 --no-limits --format json --output " +
      out);
  EXPECT_EQ(outcome.code, 0) << outcome.text;
  std::ifstream file(folder_ / "out" / "report.json");
  const Json read = Json::parse(file, nullptr, /*allow_exceptions=*/false);
  ASSERT_EQ(read["points"].size(), 4U);
  // Bytes that each of two ranks sends, over those of the operand.
  const std::vector<double> sent = {1.0, 1.0, 0.5, 0.5};
  for (std::size_t i = 0; i < sent.size(); ++i) {
    const Json& op = read["points"][i]["sections"]["op"];
    EXPECT_NEAR(op["bus_rate"].get<double>() * op["time"].get<double>(), sent[i] * 64 * 256 * 4, 1e-3);
  }
}

TEST_F(Ranks, ACollectiveWithoutRanksIsRefused) {
  const Outcome outcome = run("op all_reduce --shape 64x256");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.text, HasSubstr("--tensor-parallel 2"));
}

TEST_F(Ranks, SizesThatDoNotDivideAreRefusedBeforeAnythingStarts) {
  const Outcome outcome = run(std::string("verify ") + kNumerics + "gpt2 --tensor-parallel 8");
  EXPECT_NE(outcome.code, 0);
  EXPECT_THAT(outcome.text, HasSubstr("4 heads"));
  EXPECT_THAT(outcome.text, Not(HasSubstr("rank 0 of 8")));
}

TEST_F(Ranks, AModelWithoutAPlanIsNamed) {
  const Outcome outcome = run(std::string("run ") + kFamilies + "convnext --tensor-parallel 2");
  EXPECT_NE(outcome.code, 0);
  EXPECT_THAT(outcome.text, HasSubstr("has no plan"));
}

TEST_F(Ranks, ARankThatDiesEndsTheOthersAndIsNamed) {
  const std::string out = (folder_ / "out").string();
  const Outcome outcome = run(std::string("run ") + kFamilies + "mistral" + kSmall + " --no-limits --load-library " +
                                  NONGEMM_DOOMED_kill + " --output " + out + " --format json",
                              "DOOM_RANK=1 ");
  EXPECT_NE(outcome.code, 0);
  EXPECT_THAT(outcome.text, HasSubstr("rank 1 of 2: ended by SIGKILL"));
}

/// The other one stops waiting for it.
TEST_F(Ranks, ARankThatHangsEndsWithinTheTimeLimit) {
  const Outcome outcome = run(std::string("verify ") + kFamilies + "mistral --tensor-parallel 2 --rank-timeout 2 " +
                                  "--load-library " + NONGEMM_DOOMED_hang,
                              "DOOM_RANK=1 timeout 60 ");
  EXPECT_NE(outcome.code, 0);
  EXPECT_NE(outcome.code, 124) << "it hung";
  EXPECT_THAT(outcome.text, HasSubstr("rank 1 did not end and was killed"));
}

TEST_F(Ranks, AModelThatIsNotThereIsToldOnce) {
  const Outcome outcome = run("verify no/such/folder --tensor-parallel 2");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.text, Not(HasSubstr("rank 1")));
}

TEST_F(Ranks, ALauncherThatStartedAnotherNumberIsTold) {
  const Outcome outcome = run(std::string("verify ") + kFamilies + "mistral --tensor-parallel 2",
                              "MASTER_ADDR=127.0.0.1 MASTER_PORT=1 WORLD_SIZE=3 RANK=0 ");
  EXPECT_NE(outcome.code, 0);
  EXPECT_THAT(outcome.text, HasSubstr("torchrun started 3 ranks"));
}

/// A socket that listens on a port of this machine.
class Listener {
 public:
  Listener() : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    socklen_t size = sizeof address;
    const bool listens = ::bind(socket_, reinterpret_cast<const sockaddr*>(&address), size) == 0 &&
                         ::listen(socket_, 1) == 0 &&
                         ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) == 0;
    EXPECT_TRUE(listens) << std::generic_category().message(errno);
    port_ = ntohs(address.sin_port);
  }
  ~Listener() { close(); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  void close() {
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
  }
  std::string port() const { return std::to_string(port_); }

 private:
  int socket_;
  int port_ = 0;
};

TEST_F(Ranks, APortInUseIsNamed) {
  const Listener listener;
  const Outcome outcome = run(std::string("verify ") + kFamilies + "mistral --tensor-parallel 2 --rank-timeout 5",
                              "MASTER_ADDR=127.0.0.1 MASTER_PORT=" + listener.port() + " WORLD_SIZE=2 RANK=0 ");
  EXPECT_NE(outcome.code, 0);
  EXPECT_THAT(outcome.text, HasSubstr("port " + listener.port()));
  EXPECT_THAT(outcome.text, HasSubstr("MASTER_PORT"));
}

TEST_F(Ranks, ARankThatDoesNotComeIsNamed) {
  Listener listener;
  listener.close();  // a port that was free
  const Outcome outcome = run(std::string("verify ") + kFamilies + "mistral --tensor-parallel 2 --rank-timeout 2",
                              "MASTER_ADDR=127.0.0.1 MASTER_PORT=" + listener.port() + " WORLD_SIZE=2 RANK=0 ");
  EXPECT_NE(outcome.code, 0);
  EXPECT_THAT(outcome.text, HasSubstr("rank 1 of 2 did not come within 2 s"));
}

/// As torchrun would start them, one with another attention.
TEST_F(Ranks, RanksThatDisagreeAreTold) {
  Listener listener;
  listener.close();
  const auto rank = [&](int number, const std::string& attention) {
    return "MASTER_ADDR=127.0.0.1 MASTER_PORT=" + listener.port() + " WORLD_SIZE=2 RANK=" + std::to_string(number) +
           " " + NONGEMM_BINARY_DIR "/bin/nongemm run " + kFamilies +
           "mistral --tensor-parallel 2 --rank-timeout 20 --no-limits " + "--attention " + attention;
  };
  const Outcome outcome = shell("(" + rank(1, "sdpa") + " > /dev/null 2>&1 &) ; " + rank(0, "eager") + " 2>&1");
  EXPECT_NE(outcome.code, 0);
  EXPECT_THAT(outcome.text, HasSubstr("rank 1 has another graph than rank 0"));
}

}  // namespace
}  // namespace nongemm
