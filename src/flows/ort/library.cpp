#include "flows/ort/library.h"

#include <dlfcn.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>

#include "base/error.h"
#include "flows/ort/errors.h"
#include "flows/places.h"

namespace nongemm::ort_flow {
namespace {

namespace fs = std::filesystem;

constexpr const char* kWayOut =
    "run ./nongemm once to set it up, or name an install or wheel of onnxruntime 1.25 or newer in NONGEMM_ORT";

/// Positions in the table of functions (OrtApi). The table only ever grows at its end, so a position holds for every
/// later release (docs of onnxruntime_c_api.h); the distribution's headers end before these.
enum class Position : std::size_t {
  kGetKeyValue = 297,
  kReleaseKeyValuePairs = 300,
  kAllocatorGetStats = 319,
  kRunOptionsEnableProfiling = 415,
};

template <typename Function>
Function* function_at(Position position) {
  void* entry = nullptr;
  const auto* table = reinterpret_cast<const std::byte*>(&Ort::GetApi());
  std::copy_n(table + static_cast<std::size_t>(position) * sizeof(void*), sizeof(void*),
              reinterpret_cast<std::byte*>(&entry));
  return reinterpret_cast<Function*>(entry);
}

/// libonnxruntime.so.1* in a folder, the shortest name first: that is the link.
void add_libraries(const fs::path& folder, std::vector<std::string>& found) {
  std::error_code error;
  std::vector<std::string> here;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().filename().string().starts_with("libonnxruntime.so.1")) here.push_back(entry.path().string());
  }
  std::sort(here.begin(), here.end());
  found.insert(found.end(), here.begin(), here.end());
}

void add_python_environment(const fs::path& folder, std::vector<std::string>& found) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder / "lib", error)) {
    if (!entry.path().filename().string().starts_with("python3")) continue;
    for (const char* packages : {"site-packages", "dist-packages"}) {
      add_libraries(entry.path() / packages / "onnxruntime" / "capi", found);
    }
  }
}

/// From 1.30 on the library looks up a host of its maker, leaves files in the temporary folder and keeps threads busy
/// with sending: nothing that a measurement, or its user, asked for. It reads this when it is loaded.
void disable_telemetry() { setenv("ORT_DISABLE_TELEMETRY", "1", /*overwrite=*/1); }

void* open_library(std::string& tried) {
  disable_telemetry();
  const char* named = std::getenv("NONGEMM_ORT");
  const std::vector<std::string> candidates = library_candidates(named != nullptr ? named : "", module_folder());
  for (const std::string& candidate : candidates) {
    // Beside its own copy of protobuf and the like nothing of it may be seen by LibTorch.
    if (void* library = dlopen(candidate.c_str(), RTLD_NOW | RTLD_LOCAL)) return library;
    tried += (tried.empty() ? "" : "; ") + std::string(dlerror());
  }
  if (candidates.empty()) tried = std::string("there is no libonnxruntime.so.1 in NONGEMM_ORT=") + named;
  return nullptr;
}

}  // namespace

std::vector<std::string> library_candidates(const std::string& named, const std::filesystem::path& modules) {
  std::vector<std::string> found;
  if (named.empty()) {
    const fs::path packages = python_packages(modules);
    if (!packages.empty()) add_libraries(packages / "onnxruntime" / "capi", found);
    found.push_back("libonnxruntime.so.1");  // the module's run path, then the loader's
    return found;
  }
  std::error_code error;
  if (fs::is_regular_file(named, error)) return {named};
  for (const char* folder : {"", "lib", "capi", "onnxruntime/capi"}) add_libraries(fs::path(named) / folder, found);
  add_python_environment(named, found);
  return found;
}

int minor_release(const std::string& version) {
  if (!version.starts_with("1.")) return -1;
  int minor = -1;
  std::from_chars(version.data() + 2, version.data() + version.size(), minor);
  return minor;
}

Library::Library() {
  std::string tried;
  void* library = open_library(tried);
  if (library == nullptr) {
    throw Error(ErrorKind::kUnsupported, "ONNX Runtime cannot be loaded: " + tried, kWayOut);
  }
  auto* get_base = reinterpret_cast<const OrtApiBase* (*)()>(dlsym(library, "OrtGetApiBase"));
  if (get_base == nullptr) {
    throw Error(ErrorKind::kUnsupported, "the library found as ONNX Runtime has no OrtGetApiBase", kWayOut);
  }
  version_ = get_base()->GetVersionString();
  if (minor_release(version_) < kOldestMinor) {
    throw Error(ErrorKind::kUnsupported, "ONNX Runtime " + version_ + " is too old: single runs cannot be profiled",
                kWayOut);
  }
  Ort::InitApi(get_base()->GetApi(ORT_API_VERSION));
  with_errors("starting ONNX Runtime", [&] { env_.emplace(ORT_LOGGING_LEVEL_FATAL, "nongemm"); });
}

Library& Library::get() {
  // Never destroyed: the library's own threads and registries outlive main.
  static auto* library = new Library;
  return *library;
}

bool Library::has_provider(const std::string& name) const {
  const std::vector<std::string> providers = Ort::GetAvailableProviders();
  return std::find(providers.begin(), providers.end(), name) != providers.end();
}

void Library::enable_profiling(OrtRunOptions* options, const std::string& prefix) const {
  auto* enable = function_at<OrtStatus*(OrtRunOptions*, const char*)>(Position::kRunOptionsEnableProfiling);
  Ort::ThrowOnError(enable(options, prefix.c_str()));
}

std::uint64_t Library::allocator_figure(const OrtAllocator* allocator, const char* name) const {
  struct Pairs;
  auto* get_stats = function_at<OrtStatus*(const OrtAllocator*, Pairs**)>(Position::kAllocatorGetStats);
  auto* get_value = function_at<const char*(const Pairs*, const char*)>(Position::kGetKeyValue);
  auto* release = function_at<void(Pairs*)>(Position::kReleaseKeyValuePairs);
  Pairs* pairs = nullptr;
  Ort::ThrowOnError(get_stats(allocator, &pairs));
  const char* text = get_value(pairs, name);
  const std::uint64_t figure = text != nullptr ? std::strtoull(text, nullptr, 10) : 0;
  release(pairs);
  return figure;
}

}  // namespace nongemm::ort_flow
