// Values of a program's symbolic sizes, found from the shapes of its inputs.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/tensor.h"

namespace nongemm::pt2 {

/// One tensor that the program takes.
struct SizedInput {
  std::string name;
  const nlohmann::json* sizes = nullptr;  // a list of SymInt
  /// What the user wants it to be; the example's sizes where absent.
  std::optional<Shape> shape;
};

class Symbols {
 public:
  /// @param ranges the program's range_constraints
  explicit Symbols(const nlohmann::json& ranges) : ranges_(&ranges) {}

  /// Finds the symbols in the sizes of all inputs.
  /// @throws Error (kUsage) that names the input and dimension when a size does not fit
  void bind(const std::vector<SizedInput>& inputs);
  /// The first dimension of every input whose shape is not given, where it is free.
  /// @throws Error (kUsage) when it is not free and has another size
  void bind_batch(const std::vector<SizedInput>& inputs, std::int64_t batch);
  /// A number that the program takes. @throws Error (kUsage)
  void bind_number(const std::string& name, const nlohmann::json& sym_int, std::optional<std::int64_t> value);

  /// A SymInt, SymFloat or SymBool; nothing when only the run knows it.
  std::optional<double> value(const nlohmann::json& symbolic) const;
  /// A SymInt; kDynamic when only the run knows it.
  std::int64_t size(const nlohmann::json& sym_int) const;
  Shape shape(const nlohmann::json& sizes) const;
  /// Steps in memory: read like sizes, but their product means nothing.
  Shape strides(const nlohmann::json& list) const;

 private:
  /// Solves expression == wanted when it holds exactly one unknown, linearly.
  void solve(const std::string& expression, double wanted);
  void check_range(const std::string& symbol, double value) const;

  const nlohmann::json* ranges_;
  std::map<std::string, double> values_;
};

}  // namespace nongemm::pt2
