// Arguments of an exported program's nodes as the graph's.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "graph/graph.h"
#include "ops/schema.h"

namespace nongemm::pt2 {

/// What the names of a program stand for: values of the graph, or numbers, texts and None that are known.
using Names = std::map<std::string, Argument, std::less<>>;

/// A tagged union, {"as_tensor": {...}}: its tag and its content. Throws Error(kBadInput) for anything else.
std::pair<std::string_view, const nlohmann::json*> union_of(const nlohmann::json& value);

/// @param json a tagged union of torch's schema ("as_tensor", "as_ints", ...)
/// @param schema the place that it is for; nullptr when the operator table does not know the operator
/// @throws Error (kUnsupported) for kinds that no graph holds, (kBadInput) for names without definition
Argument read_argument(const nlohmann::json& json, const SchemaArg* schema, const Names& names);

}  // namespace nongemm::pt2
