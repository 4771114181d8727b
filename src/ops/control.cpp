// Operators of our own: what a graph needs beside the dispatcher's operators to say what eager Python does.
// They cost next to nothing themselves; the nodes of a loop's body are measured like all others.
#include <array>

#include "ops/entries.h"
#include "ops/rules.h"

namespace nongemm {
namespace {

using namespace rules;

// size(self, dim): reads a dimension on the host, no device work.
std::vector<Type> infer_size(const Operands& operands) { return scalar_int(operands); }

constexpr std::array kEntries = {
    OpEntry{.schema = "aten::sym_size.int(Tensor self, int dim) -> SymInt",
            .group = Group::kControl,
            .variant = "Size",
            .traits = {},
            .infer = infer_size},
};

}  // namespace

std::span<const OpEntry> control_entries() { return kEntries; }

}  // namespace nongemm
