// Cases of operators that view, move and fill memory.
#include "onnx_rule_cases.h"

namespace nongemm {
namespace {

using Inputs = RuleInputs;
using Case = RuleCase;
using Results = std::vector<Tensor>;

std::vector<Case> memory() {
  return {
      {"views",
       [](Builder& b, const Inputs& in) {
         const Tensor turned = b.call("aten.permute.default", {in.x, Shape{2, 0, 1}});
         const Tensor flat = b.call("aten.flatten.using_ints", {turned, 1, 2});
         const Tensor cut = b.call("aten.slice.Tensor", {flat, 1, -4, -1, 2});
         const Tensor wide =
             b.call("aten.expand.default", {b.call("aten.unsqueeze.default", {cut, 0}), Shape{3, -1, -1}});
         return Results{flat,
                        cut,
                        wide,
                        b.call("aten.unflatten.int", {flat, 1, Shape{3, -1}}),
                        b.call("aten.select.int", {turned, -1, 1}),
                        b.call("aten.narrow.default", {in.x, 2, 1, 2})};
       }},
      {"pieces",
       [](Builder& b, const Inputs& in) {
         Results all = b.call_all("aten.split.Tensor", {in.x, 3, 2});
         for (const Tensor& piece : b.call_all("aten.unbind.int", {in.x, 1})) all.push_back(piece);
         for (const Tensor& piece : b.call_all("aten.chunk.default", {in.x, 2, 2})) all.push_back(piece);
         return all;
       }},
      {"joins",
       [](Builder& b, const Inputs& in) {
         const Tensor halves = b.call("aten.to.dtype", {in.x, DType::kFloat64});
         return Results{b.call("aten.cat.default", {Results{in.x, in.positive}, -1}),
                        b.call("aten.concat.default", {Results{in.x, in.positive}, 0}),
                        b.call("aten.stack.default", {Results{in.x, in.positive}, 1}), halves};
       }},
      {"moves",
       [](Builder& b, const Inputs& in) {
         return Results{b.call("aten.roll.default", {in.x, Shape{-1, 5}, Shape{1, 2}}),
                        b.call("aten.flip.default", {in.x, Shape{0, 2}}),
                        b.call("aten.repeat.default", {in.x, Shape{2, 1, 1, 2}}),
                        b.call("aten.repeat_interleave.self_int", {in.x, 2, 1}),
                        b.call("aten.pad.default", {in.x, Shape{1, 2, -1, 1}}),
                        b.call("aten.pad.default", {in.image, Shape{1, 2, 2, 1}, "reflect"}),
                        b.call("aten.pad.default", {in.image, Shape{1, 2, 2, 1}, "replicate"}),
                        b.call("aten.tril.default", {in.image, 1}),
                        b.call("aten.triu.default", {in.image, -1})};
       }},
      {"index_one",
       [](Builder& b, const Inputs& in) {
         return b.call_all("aten.index.Tensor", {in.x, Results{Tensor(), Tensor(), in.k}});
       }},
      {"index_side_by_side",
       [](Builder& b, const Inputs& in) {
         const Tensor column = b.call("aten.arange.default", {3});
         return b.call_all("aten.index.Tensor", {in.image, Results{Tensor(), in.k, column}});
       }},
      {"index_apart",
       [](Builder& b, const Inputs& in) {
         return b.call_all("aten.index.Tensor", {in.image, Results{Tensor(), in.k, Tensor(), in.k}});
       }},
      {"index_by_mask",
       [](Builder& b, const Inputs& in) {
         return b.call_all("aten.index.Tensor", {in.x, Results{in.mask}});
       }},
      {"index_put",
       [](Builder& b, const Inputs& in) {
         const Tensor zeros = b.call("aten.zeros_like.default", {in.image});
         const Tensor values = b.call("aten.select.int", {b.call("aten.select.int", {in.y, 0, 1}), 0, 0});
         b.call("aten.index_put_.default", {zeros, Results{Tensor(), in.k}, values});
         b.call("aten.index_put_.default", {zeros, Results{b.call("aten.ge.Scalar", {in.image, 0.5})}, values});
         return Results{zeros};
       }},
      {"index_put_behind",
       [](Builder& b, const Inputs& in) {
         // Values stand as the written elements do in PyTorch: the indexed dimension where it is, not in front.
         const Tensor zeros = b.call("aten.zeros_like.default", {in.x});
         const Tensor last = b.constant(HostTensor::from<std::int64_t>(DType::kInt64, {2}, {-1, 1}));
         const Tensor values = b.call("aten.slice.Tensor", {in.x, 2, 0, 2, 1});
         b.call("aten.index_put_.default", {zeros, Results{Tensor(), Tensor(), last}, values});
         return Results{zeros};
       }},
      {"gathers",
       [](Builder& b, const Inputs& in) {
         const Tensor row = b.call("aten.select.int", {in.k, 0, 0});
         return Results{b.call("aten.gather.default", {in.x, 2, b.call("aten.unsqueeze.default", {in.k, 2})}),
                        b.call("aten.index_select.default", {in.x, 2, row}),
                        b.call("aten.embedding.default",
                               {b.call("aten.select.int", {b.call("aten.select.int", {in.image, 0, 0}), 0, 1}), in.k}),
                        row};
       }},
      {"writes",
       [](Builder& b, const Inputs& in) {
         const Tensor base = b.call("aten.full.default", {Shape{2, 3, 6}, 0.5});
         const Tensor part = b.call("aten.slice.Tensor", {b.call("aten.transpose.int", {base, 1, 2}), 1, 1, 5});
         b.call("aten.copy_.default", {part, b.call("aten.transpose.int", {in.x, 1, 2})});
         b.call("aten.relu_.default", {part});
         b.call("aten.fill_.Scalar", {b.call("aten.select.int", {base, 0, 1}), 2});
         return Results{base, b.call("aten.mul_.Tensor", {b.call("aten.view.default", {base, Shape{-1}}), 2.0}), part};
       }},
      {"makes",
       [](Builder& b, const Inputs& in) {
         Results all = b.call_all("aten.meshgrid.indexing",
                                  {Results{b.call("aten.arange.default", {3}), b.call("aten.arange.start", {2, 6})}},
                                  {{"indexing", "ij"}});
         all.push_back(b.call("aten.arange.start_step", {1.0, 2.1, 0.25}));
         all.push_back(b.call("aten.new_ones.default", {in.n, Shape{2, 2}}));
         all.push_back(b.call("aten.full_like.default", {in.x, 3}));
         return all;
       }},
  };
}

/// Views that drop or add dimensions of one element.
std::vector<Case> views() {
  return {
      {"squeezes",
       [](Builder& b, const Inputs& in) {
         const Tensor x = b.call("aten.view.default", {in.x, Shape{1, 6, 1, 4, 1}});
         return Results{b.call("aten.squeeze.default", {x}), b.call("aten.squeeze.dim", {x, 2}),
                        b.call("aten.squeeze.dim", {x, 1}), b.call("aten.squeeze.dims", {x, Shape{0, -1}})};
       }},
      {"turned_matrix", [](Builder& b, const Inputs& in) { return b.call_all("aten.t.default", {in.y}); }},
      {"expand_as",
       [](Builder& b, const Inputs& in) {
         return b.call_all("aten.expand_as.default", {in.y, in.x});
       }},
  };
}

std::vector<Case> fills() {
  return {
      {"filled",
       [](Builder& b, const Inputs& in) {
         return Results{b.call("aten.zeros.default", {Shape{2, 3}}),
                        b.call("aten.ones.default", {Shape{2}}, {{"dtype", DType::kInt64}}),
                        b.call("aten.ones_like.default", {in.n}),
                        b.call("aten.new_zeros.default", {in.x, Shape{3}}),
                        b.call("aten.new_full.default", {in.n, Shape{2, 1}, 7}),
                        b.call("aten.scalar_tensor.default", {2.5})};
       }},
      {"filled_later",  // what an empty tensor holds is nobody's business before
       [](Builder& b, const Inputs& in) {
         return Results{b.call("aten.fill_.Scalar", {b.call("aten.empty.memory_format", {Shape{2, 3}}), 1.5}),
                        b.call("aten.zero_.default", {b.call("aten.empty_strided.default", {Shape{2}, Shape{1}})}),
                        b.call("aten.zero_.default", {b.call("aten.new_empty.default", {in.n, Shape{3}})})};
       }},
      {"number_of_a_tensor",
       [](Builder& b, const Inputs& in) {
         const Tensor one = b.call("aten.select.int", {b.call("aten.select.int", {in.y, 0, 1}), 0, 0});
         return Results{b.call("aten.mul.Tensor", {in.x, b.call("aten.item.default", {one})})};
       }},
  };
}

}  // namespace

std::vector<RuleCase> memory_rule_cases() {
  std::vector<Case> all;
  for (const auto& group : {memory(), views(), fills()}) all.insert(all.end(), group.begin(), group.end());
  return all;
}

}  // namespace nongemm
