#pragma once

namespace nongemm::inductor_flow {

/// Python: compiles argv[2] (a program) to argv[3] (a package) as argv[1] (JSON) says. The last line of what it prints
/// is "error: ..." where it fails.
extern const char* const kCompileScript;

}  // namespace nongemm::inductor_flow
