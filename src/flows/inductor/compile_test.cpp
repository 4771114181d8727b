#include "flows/inductor/compile.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <torch/version.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/temporary_folder.h"
#include "base/zip_writer.h"
#include "flows/inductor/fits.h"
#include "flows/inductor/process.h"
#include "flows/load.h"
#include "ops/builder.h"
#include "pt2/package.h"

extern "C" nongemm::Flow* nongemm_create_flow();

namespace nongemm::inductor_flow {
namespace {

/// A variable of the environment while it lives.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    ::setenv(name, value.c_str(), 1);
  }
  ~Variable() { before_ ? ::setenv(name_, before_->c_str(), 1) : ::unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
  std::optional<std::string> before_;
};

class Compiling : public testing::Test {
 protected:
  /// A stand-in for Python.
  std::string script(const std::string& text) const {
    const std::filesystem::path path = folder_.path() / "python";
    write_file_atomically(path, "#!/bin/sh\n" + text + "\n");
    ::chmod(path.c_str(), 0755);
    return path.string();
  }

  template <typename Call>
  static std::string refusal(Call&& call) {
    try {
      call();
    } catch (const Error& error) {
      return std::string(error.what()) + " | " + error.way_out();
    }
    return "";
  }

  std::string refusal_of(const std::string& python, double seconds = 60) const {
    CompileRequest request;
    request.seconds = seconds;
    return refusal([&] {
      compile(python, request, folder_.path() / "in.pt2", folder_.path() / "out.pt2", folder_.path() / "log", {});
    });
  }

  TemporaryFolder folder_;
};

TEST_F(Compiling, AProcessIsLimitedAndItsWordsAreKept) {
  const std::filesystem::path log = folder_.path() / "log";
  EXPECT_EQ(run_process({"sh", "-c", "echo out; echo err >&2; exit 7"}, log, 60), 7);
  EXPECT_EQ(read_file(log, 100), "out\nerr\n");
  EXPECT_EQ(run_process({"sh", "-c", "kill -9 $$"}, log, 60), 128 + 9);
  EXPECT_FALSE(run_process({"sh", "-c", "sleep 60"}, log, 0.2).has_value());
  EXPECT_NE(refusal([&] { run_process({"/no/such/program"}, log, 60); }).find("/no/such/program"), std::string::npos);
}

TEST_F(Compiling, APythonWithoutThisTorchIsNamed) {
  {
    const Variable python("NONGEMM_PYTHON", script("exit 1"));
    const std::string what = refusal([] { find_python("2.11.0"); });
    EXPECT_NE(what.find("has none"), std::string::npos) << what;
    EXPECT_NE(what.find("pip install torch==2.11.0"), std::string::npos) << what;
  }
  {
    const Variable python("NONGEMM_PYTHON", script("echo torch:2.4.1+cpu"));
    EXPECT_NE(refusal([] { find_python("2.11.0"); }).find("has torch 2.4.1+cpu"), std::string::npos);
  }
  {
    const Variable python("NONGEMM_PYTHON", script("echo torch:2.11.0+cu130"));
    EXPECT_EQ(refusal([] { find_python("2.11.0"); }), "");
  }
  const Variable python("NONGEMM_PYTHON", "/no/such/python");
  EXPECT_NE(refusal([] { find_python("2.11.0"); }).find("/no/such/python"), std::string::npos);
}

TEST_F(Compiling, WhatTheCompilerSaysIsTold) {
  const std::string refused = refusal_of(script("echo noise; echo 'error: Unsupported: nothing'; exit 3"));
  EXPECT_NE(refused.find("Unsupported: nothing"), std::string::npos) << refused;
  EXPECT_NE(refused.find((folder_.path() / "log").string()), std::string::npos) << refused;
  EXPECT_NE(refusal_of(script("echo 'error: InvalidCxxCompiler: none'; exit 3")).find("install a C++ compiler"),
            std::string::npos);
  EXPECT_NE(refusal_of(script("sleep 60"), 0.2).find("inductor.seconds"), std::string::npos);
  EXPECT_NE(refusal_of(script("exit 0")).find("out.pt2"), std::string::npos);  // nothing was written
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "out.pt2"));
}

TEST(Fits, ProcessorsHaveTheirInstructions) {
  const std::string flags = "flags : fpu sse4_2 avx avx2 fma avx512f";
  EXPECT_EQ(missing_instructions("AVX2", flags), "");
  EXPECT_EQ(missing_instructions("AVX512", flags), "");
  EXPECT_EQ(missing_instructions("AVX512 AVX512_VNNI", flags), "AVX512_VNNI");
  EXPECT_EQ(missing_instructions("AVX512", ""), "");  // nobody tells
}

TEST(Fits, PackagesAreForADeviceAndAMachine) {
  const auto refusal = [](const pt2::CompiledPackage& package, const Device& device) -> std::string {
    try {
      check_fits("p.pt2", package, device);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
      return std::string(error.what()) + " | " + error.way_out();
    }
    return "";
  };
  pt2::CompiledPackage package;
  package.device = "cuda";
  EXPECT_NE(refusal(package, Device()).find("--device cuda"), std::string::npos);
  package.device = "cpu";
  EXPECT_NE(refusal(package, Device{DeviceKind::kCuda, 0}).find("--device cpu"), std::string::npos);
  EXPECT_EQ(refusal(package, Device()), "");
  package.machine = "sparc";
  EXPECT_NE(refusal(package, Device()).find("sparc"), std::string::npos);
}

/// 0 mul, 1 relu, 2 linear, 3 softmax.
Graph small_graph() {
  Builder builder("small", DType::kFloat32);
  const Tensor x = builder.input("x", DType::kFloat32, {2, 4}, {});
  const Tensor w = builder.parameter("w", {3, 4}, {});
  const Tensor rectified = builder.call("aten.relu.default", {builder.call("aten.mul.Tensor", {x, 2.0})});
  const Tensor product = builder.call("aten.linear.default", {rectified, w});
  builder.output("rectified", rectified);
  builder.output("y", builder.call("aten.softmax.int", {product, 1}));
  return builder.finish();
}

TEST_F(Compiling, APackageThatDoesNotLoadSaysWhatWould) {
  const std::filesystem::path path = folder_.path() / "other.pt2";
  const std::string place = "other/data/aotinductor/model/c.wrapper";
  const std::unique_ptr<Flow> flow(nongemm_create_flow());
  const auto refused = [&](const std::vector<std::pair<std::string, std::string>>& more) {
    std::string bytes;
    ZipWriter zip([&](std::span<const std::byte> part) {
      bytes.append(reinterpret_cast<const char*>(part.data()), part.size());
    });
    zip.add(place + ".so", "no library");
    for (const auto& [name, content] : more) zip.add(name, content);
    zip.finish();
    write_file_atomically(path, bytes);
    Graph graph;
    Node call;
    call.op = pt2::kPackageOperator;
    call.args.emplace_back(path.string());
    graph.nodes.push_back(std::move(call));
    return refusal([&] { flow->prepare(graph, {}, RunOptions()); });
  };
  EXPECT_NE(refused({}).find("which device"), std::string::npos);
  const std::string unloaded =
      refused({{place + ".cpp", ""}, {place + "_metadata.json", R"({"AOTI_DEVICE_KEY": "cpu"})"}});
  EXPECT_NE(unloaded.find(path.string()), std::string::npos) << unloaded;
  EXPECT_NE(unloaded.find("compile it with torch 2."), std::string::npos) << unloaded;
}

TEST(InductorFlow, RunsWhatItCompiled) {
  try {
    find_python(TORCH_VERSION);
  } catch (const Error&) {
    GTEST_SKIP() << "no Python with torch to compile with";
  }
  const TemporaryFolder cache;
  const Graph graph = small_graph();
  RunOptions options;
  options.settings["inductor.cache"] = cache.path().string();
  const std::unique_ptr<Flow> flow(nongemm_create_flow());
  const HostTensor w = HostTensor::from<float>(DType::kFloat32, {3, 4}, std::vector<float>(12, 0.5F));
  for (int time = 0; time < 2; ++time) {  // compiled, and from the cache
    const auto session = flow->prepare(graph, {w}, options);
    session->set_inputs({HostTensor::from<float>(DType::kFloat32, {2, 4}, {1, -1, 2, -2, 0, 3, -3, 4})});
    session->run();
    const std::vector<HostTensor> outputs = session->outputs();
    ASSERT_EQ(outputs.size(), 2U);
    EXPECT_EQ(outputs[0].as<float>()[0], 2);
    EXPECT_EQ(outputs[0].as<float>()[1], 0);
    EXPECT_NEAR(outputs[1].as<float>()[4], 1.0 / 3, 1e-6);

    const RuntimeProgram& program = *session->program();
    std::vector<NodeId> covered;
    for (const RuntimeNode& step : program.nodes) covered.insert(covered.end(), step.covers.begin(), step.covers.end());
    std::sort(covered.begin(), covered.end());
    EXPECT_EQ(covered, (std::vector<NodeId>{0, 1, 2, 3}));
    Trace trace;
    session->run_traced(TraceLevel::kHost, trace);
    EXPECT_EQ(trace.nodes.size(), program.nodes.size());
    EXPECT_GT(session->run_for_memory().peak, 48U);
    setenv("NONGEMM_PYTHON", "/no/such/python", 1);  // not needed any more
  }
}

}  // namespace
}  // namespace nongemm::inductor_flow
