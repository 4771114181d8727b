// One operator with all of its operands, as plain data: what a microbenchmark measures, wherever it came from.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "graph/graph.h"
#include "ops/op.h"

namespace nongemm::microbench {

/// What a tensor operand is filled with.
struct Content {
  enum class Kind : std::uint8_t {
    kNormal,   // mean 0, deviation 1; integers 0 to 9
    kUniform,  // 0 to 1; integers 0 to 9
    kZeros,
    kOnes,
    kIndices,  // integers from 0 to limit - 1
    kBoxes,    // x1, y1, x2, y2 within an image
    kRois,     // image, x1, y1, x2, y2
  };
  Kind kind = Kind::kNormal;
  std::int64_t limit = 0;

  bool operator==(const Content&) const = default;
};

struct TensorSpec {
  DType dtype = DType::kFloat32;
  Shape shape;
  Shape strides;  // in elements; empty: row-major contiguous
  Content content;
  /// A parameter of the operator (weight, bias): runtimes see it as constant.
  bool parameter = false;
};

using TensorList = std::vector<std::optional<TensorSpec>>;
/// A number, a text, none (Argument, without any use of a value), a tensor or a list of tensors.
using Operand = std::variant<Argument, TensorSpec, TensorList>;

/// Where an operator's schema comes from: the table, or the runtime for operators that the table does not know.
struct OperatorInfo {
  std::string name;  // "aten.layer_norm.default"
  Schema schema;
  const Op* op = nullptr;
  std::string schema_text;
};

struct Call {
  OperatorInfo info;
  std::vector<Operand> operands;  // one per schema argument
  /// Types of the results where the table has no rule for them; empty when only the run knows.
  std::vector<Type> results;
};

/// "[1, 2048, 4096] x [4096]" of the tensor operands; strides where they are not contiguous.
std::string shapes_text(const Call& call);
/// "eps=1e-05, dim=-1" of all other operands that differ from the schema's defaults.
std::string attributes_text(const Call& call);
/// The dtype that a row of the report shows: the first tensor's.
DType dtype_of(const Call& call);
/// "contiguous", "channels-last", "transposed" or strides, of the first tensor operand.
std::string layout_text(const Call& call);

/// Equal for calls with the same operator, shapes, strides, dtypes and attributes.
std::string key_of(const Call& call);

/// Bytes of all tensor operands.
double operand_bytes(const Call& call);

}  // namespace nongemm::microbench
