// How the names in published checkpoints differ from the names a model has today.
#pragma once

#include <string>
#include <string_view>

#include "graph/graph.h"

namespace nongemm::weights {

/// Replaces the first place in `name` where `old_piece` occurs. `*` in it stands for a run without dots, and comes back
/// in the place of the same `*` of `new_piece`: ("layers.*.fc1", "layers.*.mlp.fc1"). `^` at its beginning ties it to
/// the name's. The name itself when the piece does not occur.
std::string rename_piece(std::string_view name, std::string_view old_piece, std::string_view new_piece);

/// All renames of the rules, each applied once, in order, the old names of every layer norm first (transformers'
/// "legacy").
std::string apply_renames(std::string_view name, const CheckpointRules& rules);

}  // namespace nongemm::weights
