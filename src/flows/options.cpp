#include "flows/options.h"

#include "flows/load.h"

namespace nongemm {

const OptionTable& option_table() {
  static const OptionTable kTable(known_flows());
  return kTable;
}

}  // namespace nongemm
