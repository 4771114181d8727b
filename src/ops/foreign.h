// Operators that the table does not know: those of imported models and of users' libraries. What can be said of them
// follows from their names and from what the file says of their operands; the runtime has their schemas.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "ops/op.h"

namespace nongemm {

/// The operator's own name: "native_layer_norm" of "aten.native_layer_norm.default".
std::string_view base_name(std::string_view op);

/// The table's entry of a node; nullptr when the table does not know the operator, or not with these arguments.
const Op* table_entry(const Node& node);

/// Whether the entry's rules hold for complex numbers: those of memory do, others where they say so. With others the
/// operator is one that the table does not know.
bool takes_complex(const Op& op);
/// Whether an operand of the node, or a result, is of complex numbers.
bool has_complex(const Graph& graph, const Node& node);

/// Where the name says what the operator does; Group::kOther otherwise.
Group guess_group(std::string_view op);

/// Whether the node writes into its argument `i`: `add_` into its first, `....out` into what is called so.
bool foreign_writes(const Node& node, std::size_t i);

/// Every operand read once, every result written once; nothing for a view. The work is not known.
Cost foreign_cost(const Graph& graph, const Node& node, Group group);

}  // namespace nongemm
