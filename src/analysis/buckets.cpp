#include "analysis/buckets.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>
#include <utility>

namespace nongemm {
namespace {

void add(Bucket& bucket, const NodeRow& row) {
  bucket.nodes += row.nodes;
  bucket.calls += row.calls;
  bucket.time_s += row.time_s;
  bucket.host_s += row.host_s;
  bucket.gap_s += row.gap_s;
  bucket.wait_s += row.wait_s;
  bucket.kernels += row.kernels;
  bucket.limit_s += row.limit_s * row.calls;
  bucket.wasted_s += row.wasted_s();
  bucket.parameters += row.parameters;
  bucket.work.add(row.cost, row.calls);
  const double bytes = std::isnan(row.cost.bytes()) ? 0.0 : row.cost.bytes();
  const double weight = row.time_s > 0 ? row.time_s : bytes * 1e-18;
  if (weight > bucket.costliest_s) {
    bucket.costliest_s = weight;
    bucket.operands = row.operands;
    bucket.dtype = row.dtype();
  }
}

/// What two rows of a bucket agree in, besides the group.
struct Key {
  std::string_view op;
  std::string_view variant;
  std::size_t operands = 0;
  std::vector<Shape> shapes;
  DType dtype = DType::kUndefined;

  auto tied() const { return std::tie(op, variant, operands, shapes, dtype); }
  bool operator<(const Key& other) const { return tied() < other.tied(); }
};

template <typename KeyOf>
std::vector<Bucket> collect(const std::vector<NodeRow>& rows, double wall_s, KeyOf&& key_of) {
  std::vector<Bucket> buckets;
  std::map<std::pair<Group, Key>, std::size_t> index;
  for (const NodeRow& row : rows) {
    if (row.part_of != kNoId) continue;
    Key key = key_of(row);
    const std::string_view name = key.op;
    const std::string_view variant = key.variant;
    const auto [at, is_new] = index.emplace(std::pair(row.group, std::move(key)), buckets.size());
    if (is_new) {
      Bucket& bucket = buckets.emplace_back();
      bucket.name = name;
      bucket.group = row.group;
      bucket.variant = variant;
      bucket.traits = row.traits;
      bucket.module = row.module;
    }
    add(buckets[at->second], row);
  }
  for (Bucket& bucket : buckets) bucket.share = wall_s > 0 ? bucket.time_s / wall_s : 0;
  return buckets;
}

Key call_of(const NodeRow& row) {
  Key key{row.op, row.variant, std::min(row.operands.size(), kMostOperands + 1), {}, row.dtype()};
  for (std::size_t i = 0; i < std::min(row.operands.size(), kMostOperands); ++i) {
    key.shapes.push_back(row.operands[i].shape);
  }
  return key;
}

}  // namespace

std::vector<Bucket> by_group(const std::vector<NodeRow>& rows, double wall_s) {
  return collect(rows, wall_s, [](const NodeRow& row) { return Key{info(row.group).id, {}, 0, {}, {}}; });
}

std::vector<Bucket> by_operator(const std::vector<NodeRow>& rows, double wall_s) {
  return collect(rows, wall_s, [](const NodeRow& row) { return Key{row.op, row.variant, 0, {}, {}}; });
}

std::vector<Bucket> by_call(const std::vector<NodeRow>& rows, double wall_s) { return collect(rows, wall_s, call_of); }

std::vector<Bucket> by_variant(const std::vector<NodeRow>& rows, double wall_s) {
  return collect(rows, wall_s, [](const NodeRow& row) { return Key{{}, row.variant, 0, {}, {}}; });
}

std::vector<Bucket> by_module(const std::vector<NodeRow>& rows, const Graph& graph, double wall_s) {
  std::map<std::string, std::string> classes;  // by path
  for (ScopeId id = 0; id < graph.scopes.size(); ++id) classes.emplace(graph.scope_path(id), graph.scopes[id].type);
  std::vector<Bucket> buckets;
  std::map<std::string, std::size_t, std::less<>> index;
  const auto add_to = [&](std::string_view path, const NodeRow& row) {
    auto at = index.find(path);
    if (at == index.end()) {
      at = index.emplace(path, buckets.size()).first;
      Bucket& bucket = buckets.emplace_back();
      bucket.name = path;
      const auto known = classes.find(bucket.name);
      if (known != classes.end()) bucket.module = known->second;
    }
    add(buckets[at->second], row);
  };
  for (const NodeRow& row : rows) {
    if (row.part_of != kNoId) continue;
    const std::string_view path = row.scope;
    add_to({}, row);
    for (std::size_t dot = path.find('.'); dot != std::string_view::npos; dot = path.find('.', dot + 1)) {
      add_to(path.substr(0, dot), row);
    }
    if (!path.empty()) add_to(path, row);
  }
  for (Bucket& bucket : buckets) bucket.share = wall_s > 0 ? bucket.time_s / wall_s : 0;
  return buckets;
}

void largest_first(std::vector<Bucket>& buckets) {
  std::stable_sort(buckets.begin(), buckets.end(), [](const Bucket& a, const Bucket& b) {
    if (a.time_s != b.time_s) return a.time_s > b.time_s;
    const double left = a.work.known().flops;
    const double right = b.work.known().flops;
    return std::isnan(right) ? !std::isnan(left) : left > right;  // what is not known comes last
  });
}

}  // namespace nongemm
