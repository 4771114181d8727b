// Kernels of a compiled model as the runtime's steps.
#pragma once

#include "pt2/package.h"
#include "record/runtime_program.h"

namespace nongemm::inductor {

/// A library's product, convolution or attention that the compiler calls as it is, or a template of its own for one.
bool is_product(const std::string& kernel);
/// Not compiled: a call of PyTorch's own kernel.
bool is_extern(const std::string& kernel);

/// One step a launch, in their order, covering the nodes that the provenance names. A node of the GEMM group that some
/// product computes belongs to that step alone: the views that its decomposition leaves in others' kernels are no
/// product; a kernel with nothing else brings a product's operand into another layout. What no kernel covers was
/// folded, or is a view.
RuntimeProgram map_kernels(const pt2::CompiledPackage& package, const Graph& graph);

/// Whether the graph is that of a package as the user gave it (import/pt2/package_file.h).
bool is_package_graph(const Graph& graph);

}  // namespace nongemm::inductor
