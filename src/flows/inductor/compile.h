// Compiling a program of torch.export by AOTInductor: the one step that needs a Python.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

namespace nongemm::inductor_flow {

struct CompileRequest {
  std::string device;  // "cpu", "cuda:0"
  std::string mode;    // "default", "max-autotune"
  int threads = 0;     // of kernels for the host; 0 for torch's default
  double seconds = 3600;
};

/// The Python that compiles: NONGEMM_PYTHON, else the one of the environment that a wheel was installed into, else
/// python3, with this torch.
/// @param torch_version "2.11.0": its first two numbers have to be the same
/// @throws Error (kUnsupported) saying what is there and what to do
std::string find_python(const std::string& torch_version);

/// Writes the package for `program` to `package`, complete or not at all. What Python says is kept in `log`.
/// @param progress told what goes on, about once a second; may be empty
/// @throws Error (kUnsupported) in the compiler's words with the log's place, (kFailed) when it takes too long
void compile(const std::string& python, const CompileRequest& request, const std::filesystem::path& program,
             const std::filesystem::path& package, const std::filesystem::path& log,
             const std::function<void(const std::string&)>& progress);

}  // namespace nongemm::inductor_flow
