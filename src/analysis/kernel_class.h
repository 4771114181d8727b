// What a kernel does, told from its name: the only word on what happens inside blocks that a runtime compiles as one.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "record/kernel_sums.h"
#include "record/runtime_program.h"

namespace nongemm {

enum class KernelClass : std::uint8_t {
  kMatmul,
  kConvolution,
  kAttention,  // products and softmax in one kernel
  kPointwise,  // element-wise chains, generated or not
  kReduction,  // normalization, softmax and the like with their element-wise neighbours
  kCopy,       // transposes, concatenations, changes of format
  kUnknown,
};
std::string_view title_of(KernelClass kind);

/// Names as cuBLAS, cuDNN, CUTLASS, TensorRT and its Myelin compiler give them, demangled.
KernelClass class_of_kernel(std::string_view name);

/// The kernels of one class inside opaque steps.
struct OpaqueTime {
  KernelClass kind = KernelClass::kUnknown;
  double launches = 0;  // per inference
  double time_s = 0;
  double share = 0;     // of all time inside opaque steps
  std::string example;  // the kernel with the most time
};

/// In the order of KernelClass, those that occur; what is not known stands last.
std::vector<OpaqueTime> time_inside_opaque_steps(const RuntimeProgram& program, const std::vector<KernelSum>& kernels);

}  // namespace nongemm
