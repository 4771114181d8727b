// The option table of this program: the rows of spec/ and the settings of the flows that exist.
#pragma once

#include "spec/option_table.h"

namespace nongemm {

const OptionTable& option_table();

}  // namespace nongemm
