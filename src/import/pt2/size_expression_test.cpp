#include "import/pt2/size_expression.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace nongemm::pt2 {
namespace {

std::optional<double> evaluate(const std::string& text) {
  return evaluate_size(text, [](const std::string& symbol) -> std::optional<double> {
    if (symbol == "s0") return 7.0;
    if (symbol == "s1") return 4.0;
    return std::nullopt;
  });
}

TEST(SizeExpression, InConstructorNotation) {
  EXPECT_EQ(evaluate("Symbol('s0', positive=True, integer=True)"), 7);
  EXPECT_EQ(evaluate("Mul(Integer(2), Symbol('s0', positive=True, integer=True))"), 14);
  EXPECT_EQ(evaluate("Add(Symbol('s0', integer=True), Mul(Integer(-1), Symbol('s1', integer=True)))"), 3);
  EXPECT_EQ(evaluate("FloorDiv(Add(Symbol('s0'), Integer(-1)), Integer(2))"), 3);
  EXPECT_EQ(evaluate("Mul(Rational(1, 2), Symbol('s1'))"), 2);
  EXPECT_EQ(evaluate("Pow(Symbol('s1'), Integer(2))"), 16);
  EXPECT_EQ(evaluate("Mod(Mul(Integer(-1), Symbol('s0')), Integer(4))"), 1);
  EXPECT_EQ(evaluate("GreaterThan(Symbol('s0'), Integer(7))"), 1);
  EXPECT_EQ(evaluate("Max(Integer(1), Symbol('s1'))"), 4);
  EXPECT_EQ(evaluate("Mul(Float('0.5', precision=53), ToFloat(Symbol('s0')))"), 3.5);
}

TEST(SizeExpression, AsPlainText) {
  EXPECT_EQ(evaluate("2*s0 + 1"), 15);
  EXPECT_EQ(evaluate("s0 - s1 - 1"), 2);
  EXPECT_EQ(evaluate("-s0**2"), -49);
  EXPECT_EQ(evaluate("(s0//2)"), 3);
  EXPECT_EQ(evaluate("s1*(((s0 - 1)//2) + 1)"), 16);
  EXPECT_EQ(evaluate("Mod(s0, 4)"), 3);
  EXPECT_EQ(evaluate("2**3**0"), 2);
  EXPECT_EQ(evaluate("Eq(s0, 7)"), 1);
  EXPECT_EQ(evaluate("s0 <= s1"), 0);
}

TEST(SizeExpression, UnknownSymbolsMakeItUnknown) {
  EXPECT_EQ(evaluate("u0 + 1"), std::nullopt);
  EXPECT_EQ(evaluate("Mul(Integer(2), Symbol('u3', integer=True))"), std::nullopt);
}

TEST(SizeExpression, RefusesWhatIsNone) {
  for (const char* text : {"", "2*", "Mul(2", "s0 s1", "Float('x')", "Mod(s0)", "'s0", "1e", "Add()"}) {
    EXPECT_THROW(evaluate(text), Error) << text;
  }
  EXPECT_THROW(evaluate("Piecewise(s0, 2)"), Error);
  EXPECT_THROW(evaluate(std::string(100000, '(')), Error);
  EXPECT_THROW(evaluate(std::string(100000, '-') + "1"), Error);
}

}  // namespace
}  // namespace nongemm::pt2
