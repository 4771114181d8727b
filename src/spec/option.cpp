#include "spec/option.h"

namespace nongemm {

const char* title_of(OptionSection section) {
  switch (section) {
    case OptionSection::kSubject:
      return "What";
    case OptionSection::kModel:
      return "Models";
    case OptionSection::kOperator:
      return "Operators";
    case OptionSection::kRun:
      return "Running";
    case OptionSection::kMeasuring:
      return "Measuring";
    case OptionSection::kCounting:
      return "Counting";
    case OptionSection::kFlow:
      return "Settings of one flow";
    case OptionSection::kSweep:
      return "Sweeps";
    case OptionSection::kComparing:
      return "Comparing";
    case OptionSection::kOutput:
      return "Output";
  }
  return "";
}

bool Option::applies_to(const RunSpec& run) const {
  if (!of_flow) return true;
  if (name.starts_with("quantize.")) return run.options.quantize.scheme != QuantizeScheme::kNone;
  return name.starts_with(run.flow + ".");
}

std::string Option::spelled() const {
  if (positional) return value;
  return of_flow ? "--set " + name : "--" + name;
}

}  // namespace nongemm
