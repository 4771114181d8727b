// What graph_json.cpp writes and graph_json_reader.cpp reads.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "graph/graph.h"

namespace nongemm {

inline constexpr int kGraphJsonVersion = 1;

inline constexpr std::array<std::pair<Type::Kind, std::string_view>, 5> kKindNames = {{
    {Type::Kind::kTensor, "tensor"},
    {Type::Kind::kTensorList, "tensors"},
    {Type::Kind::kInt, "int"},
    {Type::Kind::kFloat, "float"},
    {Type::Kind::kBool, "bool"},
}};

inline constexpr std::array<std::pair<InitSpec::Kind, std::string_view>, 3> kInitNames = {{
    {InitSpec::Kind::kConstant, "constant"},
    {InitSpec::Kind::kUniform, "uniform"},
    {InitSpec::Kind::kNormal, "normal"},
}};

template <typename Names, typename Kind>
constexpr std::string_view name_in(const Names& names, Kind kind) {
  for (const auto& [known, name] : names) {
    if (known == kind) return name;
  }
  return {};
}

template <typename Names>
constexpr auto kind_in(const Names& names, std::string_view wanted) {
  std::optional<typename Names::value_type::first_type> found;
  for (const auto& [kind, name] : names) {
    if (name == wanted) found = kind;
  }
  return found;
}

}  // namespace nongemm
