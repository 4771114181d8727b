#include "flows/inductor/compile.h"

#include <fmt/format.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <system_error>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/temporary_folder.h"
#include "flows/inductor/compile_script.h"
#include "flows/inductor/process.h"
#include "flows/places.h"
#include "flows/progress.h"

namespace nongemm::inductor_flow {
namespace {

constexpr std::uint64_t kMostLog = std::uint64_t{64} << 20;
constexpr double kAskingSeconds = 120;  // importing torch from a cold disk

/// "2.11" of "2.11.0+cu130".
std::string release(std::string_view version) {
  const std::size_t second = version.find('.', version.find('.') + 1);
  return std::string(version.substr(0, second));
}

std::string read_log(const std::filesystem::path& log) {
  try {
    return read_file(log, kMostLog);
  } catch (const Error&) {
    return "";
  }
}

/// The last line that begins with `mark`, without it; empty when there is none.
std::string last_line(std::string_view text, std::string_view mark) {
  std::string found;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (const std::string_view line = text.substr(0, end); line.starts_with(mark)) found = line.substr(mark.size());
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return found;
}

std::string way_out_for(const std::string& words) {
  const auto has = [&](const char* piece) { return words.find(piece) != std::string::npos; };
  if (has("InvalidCxxCompiler") || has("No working C++ compiler")) return "install a C++ compiler, or name one in CXX";
  if (has("CppCompileError")) return "try another compiler in CXX (g++ 12 works); the log has its words";
  if (has("no CUDA device")) return "name a Python whose torch is made for CUDA in NONGEMM_PYTHON";
  if (has("TritonMissing") || has("Cannot find a working triton")) return "install triton beside torch";
  return "the log has everything that the compiler said";
}

}  // namespace

std::string find_python(const std::string& torch_version) {
  const char* named = std::getenv("NONGEMM_PYTHON");
  std::string python = named != nullptr ? named : "";
  if (python.empty()) python = environment_python().string();
  if (python.empty()) python = "python3";
  const std::string way_out = fmt::format(
      "name a Python that has torch {} in NONGEMM_PYTHON: python3 -m venv v && v/bin/pip install torch=={}; export "
      "NONGEMM_PYTHON=v/bin/python",
      release(torch_version), torch_version.substr(0, torch_version.find('+')));
  const TemporaryFolder folder;
  const std::filesystem::path log = folder.path() / "log";
  std::optional<int> code;
  try {
    code = run_process({python, "-c", "import torch; print('torch:' + torch.__version__)"}, log, kAskingSeconds);
  } catch (const Error& error) {
    throw Error(error.kind(), fmt::format("compiling needs a Python with torch: {}", error.what()), way_out);
  }
  const std::string found = last_line(read_log(log), "torch:");
  if (code != 0 || found.empty()) {
    throw Error(ErrorKind::kUnsupported, fmt::format("compiling needs a Python with torch, and {} has none", python),
                way_out);
  }
  if (release(found) != release(torch_version)) {
    throw Error(ErrorKind::kUnsupported,
                fmt::format("{} has torch {}, packages for this program are made by torch {}", python, found,
                            release(torch_version)),
                way_out);
  }
  return python;
}

void compile(const std::string& python, const CompileRequest& request, const std::filesystem::path& program,
             const std::filesystem::path& package, const std::filesystem::path& log,
             const std::function<void(const std::string&)>& progress) {
  const Json json = {{"device", request.device}, {"mode", request.mode}, {"threads", request.threads}};
  // Torch wants the ending; a rename makes the package appear whole.
  std::filesystem::path unfinished = package;
  unfinished.replace_extension(".unfinished.pt2");
  const Temporary registered(unfinished);
  std::optional<int> code;
  {
    const Ticker ticker(progress, "compiling with Inductor (" + request.mode + ")");
    code = run_process({python, "-c", kCompileScript, dump_json(json), program.string(), unfinished.string()}, log,
                       request.seconds);
  }
  std::error_code error;
  if (code == 0) {
    std::filesystem::rename(unfinished, package, error);
    if (error) throw Error(ErrorKind::kIo, package.string() + ": " + error.message());
    return;
  }
  std::filesystem::remove(unfinished, error);
  if (!code) {
    throw Error(ErrorKind::kFailed,
                fmt::format("compiling took more than {} s (log: {})", request.seconds, log.string()),
                "allow it more by --set inductor.seconds=N");
  }
  const std::string words = last_line(read_log(log), "error: ");
  throw Error(ErrorKind::kUnsupported,
              fmt::format("Inductor does not compile the model: {} (log: {})",
                          words.empty() ? fmt::format("Python ended with code {}", *code) : words, log.string()),
              way_out_for(words));
}

}  // namespace nongemm::inductor_flow
