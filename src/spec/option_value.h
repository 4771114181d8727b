// An option and its value as data, without the table: how reports keep a specification.
#pragma once

#include <string>
#include <vector>

#include "spec/option.h"

namespace nongemm {

struct OptionValue {
  std::string name;
  OptionType type = OptionType::kText;
  bool list = false;
  std::vector<std::string> texts;  // one, or any number in a list

  bool operator==(const OptionValue&) const = default;
};

}  // namespace nongemm
