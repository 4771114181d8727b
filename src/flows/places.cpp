#include "flows/places.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

namespace nongemm {
namespace {

namespace fs = std::filesystem;

fs::path running_program() {
  std::error_code error;
  return fs::read_symlink("/proc/self/exe", error);
}

/// The folders of packages of a Python environment: venvs, `pip install --user`, conda and Debian (dist-packages),
/// Fedora (lib64), `pip install --target` (the folder itself). The newest Python first.
std::vector<fs::path> package_folders(const fs::path& prefix) {
  std::vector<fs::path> found;
  std::error_code error;
  for (const char* library : {"lib", "lib64"}) {
    for (const auto& entry : fs::directory_iterator(prefix / library, error)) {
      if (!entry.path().filename().string().starts_with("python3")) continue;
      for (const char* packages : {"site-packages", "dist-packages"}) found.push_back(entry.path() / packages);
    }
  }
  const auto minor = [](const fs::path& packages) {
    const std::string name = packages.parent_path().filename().string();  // "python3.11"
    const std::size_t dot = name.find('.');
    return dot == std::string::npos ? -1 : std::atoi(name.c_str() + dot + 1);
  };
  std::stable_sort(found.begin(), found.end(), [&](const auto& a, const auto& b) { return minor(a) > minor(b); });
  found.push_back(prefix);
  return found;
}

}  // namespace

std::filesystem::path installed_modules(const std::filesystem::path& program) {
  std::error_code error;
  const fs::path prefix = program.parent_path().parent_path();
  fs::path beside = prefix / "lib" / "nongemm";
  if (fs::is_directory(beside, error)) return beside;
  for (const fs::path& packages : package_folders(prefix)) {
    if (!python_packages(packages / "nongemm").empty()) return packages / "nongemm";
  }
  return beside;
}

std::filesystem::path python_packages(const std::filesystem::path& modules) {
  // What tells it from lib/nongemm is the package beside it that wheels of this program depend on.
  std::error_code error;
  const fs::path packages = modules.parent_path();
  const bool laid = fs::is_directory(modules, error) && fs::is_directory(packages / "torch", error);
  return laid ? packages : fs::path();
}

std::string module_folder() {
  if (const char* named = std::getenv("NONGEMM_MODULES")) return named;
  return installed_modules(running_program()).string();
}

std::filesystem::path environment_python() {
  std::error_code error;
  if (python_packages(module_folder()).empty()) return {};
  fs::path python = running_program().parent_path() / "python3";
  return fs::exists(python, error) ? python : fs::path();
}

}  // namespace nongemm
