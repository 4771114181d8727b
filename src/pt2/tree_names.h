// Names of the leaves of a torch.utils._pytree, as exported programs and packages describe what they take and give.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace nongemm::pt2 {

/// One per leaf: keys and positions joined by dots ("logits", "past.0.1"), "output" for a single one. Empty for a text
/// that is no description.
std::vector<std::string> tree_names(std::string_view text);

}  // namespace nongemm::pt2
