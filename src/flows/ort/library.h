// Finding and loading libonnxruntime, and the functions of it that are newer than the headers.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "flows/ort/onnxruntime.h"

namespace nongemm::ort_flow {

/// The oldest release whose runs can be profiled one by one (OrtRunOptions), which the node pass needs.
inline constexpr int kOldestMinor = 25;

/// Files that may be the library, in the order in which they are tried: what NONGEMM_ORT names (a file, an install
/// with lib/, a wheel's folder with capi/, a Python environment); or else the package onnxruntime of the environment
/// that a wheel laid `modules` into, what the program was built with, what the loader finds.
std::vector<std::string> library_candidates(const std::string& named, const std::filesystem::path& modules);

/// Minor release of "1.30.0"; -1 when it is not understood or the major release is not 1.
int minor_release(const std::string& version);

/// The loaded library. Stays loaded until the process ends.
class Library {
 public:
  /// @throws Error(kUnsupported) when it is missing, too old or broken, with the way out
  static Library& get();

  const std::string& version() const { return version_; }
  Ort::Env& env() { return *env_; }
  bool has_provider(const std::string& name) const;

  /// The next runs with these options leave PREFIX_<time>.json each.
  void enable_profiling(OrtRunOptions* options, const std::string& prefix) const;
  /// A figure of an arena ("MaxInUse", "InUse": bytes); 0 when the allocator has no such figure.
  std::uint64_t allocator_figure(const OrtAllocator* allocator, const char* name) const;

 private:
  Library();

  std::string version_;
  std::optional<Ort::Env> env_;  // only once the interface is there: even an empty one calls it
};

}  // namespace nongemm::ort_flow
