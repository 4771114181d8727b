#include "flows/torch/ranks/all_reduce.h"

#include <ATen/core/Tensor.h>
#include <torch/library.h>

#include <string>
#include <torch/csrc/distributed/c10d/GroupRegistry.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#include <vector>

namespace nongemm::torch_flow {
namespace {

at::Tensor all_reduce(const at::Tensor& input, c10::string_view reduce_op, c10::string_view group) {
  TORCH_CHECK(reduce_op == "sum", "nongemm::all_reduce_ adds up and does nothing else, ", reduce_op, " least of all");
  const auto ranks = c10d::resolve_process_group(std::string(group));
  std::vector<at::Tensor> tensors{input};
  c10d::AllreduceOptions options;
  options.asyncOp = false;  // NCCL then takes the stream that the operators run on
  const auto work = ranks->getBackend(input.device().type())->allreduce(tensors, options);
  if (work != nullptr) work->wait();
  return input;
}

}  // namespace

void register_all_reduce() {
  static torch::Library library = [] {
    torch::Library fragment(torch::Library::FRAGMENT, "nongemm", std::nullopt, __FILE__, __LINE__);
    fragment.def("all_reduce_(Tensor(a!) input, str reduce_op, str group_name) -> Tensor(a!)", all_reduce);
    return fragment;
  }();
  (void)library;
}

}  // namespace nongemm::torch_flow
