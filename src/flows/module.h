// Opening the program's own modules.
#pragma once

#include <string>

namespace nongemm {

/// The function `entry` of a module of this build; the module stays loaded for good.
/// Throws Error(kUnsupported) saying `missing`, the loader's reason and `way_out` when it cannot be loaded, and
/// Error(kFailed) for a file that is no such module, or one of a build whose interface (the headers that both sides
/// include) is another: calling it would end the program.
void* module_entry(const std::string& path, const char* entry, const std::string& missing, const std::string& way_out);

}  // namespace nongemm
