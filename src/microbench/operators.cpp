#include "microbench/operators.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/error.h"
#include "base/text.h"

namespace nongemm::microbench {
namespace {

struct Name {
  std::string space;  // "aten"; empty when not given
  std::string base;
  std::string overload;  // empty when not given
};

/// "aten::add.Tensor" as people write it, "aten.add.Tensor" as graphs do.
Name split_name(std::string text) {
  Name name;
  if (const std::size_t colons = text.find("::"); colons != std::string::npos) {
    name.space = text.substr(0, colons);
    text = text.substr(colons + 2);
  } else if (std::count(text.begin(), text.end(), '.') >= 2) {
    name.space = text.substr(0, text.find('.'));
    text = text.substr(text.find('.') + 1);
  }
  const std::size_t dot = text.find('.');
  name.base = text.substr(0, dot);
  if (dot != std::string::npos) name.overload = text.substr(dot + 1);
  return name;
}

bool fits(const Name& name, const Schema& schema) {
  const std::size_t colons = schema.name.find("::");
  if (schema.name.substr(colons + 2) != name.base) return false;
  if (!name.space.empty() && schema.name.substr(0, colons) != name.space) return false;
  return name.overload.empty() || name.overload == (schema.overload.empty() ? "default" : schema.overload);
}

/// The overload that is meant when none is given: the default one, otherwise the first.
template <typename Candidates, typename SchemaOf>
auto choose(const Candidates& candidates, SchemaOf&& schema_of) {
  const auto plain = std::find_if(candidates.begin(), candidates.end(),
                                  [&](const auto& candidate) { return schema_of(candidate).overload.empty(); });
  return plain == candidates.end() ? candidates.front() : *plain;
}

OperatorInfo info_of(const Op& op) { return OperatorInfo{op.name, op.schema, &op, std::string(op.entry.schema)}; }

/// Loops, branches and what Python does by itself are no operators that could be called.
bool is_callable(const Op& op) { return !op.name.starts_with("nongemm."); }

std::vector<std::string> near_names() {
  std::set<std::string> names;
  for (const Op& op : OpTable::get().all()) {
    if (is_callable(op)) names.insert(op.schema.name.substr(op.schema.name.find("::") + 2));
  }
  return {names.begin(), names.end()};
}

OperatorInfo from_runtime(const Name& name, const SchemaSource& runtime) {
  struct Candidate {
    Schema schema;
    std::string text;
  };
  std::vector<Candidate> candidates;
  const std::string space = name.space.empty() ? "aten" : name.space;
  const std::vector<std::string> texts =
      runtime != nullptr ? runtime(space + "::" + name.base) : std::vector<std::string>();
  std::string unreadable;
  std::string overloads;
  for (const std::string& text : texts) {
    try {
      Schema schema = parse_schema(text);
      overloads += (overloads.empty() ? "" : ", ") + (schema.overload.empty() ? "default" : schema.overload);
      if (fits(name, schema)) candidates.push_back({std::move(schema), text});
    } catch (const Error&) {  // arguments of a kind that graphs do not have
      unreadable = text;
    }
  }
  if (!candidates.empty()) {
    const Candidate chosen = choose(candidates, [](const Candidate& c) -> const Schema& { return c.schema; });
    return OperatorInfo{chosen.schema.qualified_name(), chosen.schema, nullptr, chosen.text};
  }
  if (!overloads.empty()) {
    throw Error(ErrorKind::kUsage, "operator '" + name.base + "' has no overload '" + name.overload + "'",
                "it has " + overloads);
  }
  if (!unreadable.empty()) {
    throw Error(ErrorKind::kUnsupported,
                "operator '" + name.base + "' takes or gives what a microbenchmark cannot make:\n  " + unreadable);
  }
  throw Error(ErrorKind::kUsage, "unknown operator '" + name.base + "'",
              did_you_mean(name.base, near_names()) +
                  "; nongemm list ops shows the table, and any operator of PyTorch's dispatcher or of a "
                  "--load-library can be named");
}

}  // namespace

OperatorInfo find_operator(const std::string& text, const SchemaSource& runtime) {
  Name name = split_name(text);
  // where(condition) alone is nonzero by another name; who says where means the choice between two tensors.
  if (name.base == "where" && name.overload.empty()) name.overload = "self";
  std::vector<const Op*> candidates;
  for (const Op& op : OpTable::get().all()) {
    if (is_callable(op) && fits(name, op.schema)) candidates.push_back(&op);
  }
  if (candidates.empty()) return from_runtime(name, runtime);
  return info_of(*choose(candidates, [](const Op* op) -> const Schema& { return op->schema; }));
}

OperatorInfo operator_of_node(const std::string& op, const SchemaSource& runtime) {
  if (const Op* known = OpTable::get().find(op)) return info_of(*known);
  return from_runtime(split_name(op), runtime);
}

}  // namespace nongemm::microbench
