// Whether a package that the user compiled is for what is here.
#pragma once

#include <filesystem>
#include <string>

#include "pt2/package.h"
#include "spec/device.h"

namespace nongemm::inductor_flow {

/// Of the sets that Inductor names ("AVX512 AVX512_VNNI"), the first that `flags` (of /proc/cpuinfo) lacks; empty for
/// none.
std::string missing_instructions(const std::string& sets, const std::string& flags);

/// @throws Error (kUnsupported) saying what it was compiled for: another device, machine, processor or capability
void check_fits(const std::filesystem::path& path, const pt2::CompiledPackage& package, const Device& device);

}  // namespace nongemm::inductor_flow
