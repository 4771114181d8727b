// Other names for a model's nodes. Runtimes tell what they ran by the names of nodes, which ONNX lets models leave out.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "onnx/messages.h"

namespace nongemm::onnx {

/// The same model with a name of its own, of plain characters, for every node, those of bodies and functions included;
/// empty when they all have one already. Nothing else of it changes.
/// @throws Error(kBadInput) when the bytes are no ONNX model
std::string with_named_nodes(std::string_view model);

/// Gives a node's name by its position: among the nodes of the graph, a node before those of its bodies; behind them
/// the nodes of functions.
using GiveName = std::function<std::string(std::size_t position, const NodeMessage& node)>;

/// The same model with other names for its nodes. @throws Error(kBadInput) when the bytes are no ONNX model
std::string with_node_names(std::string_view model, const GiveName& give);

}  // namespace nongemm::onnx
