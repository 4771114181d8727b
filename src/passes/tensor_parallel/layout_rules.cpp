// Views and concatenations of cut operands.
#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include "passes/tensor_parallel/rules.h"

namespace nongemm::passes {
namespace {

std::vector<std::int64_t> one_piece(std::int64_t size) { return {size}; }

void set_sizes(CutNode& node, std::size_t position, std::size_t at, std::int64_t size) {
  auto& sizes = std::get<std::vector<Int>>(node.node.args[position]);
  if (at >= sizes.size() || !sizes[at].known()) node.fail("a size is only known at run time");
  if (sizes[at].value != -1) sizes[at] = Int(size);
}

/// Where the cut dimension of `from` is in a view of sizes `to`, and its pieces there. The two are compared from the
/// front, group by group of dimensions with as many elements; the cut one has to lead its group, so that a rank's part
/// stays together.
Placement through_view(const CutNode& node, const Shape& from, const Shape& to, const Placement& cut) {
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < from.size()) {
    std::int64_t left = from[i];
    std::int64_t right = j < to.size() ? to[j] : 1;
    std::size_t i_end = i + 1;
    std::size_t j_end = j < to.size() ? j + 1 : j;
    while (left != right) {
      const bool grow_left = left < right;
      if (grow_left ? i_end >= from.size() : j_end >= to.size()) node.fail("its sizes do not fit");
      (grow_left ? left : right) *= grow_left ? from[i_end++] : to[j_end++];
    }
    if (cut.dim >= i && cut.dim < i_end) {
      const auto leads = [&](const Shape& shape, std::size_t begin) {
        while (begin + 1 < shape.size() && shape[begin] == 1) ++begin;
        return begin;
      };
      if (leads(from, i) != cut.dim) node.fail("it merges the dimension that is cut into another");
      const std::size_t place = leads(to, j);
      std::vector<std::int64_t> pieces;
      for (const std::int64_t piece : cut.pieces) {
        if (piece * to[place] % from[cut.dim] != 0) node.fail("a piece of the dimension that is cut is divided");
        pieces.push_back(piece * to[place] / from[cut.dim]);
        (void)node.share(pieces.back());
      }
      return Placement::cut(place, std::move(pieces));
    }
    i = i_end;
    j = j_end;
  }
  node.fail("its sizes do not fit");
}

void cut_view(CutNode& node) {
  const Shape& to = node.result_shape();
  const Placement result = through_view(node, node.shape(0), to, node.at(0));
  set_sizes(node, 1, result.dim, to[result.dim] / node.ranks());
  node.all_results(result);
}

void cut_flatten(CutNode& node) {
  node.all_results(through_view(node, node.shape(0), node.result_shape(), node.at(0)));
}

void cut_permute(CutNode& node) {
  const std::vector<std::int64_t> dims = node.integers(1);
  const auto rank = static_cast<std::int64_t>(dims.size());
  const auto from = std::find_if(dims.begin(), dims.end(), [&](std::int64_t dim) {
    return static_cast<std::size_t>(dim < 0 ? dim + rank : dim) == node.at(0).dim;
  });
  node.all_results(Placement::cut(static_cast<std::size_t>(from - dims.begin()), node.at(0).pieces));
}

void swap_dims(CutNode& node, std::size_t first, std::size_t second) {
  std::size_t dim = node.at(0).dim;
  if (dim == first || dim == second) dim = dim == first ? second : first;
  node.all_results(Placement::cut(dim, node.at(0).pieces));
}

void cut_transpose(CutNode& node) {
  const std::size_t rank = node.shape(0).size();
  swap_dims(node, node.dim(1, rank), node.dim(2, rank));
}

void cut_t(CutNode& node) { swap_dims(node, 0, node.shape(0).size() - 1); }

void cut_unsqueeze(CutNode& node) {
  const std::size_t at = node.dim(1, node.shape(0).size() + 1);
  node.all_results(Placement::cut(node.at(0).dim + (at <= node.at(0).dim ? 1 : 0), node.at(0).pieces));
}

void cut_squeeze(CutNode& node) {
  const Shape& from = node.shape(0);
  if (from.size() == node.result_shape().size()) return node.all_results(node.at(0));
  const std::size_t at = node.dim(1, from.size());
  if (at == node.at(0).dim) node.fail("it drops the dimension that is cut");
  node.all_results(Placement::cut(node.at(0).dim - (at < node.at(0).dim ? 1 : 0), node.at(0).pieces));
}

void cut_select(CutNode& node) {
  const std::size_t at = node.dim(1, node.shape(0).size());
  if (at == node.at(0).dim) node.fail("it takes one element of the dimension that is cut");
  node.all_results(Placement::cut(node.at(0).dim - (at < node.at(0).dim ? 1 : 0), node.at(0).pieces));
}

void cut_expand(CutNode& node) {
  const Shape& to = node.result_shape();
  const std::size_t dim = node.at(0).dim + to.size() - node.shape(0).size();
  set_sizes(node, 1, dim, to[dim] / node.ranks());
  node.all_results(Placement::cut(dim, node.at(0).pieces));
}

/// The pieces between two bounds of the whole, and where they begin in a rank's part.
struct Stretch {
  std::vector<std::int64_t> pieces;
  std::int64_t begin = 0;
  std::int64_t size = 0;
};

Stretch stretch_of(const CutNode& node, std::int64_t begin, std::int64_t end) {
  Stretch stretch;
  std::int64_t at = 0;
  for (const std::int64_t piece : node.at(0).pieces) {
    if (at < begin) stretch.begin += node.share(piece);
    if (at >= begin && at + piece <= end) {
      stretch.pieces.push_back(piece);
      stretch.size += node.share(piece);
    }
    at += piece;
  }
  const std::int64_t taken = std::accumulate(stretch.pieces.begin(), stretch.pieces.end(), std::int64_t{0});
  if (taken != end - begin) node.fail("it takes a stretch of the dimension that is cut");
  return stretch;
}

void cut_slice(CutNode& node) {
  const Shape& shape = node.shape(0);
  const Placement& cut = node.at(0);
  if (node.dim(1, shape.size()) != cut.dim) return node.all_results(cut);
  const std::int64_t size = shape[cut.dim];
  const auto bound = [&](std::size_t position, std::int64_t otherwise) {
    const std::int64_t at = node.integer(position).value_or(otherwise);
    return std::clamp<std::int64_t>(at < 0 ? at + size : at, 0, size);
  };
  const std::int64_t step = node.integer(4).value_or(1);
  if (step == 1) {
    const Stretch stretch = stretch_of(node, bound(2, 0), bound(3, size));
    node.node.args[2] = stretch.begin;
    node.node.args[3] = stretch.begin + stretch.size;
    return node.all_results(Placement::cut(cut.dim, stretch.pieces));
  }
  // Every other one, of gates and values side by side.
  if (cut.pieces.size() != 1 || node.share(size) % step != 0 || bound(3, size) != size || bound(2, 0) >= step) {
    node.fail("it steps through the dimension that is cut");
  }
  node.all_results(Placement::cut(cut.dim, one_piece(size / step)));
}

/// split, split_with_sizes and chunk along the cut dimension.
void cut_split(CutNode& node) {
  const Placement& cut = node.at(0);
  if (node.dim(2, node.shape(0).size()) != cut.dim) return node.all_results(cut);
  std::int64_t begin = 0;
  std::vector<Int> sizes;
  for (std::size_t i = 0; i < node.node.outputs.size(); ++i) {
    const std::int64_t end = begin + node.result_shape(i)[cut.dim];
    const Stretch stretch = stretch_of(node, begin, end);
    node.results.push_back(Placement::cut(cut.dim, stretch.pieces));
    sizes.emplace_back(stretch.size);
    begin = end;
  }
  if (node.node.op == "aten.split.Tensor") node.node.args[1] = sizes.front().value;
  if (node.node.op == "aten.split_with_sizes.default") node.node.args[1] = sizes;
}

void cut_unbind(CutNode& node) {
  const std::size_t at = node.dim(1, node.shape(0).size());
  if (at == node.at(0).dim) node.fail("it takes the dimension that is cut apart");
  node.all_results(Placement::cut(node.at(0).dim - (at < node.at(0).dim ? 1 : 0), node.at(0).pieces));
}

/// All cut alike; empty ones, as a cache is before its first token, do not count.
void cut_cat(CutNode& node) {
  const Placement* cut = nullptr;
  std::size_t rank = 0;
  for (const ValueId value : node.list(0)) {
    const Shape& shape = node.type(value).shape;
    if (shape.size() == 1 && shape[0] == 0) continue;
    const Placement& placement = node.placement(value);
    if (cut != nullptr && !(placement == *cut)) node.fail("its operands are cut in different ways");
    cut = &placement;
    rank = shape.size();
  }
  if (cut == nullptr || !cut->is_cut() || node.dim(1, rank) == cut->dim)
    node.fail("it joins the dimension that is cut");
  node.all_results(*cut);
}

}  // namespace

std::vector<cut_rules::NamedRule> cut_rules::layout_rules() {
  return {{"aten.view.default", cut_view},
          {"aten.reshape.default", cut_view},
          {"aten._unsafe_view.default", cut_view},
          {"aten.flatten.using_ints", cut_flatten},
          {"aten.permute.default", cut_permute},
          {"aten.transpose.int", cut_transpose},
          {"aten.t.default", cut_t},
          {"aten.unsqueeze.default", cut_unsqueeze},
          {"aten.squeeze.dim", cut_squeeze},
          {"aten.select.int", cut_select},
          {"aten.expand.default", cut_expand},
          {"aten.slice.Tensor", cut_slice},
          {"aten.split.Tensor", cut_split},
          {"aten.split_with_sizes.default", cut_split},
          {"aten.chunk.default", cut_split},
          {"aten.unbind.int", cut_unbind},
          {"aten.cat.default", cut_cat}};
}

}  // namespace nongemm::passes
