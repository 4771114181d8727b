// Operator schemas in PyTorch's notation, read once at start:
//   aten::add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"

namespace nongemm {

enum class ArgKind : std::uint8_t {
  kTensor,
  kInt,
  kFloat,
  kBool,
  kString,
  kScalar,  // int, float or bool
  kDType,
  kDevice,
  kLayout,
  kMemoryFormat,
  kGenerator,
};

struct SchemaArg {
  std::string name;
  ArgKind kind = ArgKind::kTensor;
  bool optional = false;          // "Tensor?"
  bool list = false;              // "Tensor[]", "int[2]"
  bool optional_element = false;  // "Tensor?[]"
  bool written = false;           // "Tensor(a!)": the operator writes into it
  bool keyword_only = false;
  int fixed_size = 0;  // "int[2]": a single number stands for two
  bool has_default = false;
  Argument default_value;
};

struct Schema {
  std::string name;      // "aten::add"
  std::string overload;  // "Tensor", empty for the default one
  std::vector<SchemaArg> args;
  std::vector<SchemaArg> results;

  /// "aten.add.Tensor", "aten.relu.default"
  std::string qualified_name() const;
  /// Position of the argument, or -1.
  int find_arg(std::string_view arg_name) const;
  /// An operator that works in place (relu_, copy_).
  bool writes() const;
};

/// Whether an argument may stand in this place. A used value is accepted wherever a tensor or a number is.
bool accepts(const SchemaArg& arg, const Argument& value);

/// Throws Error(kBadInput) naming the schema and the place when the text is not a schema.
Schema parse_schema(std::string_view text);

}  // namespace nongemm
