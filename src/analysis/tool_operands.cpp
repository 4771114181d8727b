#include "analysis/tool_operands.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ops/foreign.h"
#include "ops/op.h"

namespace nongemm {
namespace {

/// The elements of a list in JSON: texts of strings, everything else as it stands. Good for what profilers write, not
/// for all of JSON.
std::vector<std::string_view> elements(std::string_view list) {
  std::vector<std::string_view> all;
  if (list.size() < 2 || list.front() != '[' || list.back() != ']') return all;
  list = list.substr(1, list.size() - 2);
  int depth = 0;
  bool quoted = false;
  std::size_t begin = 0;
  const auto add = [&](std::size_t end) {
    std::string_view text = list.substr(begin, end - begin);
    while (text.starts_with(' ')) text.remove_prefix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);
    if (text.size() >= 2 && text.front() == '"') text = text.substr(1, text.size() - 2);
    all.push_back(text);
    begin = end + 1;
  };
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (list[i] == '"') quoted = !quoted;
    if (quoted) continue;
    if (list[i] == '[') ++depth;
    if (list[i] == ']') --depth;
    if (list[i] == ',' && depth == 0) add(i);
  }
  if (!all.empty() || list.find_first_not_of(' ') != std::string_view::npos) add(list.size());
  return all;
}

std::optional<std::int64_t> integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> real(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Numbers that rules multiply, as sizes of tensors that can exist. A file may say anything.
constexpr std::int64_t kMostElements = std::int64_t{1} << 40;

std::optional<std::int64_t> bounded(std::string_view text) {
  const std::optional<std::int64_t> value = integer(text);
  return value && *value >= -kMostElements && *value <= kMostElements ? value : std::nullopt;
}

std::optional<std::vector<std::int64_t>> integers(std::string_view list) {
  constexpr std::size_t kMost = 16;
  std::vector<std::int64_t> all;
  std::int64_t product = 1;
  if (!list.starts_with('[')) return std::nullopt;
  for (const std::string_view element : elements(list)) {
    const std::optional<std::int64_t> value = bounded(element);
    if (!value || all.size() == kMost) return std::nullopt;
    const std::int64_t size = std::max<std::int64_t>(std::abs(*value), 1);
    if (product > kMostElements / size) return std::nullopt;
    product *= size;
    all.push_back(*value);
  }
  return all;
}

/// Of a tensor.
std::optional<std::vector<std::int64_t>> sizes_of(std::string_view shape) {
  auto sizes = integers(shape);
  if (sizes && std::any_of(sizes->begin(), sizes->end(), [](std::int64_t size) { return size < 0; }))
    return std::nullopt;
  return sizes;
}

/// C++'s names of element types.
DType dtype_of(std::string_view type) {
  static constexpr std::array<std::pair<std::string_view, DType>, 12> kTypes = {
      {{"float", DType::kFloat32},
       {"c10::Half", DType::kFloat16},
       {"c10::BFloat16", DType::kBFloat16},
       {"double", DType::kFloat64},
       {"long int", DType::kInt64},
       {"long", DType::kInt64},
       {"int", DType::kInt32},
       {"short", DType::kInt16},
       {"signed char", DType::kInt8},
       {"unsigned char", DType::kUInt8},
       {"bool", DType::kBool},
       {"c10::Float8_e4m3fn", DType::kFloat8E4M3}}};
  const auto* at = std::find_if(kTypes.begin(), kTypes.end(), [&](const auto& row) { return row.first == type; });
  return at != kTypes.end() ? at->second : DType::kUndefined;
}

/// at::ScalarType's numbers, as operands of that kind are recorded.
std::optional<DType> dtype_numbered(std::string_view text) {
  static constexpr std::array kNumbered = {DType::kUInt8,     DType::kInt8,      DType::kInt16,     DType::kInt32,
                                           DType::kInt64,     DType::kFloat16,   DType::kFloat32,   DType::kFloat64,
                                           DType::kUndefined, DType::kUndefined, DType::kUndefined, DType::kBool,
                                           DType::kUndefined, DType::kUndefined, DType::kUndefined, DType::kBFloat16};
  const std::optional<std::int64_t> number = integer(text);
  if (!number || *number < 0 || *number >= static_cast<std::int64_t>(kNumbered.size())) return std::nullopt;
  const DType dtype = kNumbered[static_cast<std::size_t>(*number)];
  return dtype != DType::kUndefined ? std::optional(dtype) : std::nullopt;
}

/// What was recorded of one operand.
struct Told {
  std::string_view shape = {};
  std::string_view type = {};
  std::string_view value = {};
};

std::vector<Told> told_operands(const ToolTrace& trace, const ToolNode& node) {
  std::vector<Told> told;
  if (node.shapes == kNoId || node.types == kNoId || node.values == kNoId) return told;
  const std::vector<std::string>& names = trace.trace.names;
  const auto shapes = elements(names.at(node.shapes));
  const auto types = elements(names.at(node.types));
  const auto values = elements(names.at(node.values));
  if (shapes.size() != types.size() || shapes.size() != values.size()) return told;
  for (std::size_t i = 0; i < shapes.size(); ++i) told.push_back({shapes[i], types[i], values[i]});
  return told;
}

/// Operands of one call as the schema wants them; values are added to the graph as they are made.
class Arguments {
 public:
  explicit Arguments(Graph& graph) : graph_(graph) {}

  /// nullopt when it does not fit.
  std::optional<Argument> make(const SchemaArg& arg, const Told& told, DType list_dtype) {
    if (arg.kind == ArgKind::kTensor && arg.list) return tensors(told, list_dtype);
    const DType dtype = dtype_of(told.type);
    if (arg.kind == ArgKind::kTensor && dtype != DType::kUndefined) return tensor(told.shape, dtype);
    if (told.value.empty()) {
      if (arg.optional) return Argument();
      return arg.has_default ? std::optional(arg.default_value) : std::nullopt;
    }
    return plain(arg, told.value);
  }

 private:
  std::optional<Argument> tensor(std::string_view shape, DType dtype) {
    const auto sizes = sizes_of(shape);
    if (!sizes) return std::nullopt;
    return Use{add(*sizes, dtype)};
  }

  std::optional<Argument> tensors(const Told& told, DType dtype) {
    std::vector<Use> uses;
    for (const std::string_view shape : elements(told.shape)) {
      const auto sizes = sizes_of(shape);
      if (!sizes) return std::nullopt;
      uses.push_back({add(*sizes, dtype)});
    }
    if (uses.empty()) return std::nullopt;
    return uses;
  }

  static std::optional<Argument> number(std::string_view text) {
    if (text == "True" || text == "False") return text == "True";
    if (integer(text)) return bounded(text) ? std::optional<Argument>(*bounded(text)) : std::nullopt;
    if (const auto value = real(text)) return *value;
    return std::nullopt;
  }

  static std::optional<Argument> plain(const SchemaArg& arg, std::string_view text) {
    switch (arg.kind) {
      case ArgKind::kInt: {
        if (!arg.list) return bounded(text) ? std::optional<Argument>(*bounded(text)) : std::nullopt;
        const auto sizes = integers(text);
        if (!sizes) return std::nullopt;
        return std::vector<Int>(sizes->begin(), sizes->end());
      }
      case ArgKind::kFloat:
        return real(text) && !arg.list ? std::optional<Argument>(*real(text)) : std::nullopt;
      case ArgKind::kBool:
        if (arg.list || (text != "True" && text != "False")) return std::nullopt;
        return text == "True";
      case ArgKind::kTensor:
      case ArgKind::kScalar:
        return number(text);
      case ArgKind::kDType: {
        const auto dtype = dtype_numbered(text);
        return dtype ? std::optional<Argument>(*dtype) : std::nullopt;
      }
      default:
        return arg.optional ? std::optional<Argument>(Argument()) : std::nullopt;
    }
  }

  ValueId add(const std::vector<std::int64_t>& sizes, DType dtype) {
    Value value;
    value.type.dtype = dtype;
    value.type.shape.assign(sizes.begin(), sizes.end());
    graph_.values.push_back(std::move(value));
    return static_cast<ValueId>(graph_.values.size() - 1);
  }

  Graph& graph_;
};

/// Lists of tensors are recorded without their type: that of their neighbours, else what most models run in.
DType common_dtype(const std::vector<Told>& told) {
  for (const Told& one : told) {
    if (const DType dtype = dtype_of(one.type); dtype != DType::kUndefined) return dtype;
  }
  return DType::kUndefined;
}

bool try_entry(const Op& op, const std::vector<Told>& told, Graph& graph, Node& node) {
  // Views do no work, and some have as many results as a file says that a tensor is long.
  if (op.schema.args.size() != told.size() || op.entry.group == Group::kMemoryLayout) return false;
  const std::size_t values = graph.values.size();
  Node made;
  made.op = op.name;
  made.scope = node.scope;
  Arguments arguments(graph);
  const DType list_dtype = common_dtype(told);
  for (std::size_t i = 0; i < told.size(); ++i) {
    std::optional<Argument> argument = arguments.make(op.schema.args[i], told[i], list_dtype);
    if (!argument || !accepts(op.schema.args[i], *argument)) {
      graph.values.resize(values);
      return false;
    }
    made.args.push_back(std::move(*argument));
  }
  try {
    for (Type& type : infer_types(graph, made, op)) {
      made.outputs.push_back(static_cast<ValueId>(graph.values.size()));
      graph.values.push_back({std::move(type), kNoId});
    }
    cost_of(graph, made, op);
  } catch (const std::exception&) {  // the file's word against the operator's rules
    graph.values.resize(values);
    return false;
  }
  node = std::move(made);
  return true;
}

/// Operators of a backend that do what one of the table does. Its operands: those of the backend by their place, or a
/// value behind "="; nothing for None.
struct Alike {
  std::string_view name;
  std::string_view entry;
  std::array<std::string_view, 9> operands;
};
constexpr std::array kAlike = {
    Alike{
        "aten.cudnn_convolution", "aten.convolution.default", {"0", "1", "", "3", "2", "4", "=False", "=[0, 0]", "5"}},
    Alike{"aten._cudnn_attention_forward",
          "aten.scaled_dot_product_attention.default",
          {"0", "1", "2", "3", "9", "10", "12", "=True", ""}},
};

Told operand_of(std::string_view from, const std::vector<Told>& told) {
  if (from.starts_with('=')) return {.value = from.substr(1)};
  const std::optional<std::int64_t> place = integer(from);
  return place && static_cast<std::size_t>(*place) < told.size() ? told[static_cast<std::size_t>(*place)] : Told{};
}

}  // namespace

bool add_operands(const ToolTrace& trace, const ToolNode& told_node, Graph& graph, Node& node) {
  const std::vector<Told> told = told_operands(trace, told_node);
  if (told.empty()) return false;
  for (const Alike& alike : kAlike) {
    if (alike.name != node.op) continue;
    const Op* op = OpTable::get().find(alike.entry);
    if (op == nullptr) return false;
    std::vector<Told> operands;
    for (std::size_t i = 0; i < op->schema.args.size(); ++i) {
      operands.push_back(operand_of(alike.operands.at(i), told));
    }
    return try_entry(*op, operands, graph, node);
  }
  for (const Op& op : OpTable::get().all()) {
    const bool same = op.name.starts_with(node.op) && op.name.size() > node.op.size() && op.name[node.op.size()] == '.';
    if (same && try_entry(op, told, graph, node)) return true;
  }
  return false;
}

}  // namespace nongemm
