// The small constants of a model: each value stands in it once.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "onnx/onnx_model.h"

namespace nongemm::onnx {

class Constants {
 public:
  /// Names of initializers; the same value gives the same name.
  std::string tensor(const HostTensor& tensor);
  /// A number of no dimensions, rounded to the type.
  std::string scalar(double value, DType dtype);
  /// Integers keep all their digits.
  std::string scalar(std::int64_t value, DType dtype);
  /// int64 [n]
  std::string integers(const std::vector<std::int64_t>& values);

  /// Initializers made so far, in the order of first use.
  const std::vector<Initializer>& initializers() const { return initializers_; }

 private:
  std::vector<Initializer> initializers_;
  std::map<std::string, std::string> names_;  // by type, shape and bytes
};

}  // namespace nongemm::onnx
