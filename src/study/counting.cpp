#include "study/counting.h"

#include <map>

namespace nongemm {

AnalysisOptions analysis_options(const Counting& counting) {
  static std::map<std::string, std::shared_ptr<const GroupRules>> read;
  AnalysisOptions options;
  options.by_module = counting.by_module;
  options.attention_is_gemm = counting.attention_is_gemm;
  if (counting.groups.empty()) return options;
  std::shared_ptr<const GroupRules>& rules = read[counting.groups];
  if (!rules) rules = std::make_shared<const GroupRules>(GroupRules::read_file(counting.groups));
  options.rules = rules;
  return options;
}

}  // namespace nongemm
