// Launches of the kernels of LLM.int8.
#pragma once

#include <cuda_runtime_api.h>

#include "flows/device/int8.h"

namespace nongemm::cuda {

using device::Int8Product;
using device::Int8Rows;
using device::kGatheredStep;

/// Two kernels, the first of which reads and writes everything once.
void launch_int8_rows(const Int8Rows& rows, cudaStream_t stream);
/// Products of any size on any device; with outliers after launch_prepare_outliers().
void launch_int8_product(const Int8Product& product, cudaStream_t stream);
/// What every product with outliers reads: copies of the weight's outlier columns, and of columns beyond those the
/// sums.
void launch_prepare_outliers(const Int8Product& product, cudaStream_t stream);
/// Scales and bias for product.sums.
void launch_int8_scale(const Int8Product& product, cudaStream_t stream);
/// Both factors in the product's type, for one product in it: left [rows, inner], right [columns, inner].
void launch_unfold(const Int8Product& product, void* left, void* right, cudaStream_t stream);
/// Sizes, types and addresses that launch_unfold() takes.
bool can_unfold(const Int8Product& product);
/// Adds the outlier columns' product to product.output, which holds the rest.
void launch_add_outliers(const Int8Product& product, cudaStream_t stream);

}  // namespace nongemm::cuda
