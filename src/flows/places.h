// Where the modules lie, and, where the program was installed into a Python environment, the packages beside them.
#pragma once

#include <filesystem>
#include <string>

namespace nongemm {

/// The folder that holds the modules: NONGEMM_MODULES, or what installed_modules() finds for the running program.
std::string module_folder();

/// For a program in PREFIX/bin: PREFIX/lib/nongemm, as it is built and installed; or, when there is none, the package
/// `nongemm` of the Python environment PREFIX, as a wheel lays it. The first when there is neither, for messages.
std::filesystem::path installed_modules(const std::filesystem::path& program);

/// The folder of packages (site-packages) that holds `modules` when a wheel laid them there; empty otherwise.
std::filesystem::path python_packages(const std::filesystem::path& modules);

/// The interpreter of the environment that the running program was installed into; empty when that is none.
std::filesystem::path environment_python();

}  // namespace nongemm
