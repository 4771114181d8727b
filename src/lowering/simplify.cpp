#include "lowering/simplify.h"

#include "lowering/fold_constants.h"
#include "lowering/simplify_layouts.h"
#include "onnx/names.h"

namespace nongemm::onnx {

std::size_t simplify(ModelDef& model, const Graph& graph, const GiveWeight& give) {
  const std::size_t folded = fold_constants(model, give);
  return folded + simplify_layouts(model, [&](const std::string& name) -> std::optional<Shape> {
           const ValueId value = value_named(name);
           if (value >= graph.values.size()) return std::nullopt;  // kNoId, too
           return graph.values[value].type.shape;
         });
}

}  // namespace nongemm::onnx
