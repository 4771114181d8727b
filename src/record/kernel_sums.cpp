#include "record/kernel_sums.h"

#include <algorithm>

namespace nongemm {

std::string name_of(const DeviceRecord& record, const Trace& trace) {
  switch (record.kind) {
    case DeviceRecord::Kind::kKernel:
      return record.name < trace.names.size() ? trace.names[record.name] : "kernel without a name";
    case DeviceRecord::Kind::kMemset:
      return "memset";
    default:
      return "memcpy";
  }
}

void KernelSums::add(const Trace& trace) {
  ++inferences_;
  for (const DeviceRecord& record : trace.device) {
    std::string name = name_of(record, trace);
    KernelSum& sum = sums_[{record.node, name}];
    if (sum.launches == 0) {
      sum.node = record.node;
      sum.name = std::move(name);
    }
    sum.device_s += static_cast<double>(record.end_ns - record.begin_ns) * 1e-9;
    sum.launches += 1;
  }
}

std::vector<KernelSum> KernelSums::mean() const {
  std::vector<KernelSum> means;
  for (const auto& [key, sum] : sums_) {
    means.push_back(sum);
    means.back().device_s /= inferences_;
    means.back().launches /= inferences_;
  }
  std::stable_sort(means.begin(), means.end(),
                   [](const KernelSum& a, const KernelSum& b) { return a.device_s > b.device_s; });
  return means;
}

}  // namespace nongemm
