// Opening the program's own modules.
#pragma once

#include <string>

namespace nongemm {

/// The function `entry` of a module of this build; the module stays loaded for good.
/// Throws Error(kUnsupported) saying `missing` and why: it cannot be loaded, is no such module, or is one of a build
/// whose interface (the headers that both sides include) is another, so that calling it would end the program.
void* module_entry(const std::string& path, const char* entry, const std::string& missing, const std::string& way_out);

}  // namespace nongemm
