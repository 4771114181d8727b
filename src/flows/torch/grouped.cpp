#include "flows/torch/grouped.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/_grouped_mm.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/zeros.h>
#include <torch/library.h>

#include <cstdint>

namespace nongemm::torch_flow {
namespace {

/// Rows or columns lie whole in memory and begin at multiples of 16 bytes, which aten::_grouped_mm insists on.
bool begins_evenly(const at::Tensor& matrices) {
  constexpr std::int64_t kStep = 16;
  const std::int64_t rows = matrices.stride(-2);
  const std::int64_t columns = matrices.stride(-1);
  if (rows != 1 && columns != 1) return false;
  const std::int64_t along = (columns == 1 ? rows : columns) * matrices.element_size();
  return along % kStep == 0 && reinterpret_cast<std::uintptr_t>(matrices.const_data_ptr()) % kStep == 0;
}

/// @param input [rows, in], sorted by group
/// @param weight [groups, in, out]
/// @param offs [groups], where each group's rows end
at::Tensor grouped_mm_fallback(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& offs) {
  if (begins_evenly(input) && begins_evenly(weight)) {
    return at::_grouped_mm(input, weight, offs.to(at::kInt)).contiguous();
  }
  at::Tensor output = at::zeros({input.size(0), weight.size(2)}, input.options());
  const at::Tensor ends = offs.to(at::kCPU, at::kLong);
  std::int64_t begin = 0;
  for (std::int64_t group = 0; group < ends.numel(); ++group) {
    const std::int64_t end = ends.const_data_ptr<std::int64_t>()[group];
    if (end == begin) continue;
    at::Tensor part = output.slice(0, begin, end);
    at::mm_out(part, input.slice(0, begin, end), weight.select(0, group));
    begin = end;
  }
  return output;
}

}  // namespace

void register_grouped_products() {
  static torch::Library library = [] {
    torch::Library fragment(torch::Library::FRAGMENT, "transformers", std::nullopt, __FILE__, __LINE__);
    fragment.def("grouped_mm_fallback(Tensor input, Tensor weight, Tensor offs) -> Tensor");
    fragment.impl("grouped_mm_fallback", c10::DispatchKey::CompositeExplicitAutograd,
                  torch::CppFunction::makeFromUnboxedFunction(grouped_mm_fallback));
    return fragment;
  }();
}

}  // namespace nongemm::torch_flow
