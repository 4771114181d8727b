#include "import/common/output_names.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/json.h"

namespace nongemm::pt2 {
namespace {

const Json kLeaf = {{"type", nullptr}, {"context", nullptr}, {"children_spec", Json::array()}};

std::vector<std::string> names_of(const Json& spec) {
  const Json signature = {{"out_spec", Json({1, spec}).dump()}};
  return output_names({{"module_call_graph", Json::array({{{"signature", signature}}})}});
}

TEST(OutputNames, AreKeysFieldsAndPositions) {
  // What torch 2.11 writes for ({"a": _, "b": [_, _]}, Box(lo=_, none=None, hi=_)) of a registered dataclass Box.
  const Json list = {{"type", "builtins.list"}, {"context", "null"}, {"children_spec", {kLeaf, kLeaf}}};
  const Json dict = {{"type", "builtins.dict"}, {"context", R"(["a", "b"])"}, {"children_spec", {kLeaf, list}}};
  const Json box = {{"type", "box.Box"}, {"context", R"([["lo", "hi"], ["none"]])"}, {"children_spec", {kLeaf, kLeaf}}};
  const Json all = {{"type", "builtins.tuple"}, {"context", "null"}, {"children_spec", {dict, box}}};
  EXPECT_EQ(names_of(all), (std::vector<std::string>{"0.a", "0.b.0", "0.b.1", "1.lo", "1.hi"}));
  EXPECT_EQ(names_of(kLeaf), std::vector<std::string>{"output"});
}

TEST(OutputNames, CountWhereTheFileNamesNothing) {
  // A namedtuple: only its class stands in the file. Contexts that are no names of the children do no harm.
  for (const char* context : {"pair.Pair", "[[\"lo\"], []]", "[[1, 2], []]", "[[], [], []]", "{"}) {
    const Json pair = {{"type", "x"}, {"context", context}, {"children_spec", {kLeaf, kLeaf}}};
    EXPECT_EQ(names_of(pair), (std::vector<std::string>{"0", "1"})) << context;
  }
}

}  // namespace
}  // namespace nongemm::pt2
