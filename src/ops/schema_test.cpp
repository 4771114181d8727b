#include "ops/schema.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "ops/op.h"

namespace nongemm {
namespace {

TEST(Schema, ReadsKindsDefaultsAndAliases) {
  const Schema schema = parse_schema(
      "aten::thing.over(Tensor(a!) self, Tensor?[] indices, int[2] stride=1, *, float? scale=None, str mode='none', "
      "ScalarType? dtype=None, bool flag=True) -> (Tensor(a!), Tensor[])");
  EXPECT_EQ(schema.qualified_name(), "aten.thing.over");
  ASSERT_EQ(schema.args.size(), 7U);
  EXPECT_TRUE(schema.args[0].written);
  EXPECT_TRUE(schema.args[1].list);
  EXPECT_TRUE(schema.args[1].optional_element);
  EXPECT_FALSE(schema.args[1].optional);
  EXPECT_EQ(std::get<std::vector<Int>>(schema.args[2].default_value), (std::vector<Int>{1, 1}));
  EXPECT_TRUE(schema.args[3].keyword_only);
  EXPECT_TRUE(schema.args[3].optional);
  EXPECT_EQ(std::get<std::string>(schema.args[4].default_value), "none");
  EXPECT_EQ(schema.args[5].kind, ArgKind::kDType);
  EXPECT_EQ(std::get<bool>(schema.args[6].default_value), true);
  ASSERT_EQ(schema.results.size(), 2U);
  EXPECT_TRUE(schema.results[1].list);
  EXPECT_TRUE(schema.writes());
}

TEST(Schema, NamesTheDefaultOverload) {
  EXPECT_EQ(parse_schema("aten::relu(Tensor self) -> Tensor").qualified_name(), "aten.relu.default");
}

TEST(Schema, RefusesWhatIsNoSchema) {
  for (const char* text : {"", "aten::relu", "aten::relu(Tensor self", "aten::relu(Thing self) -> Tensor",
                           "aten::relu(Tensor self=) -> Tensor", "aten::relu(Tensor self) Tensor"}) {
    EXPECT_THROW(parse_schema(text), Error) << text;
  }
}

TEST(OpTable, HasNoDuplicatesAndFindsByName) {
  const OpTable& table = OpTable::get();
  EXPECT_GT(table.all().size(), 150U);
  for (const Op& op : table.all()) {
    EXPECT_EQ(table.find(op.name), &op);
    EXPECT_NE(op.entry.infer, nullptr) << op.name;
    EXPECT_NE(op.entry.group, Group::kOther) << op.name;
  }
}

TEST(OpTable, OffersNearNames) {
  try {
    OpTable::get().at("aten.layernorm.default");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("aten.layer_norm.default"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace nongemm
