// Groups of what is known by name alone: operators as other tools spell them, kernels, generated kernels that say in
// their name what they were made of.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ops/group.h"

namespace nongemm {

/// What a group was told by, the surest first.
enum class GroupedBy : std::uint8_t { kOperator, kGenerated, kKernel, kNothing };
std::string_view title_of(GroupedBy by);

struct NamedGroup {
  Group group = Group::kOther;
  std::string variant;
  GroupedBy by = GroupedBy::kNothing;
};

// How nodes of a trace are called (tool_record.h), beside "aten.addmm" of an operator: the only names that
// `named_group` takes for other than operators.
inline constexpr std::string_view kKernelPrefix = "kernel.";
inline constexpr std::string_view kCopyPrefix = "copy.";

/// "aten.addmm" without an overload, "triton_poi_fused_add_0", "kernel.nvjet_sm90_hsh", "copy.host_to_device". nullopt
/// when the name says nothing.
std::optional<NamedGroup> named_group(std::string_view node);

/// The group of an operator by the table, whatever its overload, or by the pieces of its name.
/// @param name "aten.addmm"
Group group_of_operator(std::string_view name);

/// Of a kernel that Triton made for torch.compile ("triton_poi_fused_add_mul_0"): what its operators do together.
/// nullopt when the name is of another kind.
std::optional<Group> group_of_generated(std::string_view kernel);

/// Of any other kernel; Group::kOther when the name says nothing.
Group group_of_kernel(std::string_view kernel);

}  // namespace nongemm
