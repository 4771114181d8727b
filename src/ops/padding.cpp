// Padding: a copy with a frame around it. Memory movement.
#include <array>
#include <string>

#include "base/error.h"
#include "ops/entries.h"
#include "ops/onnx_rules.h"
#include "ops/rules.h"

namespace nongemm {
namespace {

using namespace rules;

/// (self, [last_low, last_high, next_low, ...]); padding by nothing is still a copy.
std::vector<Type> infer_pad(const Operands& operands) {
  const Type& self = operands.tensor(0);
  const std::vector<std::int64_t> pad = operands.integers(1);
  Type result = tensor_type(self.dtype, self.shape);
  if (pad.size() > 2 * self.shape.size()) {
    throw Error(ErrorKind::kBadInput,
                operands.node().op + ": more padding than " + to_string(self.shape) + " has sides");
  }
  for (std::size_t i = 0; i + 1 < pad.size(); i += 2) {
    std::int64_t& size = result.shape[self.shape.size() - 1 - i / 2];
    size = size == kDynamic || pad[i] == kDynamic || pad[i + 1] == kDynamic ? kDynamic : size + pad[i] + pad[i + 1];
  }
  return {result};
}

/// All but circular padding keep the order of memory of a map.
std::vector<Type> infer_pad_in_order(const Operands& operands) {
  std::vector<Type> result = infer_pad(operands);
  const int mode = operands.schema().find_arg("mode");
  const bool circular = mode >= 0 && operands.text(static_cast<std::size_t>(mode)) == "circular";
  if (!circular && is_channels_last(operands.tensor(0))) lay_channels_last(result[0]);
  return result;
}

// --- ONNX: PyTorch gives {low, high} for the last dimension first, ONNX all lows and then all highs ---
void pad_as(OnnxLowering& onnx, const std::string& mode, double value) {
  const Type& self = onnx.operands().tensor(0);
  const auto& pads = std::get<std::vector<Int>>(onnx.operands().raw(1));
  const std::size_t rank = self.shape.size();
  std::vector<Int> ordered(2 * rank, Int(0));
  for (std::size_t i = 0; i < pads.size(); ++i) {
    const std::size_t dim = rank - 1 - i / 2;
    ordered.at(i % 2 == 0 ? dim : rank + dim) = pads[i];
  }
  onnx.result(
      onnx.add("Pad", {onnx.tensor(0), onnx.integers(ordered), onnx.scalar(value, self.dtype)}, {{"mode", mode}}));
}

void pad(OnnxLowering& onnx) {
  const std::string_view mode = onnx.operands().text(2);
  const std::string onnx_mode = mode == "replicate" ? "edge" : mode == "circular" ? "wrap" : std::string(mode);
  if (onnx_mode == "wrap" && !onnx.at_least(19)) onnx.unsupported("circular padding came with opset 19");
  pad_as(onnx, onnx_mode, onnx.operands().has(3) ? onnx.operands().number(3) : 0.0);
}

void pad_constant(OnnxLowering& onnx) { pad_as(onnx, "constant", onnx.operands().number(2)); }
void pad_reflected(OnnxLowering& onnx) { pad_as(onnx, "reflect", 0.0); }
void pad_replicated(OnnxLowering& onnx) { pad_as(onnx, "edge", 0.0); }

constexpr OpEntry entry(std::string_view schema, InferRule infer, LowerRule lower) {
  return {.schema = schema,
          .group = Group::kMemoryMovement,
          .variant = "Pad",
          .traits = {.single_operation = true, .single_operand = true},
          .infer = infer,
          .cost = moves,
          .lower = lower};
}

constexpr std::array kEntries = {
    entry("aten::pad(Tensor self, SymInt[] pad, str mode='constant', float? value=None) -> Tensor", infer_pad_in_order,
          pad),
    entry("aten::constant_pad_nd(Tensor self, SymInt[] pad, Scalar value=0) -> Tensor", infer_pad_in_order,
          pad_constant),
    entry("aten::reflection_pad1d(Tensor self, SymInt[2] padding) -> Tensor", infer_pad, pad_reflected),
    entry("aten::reflection_pad2d(Tensor self, SymInt[4] padding) -> Tensor", infer_pad_in_order, pad_reflected),
    entry("aten::reflection_pad3d(Tensor self, SymInt[6] padding) -> Tensor", infer_pad, pad_reflected),
    entry("aten::replication_pad1d(Tensor self, SymInt[2] padding) -> Tensor", infer_pad, pad_replicated),
    entry("aten::replication_pad2d(Tensor self, SymInt[4] padding) -> Tensor", infer_pad_in_order, pad_replicated),
    entry("aten::replication_pad3d(Tensor self, SymInt[6] padding) -> Tensor", infer_pad, pad_replicated),
};

}  // namespace

std::span<const OpEntry> padding_entries() { return kEntries; }

}  // namespace nongemm
