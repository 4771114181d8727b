// Which kernels a node's time goes to.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "record/trace.h"

namespace nongemm {

/// The launches of one kernel, or kind of copy, by one node: per inference.
struct KernelSum {
  NodeId node = kNoId;  // or step of the runtime's program; kNoId where not known
  std::string name;
  double device_s = 0;
  double launches = 0;
};

/// A kernel's name, or the kind of copy.
std::string name_of(const DeviceRecord& record, const Trace& trace);

/// Adds up the records of several inferences.
class KernelSums {
 public:
  void add(const Trace& trace);
  /// The most time first.
  std::vector<KernelSum> mean() const;

 private:
  std::map<std::pair<NodeId, std::string>, KernelSum> sums_;
  int inferences_ = 0;
};

}  // namespace nongemm
