#include "ops/group.h"

#include <deque>

#include "base/error.h"

namespace nongemm {
namespace {

struct AddedGroup {
  std::string id;
  std::string title;
  bool gemm = false;
  GroupInfo info;
};

/// A deque: what was given out stays where it is.
std::deque<AddedGroup>& added_groups() {
  static std::deque<AddedGroup> groups;
  return groups;
}

const AddedGroup* added(Group group) {
  const std::size_t index = static_cast<std::size_t>(group);
  return index < kGroups.size() ? nullptr : &added_groups().at(index - kGroups.size());
}

}  // namespace

const GroupInfo& info(Group group) {
  const AddedGroup* own = added(group);
  return own != nullptr ? own->info : kGroups[static_cast<std::size_t>(group)];
}

bool counts_as_gemm(Group group, bool attention_is_gemm) {
  if (const AddedGroup* own = added(group)) return own->gemm;
  return group == Group::kGemm || (attention_is_gemm && group == Group::kAttention);
}

Group add_group(const std::string& id, const std::string& title, bool gemm) {
  constexpr std::size_t kMost = 100;
  std::optional<Group> group = parse_group(id);
  if (!group) {
    if (added_groups().size() >= kMost) throw Error(ErrorKind::kBadInput, "more than 100 groups of one's own");
    group = static_cast<Group>(kGroups.size() + added_groups().size());
    added_groups().emplace_back().id = id;
  }
  AddedGroup& row = added_groups().at(static_cast<std::size_t>(*group) - kGroups.size());
  row.title = title;
  row.gemm = gemm;
  row.info = {*group, row.id, row.title, "a group of the user's"};
  return *group;
}

std::optional<Group> parse_group(std::string_view id) {
  for (const GroupInfo& row : kGroups) {
    if (row.id == id) return row.group;
  }
  for (const AddedGroup& row : added_groups()) {
    if (row.id == id) return row.info.group;
  }
  return std::nullopt;
}

bool is_built_in(std::string_view id) {
  const std::optional<Group> group = parse_group(id);
  return group && added(*group) == nullptr;
}

std::vector<std::string> group_ids() {
  std::vector<std::string> ids;
  for (const GroupInfo& row : kGroups) ids.emplace_back(row.id);
  for (const AddedGroup& row : added_groups()) ids.push_back(row.id);
  return ids;
}

}  // namespace nongemm
