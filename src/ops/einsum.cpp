// Einsum: "bqc,bchw->bqhw", "...ij,jk", "ii".
#include <algorithm>
#include <array>
#include <cctype>
#include <iterator>
#include <map>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "ops/entries.h"
#include "ops/onnx_rules.h"
#include "ops/products.h"

namespace nongemm {
namespace {

using namespace rules;
using namespace products;

/// Dimensions by label: letters are their codes, those that an ellipsis stands for count from the last one.
struct Einsum {
  std::vector<std::vector<int>> operands;
  std::vector<int> output;
  std::map<int, std::int64_t> sizes;
};

constexpr int kEllipsis = 256;

[[noreturn]] void refuse_einsum(const std::string& equation, const std::string& why = "does not fit its operands") {
  throw Error(ErrorKind::kBadInput, "einsum '" + equation + "' " + why);
}

/// Labels of one operand, or of the output. @param rank of the operand; for the output, of what its ellipsis stands for
std::vector<int> labels_of(const std::string& equation, std::string_view term, std::size_t rank, bool is_output) {
  const std::size_t dots = term.find("...");
  std::vector<int> labels;
  const auto letters = [&](std::string_view text) {
    for (const char letter : text) {
      if (std::isalpha(static_cast<unsigned char>(letter)) == 0) refuse_einsum(equation);
      labels.push_back(letter);
    }
  };
  if (dots == std::string_view::npos) {
    letters(term);
    return labels;
  }
  letters(term.substr(0, dots));
  const std::size_t named = term.size() - 3;
  if (!is_output && named > rank) refuse_einsum(equation);
  for (std::size_t i = is_output ? rank : rank - named; i-- > 0;) labels.push_back(kEllipsis + static_cast<int>(i));
  letters(term.substr(dots + 3));
  return labels;
}

/// A label has one size. Sizes of 1 are stretched, but not beside another of the same operand ("ii").
void take_sizes(const std::string& equation, const std::vector<int>& labels, const Shape& shape, Einsum& einsum) {
  std::map<int, std::int64_t> own;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto refuse = [&](std::int64_t other) {
      const std::string name = labels[i] < kEllipsis ? std::string(1, static_cast<char>(labels[i])) : "...";
      refuse_einsum(equation, "has the sizes " + std::to_string(other) + " and " + std::to_string(shape[i]) + " for '" +
                                  name + "'");
    };
    const std::int64_t here = own.try_emplace(labels[i], shape[i]).first->second;
    if (here != shape[i] && here != kDynamic && shape[i] != kDynamic) refuse(here);
    std::int64_t& size = einsum.sizes.try_emplace(labels[i], 1).first->second;
    if (size == 1 || size == kDynamic) {
      size = shape[i] == 1 ? size : shape[i];
    } else if (shape[i] != size && shape[i] != 1 && shape[i] != kDynamic) {
      refuse(size);
    }
  }
}

Einsum einsum_of(const Operands& operands) {
  const std::string equation(operands.text(0));
  const std::vector<const Type*> tensors = operands.tensors(1);
  std::string bare;
  std::copy_if(equation.begin(), equation.end(), std::back_inserter(bare), [](char c) { return c != ' '; });
  const std::size_t arrow = bare.find("->");
  Einsum einsum;
  std::string_view inputs = std::string_view(bare).substr(0, arrow);
  int spanned = 0;  // dimensions that the ellipses stand for, at most
  if (tensors.empty()) refuse_einsum(equation);
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    const Type* tensor = tensors[t];
    if (tensor == nullptr) refuse_einsum(equation);
    const std::size_t comma = inputs.find(',');
    const bool last = t + 1 == tensors.size();
    if ((comma == std::string_view::npos) != last) refuse_einsum(equation);
    einsum.operands.push_back(labels_of(equation, inputs.substr(0, comma), tensor->shape.size(), false));
    const std::vector<int>& labels = einsum.operands.back();
    if (labels.size() != tensor->shape.size()) refuse_einsum(equation);
    take_sizes(equation, labels, tensor->shape, einsum);
    for (const int label : labels) spanned = std::max(spanned, label - kEllipsis + 1);
    if (!last) inputs.remove_prefix(comma + 1);
  }
  if (arrow != std::string::npos) {
    const std::string_view output = std::string_view(bare).substr(arrow + 2);
    einsum.output = labels_of(equation, output, static_cast<std::size_t>(spanned), true);
    for (const int label : einsum.output) {
      if (!einsum.sizes.contains(label)) refuse_einsum(equation);
    }
    return einsum;
  }
  // Without an output part: the ellipsis, then the letters that occur once, in the order of the alphabet.
  for (int i = spanned; i-- > 0;) einsum.output.push_back(kEllipsis + i);
  for (const auto& [label, size] : einsum.sizes) {
    std::ptrdiff_t count = 0;
    for (const auto& labels : einsum.operands) count += std::count(labels.begin(), labels.end(), label);
    if (label < kEllipsis && count == 1) einsum.output.push_back(label);
  }
  return einsum;
}

/// Two operands are multiplied as matrices when something is summed over: the product has the labels of both, then the
/// left one's, then the right one's, and the result is that product with its dimensions in another order.
void lay_as_product(const Einsum& einsum, Type& result) {
  if (einsum.operands.size() != 2) return;
  const std::set<int> left(einsum.operands[0].begin(), einsum.operands[0].end());
  const std::set<int> right(einsum.operands[1].begin(), einsum.operands[1].end());
  const auto is_output = [&](int label) { return std::count(einsum.output.begin(), einsum.output.end(), label) > 0; };
  const bool sums = std::any_of(left.begin(), left.end(), [&](int label) { return !is_output(label); });
  if (!sums || std::count(result.shape.begin(), result.shape.end(), kDynamic) > 0) return;
  const auto place = [&](std::size_t dim) {
    const int label = einsum.output[dim];
    return left.contains(label) && right.contains(label) ? 0 : (left.contains(label) ? 1 : 2);
  };
  std::vector<std::size_t> order(result.shape.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return place(a) < place(b); });
  result.strides.assign(order.size(), 1);
  std::int64_t step = 1;
  for (std::size_t i = order.size(); i-- > 0;) {
    result.strides[order[i]] = step;
    step *= std::max<std::int64_t>(result.shape[order[i]], 1);
  }
  if (is_contiguous(result)) result.strides.clear();
}

std::vector<Type> infer_einsum(const Operands& operands) {
  const Einsum einsum = einsum_of(operands);
  Shape shape;
  for (const int label : einsum.output) shape.push_back(einsum.sizes.at(label));
  Type result = tensor_type(operands.tensors(1).at(0)->dtype, shape);
  lay_as_product(einsum, result);
  return {result};
}

/// Counts an einsum as PyTorch calculates it: two operands at a time, from the left or along a given path. A label that
/// nobody needs any more is summed over at once: in both operands together by a product of matrices, in one of them by
/// an addition before it.
class Contraction {
 public:
  explicit Contraction(const Einsum& einsum, const std::vector<const Type*>& tensors)
      : einsum_(einsum), output_(einsum.output.begin(), einsum.output.end()) {
    for (std::size_t t = 0; t < tensors.size(); ++t) {
      Term term;
      for (std::size_t i = 0; i < einsum.operands[t].size(); ++i) {
        // A size of 1 that is stretched takes no part in sums.
        if (tensors[t]->shape[i] != 1 || einsum.sizes.at(einsum.operands[t][i]) == 1) {
          term.insert(einsum.operands[t][i]);
        }
      }
      terms_.push_back(std::move(term));
    }
  }

  double flops(const std::vector<std::int64_t>& path) {
    for (std::size_t at = 0; terms_.size() > 1; at += 2) {
      std::size_t a = 0;
      std::size_t b = 1;
      if (at + 1 < path.size()) {
        a = static_cast<std::size_t>(std::min(path[at], path[at + 1]));
        b = static_cast<std::size_t>(std::max(path[at], path[at + 1]));
      }
      if (a == b || b >= terms_.size()) return kUnknownWork;  // no path: PyTorch refuses it
      Term first = take(b);
      Term second = take(a);
      Term joint = multiply(std::move(second), std::move(first));
      terms_.insert(path.empty() ? terms_.begin() : terms_.end(), std::move(joint));
    }
    Term last = take(0);
    drop_unneeded(last, {});
    return flops_;
  }

 private:
  using Term = std::set<int>;

  Term take(std::size_t i) {
    Term term = std::move(terms_[i]);
    terms_.erase(terms_.begin() + static_cast<std::ptrdiff_t>(i));
    return term;
  }

  bool is_needed(int label) const {
    return output_.contains(label) ||
           std::any_of(terms_.begin(), terms_.end(), [&](const Term& term) { return term.contains(label); });
  }

  double count(const Term& labels) const {
    double product = 1;
    for (const int label : labels) product *= known(einsum_.sizes.at(label));
    return product;
  }

  /// Labels of this operand alone are summed over first.
  void drop_unneeded(Term& term, const Term& other) {
    Term kept;
    for (const int label : term) {
      if (other.contains(label) || is_needed(label)) kept.insert(label);
    }
    if (kept.size() < term.size()) flops_ += count(term);
    term = std::move(kept);
  }

  Term multiply(Term a, Term b) {
    drop_unneeded(a, b);
    drop_unneeded(b, a);
    Term all = a;
    all.insert(b.begin(), b.end());
    Term result;
    for (const int label : all) {
      if (is_needed(label)) result.insert(label);
    }
    flops_ += (result.size() < all.size() ? 2.0 : 1.0) * count(all);
    return result;
  }

  const Einsum& einsum_;
  std::set<int> output_;
  std::vector<Term> terms_;
  double flops_ = 0;
};

Cost cost_einsum(const Operands& operands, std::span<const Type> results) {
  Cost cost = traffic(operands, results);
  const Einsum einsum = einsum_of(operands);
  const std::vector<std::int64_t> path = operands.has(2) ? operands.integers(2) : std::vector<std::int64_t>();
  cost.flops = Contraction(einsum, operands.tensors(1)).flops(path);
  return cost;
}

constexpr std::array kEntries = {
    entry("aten::einsum(str equation, Tensor[] tensors, *, int[]? path=None) -> Tensor", "Einsum", infer_einsum,
          cost_einsum, onnx_rules::einsum),
};

}  // namespace

std::span<const OpEntry> einsum_entries() { return kEntries; }

}  // namespace nongemm
