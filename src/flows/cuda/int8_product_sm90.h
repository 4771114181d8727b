// The tuned int8 product, which lies in a library of its own (libnongemm_cuda_sm90.so): it takes minutes to compile.
#pragma once

#include <cuda_runtime_api.h>

#include "flows/cuda/int8.h"

/// Products in fp16 and bf16 whose inner size is a multiple of 16 and whose columns are a multiple of 8, on devices of
/// compute capability 9.0. Returns nullptr, or why it could not be launched.
extern "C" const char* nongemm_int8_product_sm90(const nongemm::cuda::Int8Product& product, cudaStream_t stream);

/// A hash of the headers that the library and those who call it have to agree on.
extern "C" const char* nongemm_sm90_interface();

/// Functions of these types by those names.
using NongemmInt8Product = decltype(&nongemm_int8_product_sm90);
using NongemmSm90Interface = decltype(&nongemm_sm90_interface);
