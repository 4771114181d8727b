// Several operators in one: what no product is needed for, and PyTorch without a compiler launches one by one.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "graph/graph.h"
#include "passes/fuse/places.h"
#include "spec/fuse_kind.h"

namespace nongemm::passes {

struct Fusion {
  FuseKind kind;
  std::string_view id;
  /// Places of which none has a node of another one.
  std::vector<Place> (*find)(const Search& search);
};

/// What `--fuse` takes besides none and all, in the order in which `all` does them.
std::span<const Fusion> fusions();

/// The graph with these operators in one each, or as it is for none. Results are the same but for sums in another
/// order: each operator rounds where those that it stands for round. Throws Error(kUsage) where there are none.
Graph fuse(Graph graph, FuseKind kind);

// --- one file each ---

/// mul(0.5 x, 1 + tanh(..)) and mul(0.5 x, 1 + erf(..)), written out: aten.gelu
std::vector<Place> find_gelus(const Search& search);
/// mul(activation(gate), other): nongemm.gated_activation
std::vector<Place> find_gates(const Search& search);
/// FrozenBatchNorm2d, written out: aten.batch_norm
std::vector<Place> find_frozen_norms(const Search& search);
/// RMS norms written out; these and layer_norm with the sum before them: nongemm.{rms_norm,add_rms_norm,add_layer_norm}
std::vector<Place> find_norms(const Search& search);
/// add(mul(x, cos), mul(half_turn(x), sin)), and by halves: nongemm.rotary
std::vector<Place> find_rotations(const Search& search);

}  // namespace nongemm::passes
