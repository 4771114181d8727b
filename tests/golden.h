// Files that hold what the program gives, letter by letter (tests/data/golden). After a change that is meant
//
//   make generated      (NONGEMM_GOLDEN=write build/ci/tests/golden_test for them alone)
//
// writes them anew; what `git diff` shows then is what users will see.
#pragma once

#include <string>

namespace nongemm {

/// Fails, with the first difference, where the file of this name holds another text.
void expect_golden(const std::string& name, const std::string& text);

}  // namespace nongemm
