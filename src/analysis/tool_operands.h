// Operands of a foreign trace's operators, where it recorded shapes: with them the table tells work and bytes.
#pragma once

#include "record/tool_trace.h"

namespace nongemm {

/// Makes of a node that is a name alone ("aten.addmm") the table's operator with operands and results. False, and
/// nothing changed, where the file does not tell them, or not all that the operator's rules ask for.
bool add_operands(const ToolTrace& trace, const ToolNode& told, Graph& graph, Node& node);

}  // namespace nongemm
