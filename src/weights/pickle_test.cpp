#include "weights/pickle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/error.h"

namespace nongemm::weights::pickle {
namespace {

using testing::HasSubstr;

bool allow_listed(std::string_view name) { return name == "collections.OrderedDict" || name == "torch.Size"; }

Document read(const std::string& text) { return parse(std::as_bytes(std::span(text)), allow_listed, "x.pth"); }

std::string error_of(const std::string& text) {
  try {
    read(text);
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).find("x.pth: "), 0u);
    return error.what();
  }
  return "no error";
}

template <std::size_t kSize>
std::string raw(const char (&text)[kSize]) {
  return std::string(text, kSize - 1);
}

/// As Python's repr(), calls and persistent ids in words.
std::string show(const Value& value) {
  const auto join = [](const std::vector<const Value*>& items) {
    std::string text;
    for (const Value* item : items) text += (text.empty() ? "" : ", ") + show(*item);
    return text;
  };
  if (value.get<None>()) return "None";
  if (const auto* flag = value.get<bool>()) return *flag ? "True" : "False";
  if (const auto* number = value.get<std::int64_t>()) return std::to_string(*number);
  if (const auto* number = value.get<double>()) return std::to_string(*number);
  if (const auto* text = value.get<std::string>()) return "'" + *text + "'";
  if (const auto* bytes = value.get<Bytes>()) return "b'" + bytes->content + "'";
  if (const auto* list = value.get<List>()) return "[" + join(list->items) + "]";
  if (const auto* tuple = value.get<Tuple>()) return "(" + join(tuple->items) + ")";
  if (const auto* global = value.get<Global>()) return global->name;
  if (const auto* call = value.get<Call>()) return call->name + show(*call->arguments);
  if (const auto* persistent = value.get<Persistent>()) return "<" + show(*persistent->id) + ">";
  std::string text;
  for (const auto& [key, item] : value.get<Dict>()->items)
    text += (text.empty() ? "" : ", ") + show(*key) + ": " + show(*item);
  return "{" + text + "}";
}

std::string shown(const std::string& text) {
  const Document document = read(text);
  return show(*document.root);
}

TEST(Pickle, ReadsScalars) {
  EXPECT_EQ(shown("N."), "None");
  EXPECT_EQ(shown("\x80\x02\x88."), "True");
  EXPECT_EQ(shown("I01\n."), "True");
  EXPECT_EQ(shown("I-7\n."), "-7");
  EXPECT_EQ(shown("L123L\n."), "123");
  EXPECT_EQ(shown("J\xff\xff\xff\xff."), "-1");
  EXPECT_EQ(shown("K\xff."), "255");
  EXPECT_EQ(shown("M\x01\x02."), "513");
  EXPECT_EQ(shown(raw("\x8a\x00.")), "0");
  EXPECT_EQ(shown("\x8a\x01\x80."), "-128");
  EXPECT_EQ(shown("\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f."), "9223372036854775807");
  EXPECT_EQ(shown(raw("\x8b\x02\x00\x00\x00\x00\x01.")), "256");
  EXPECT_EQ(shown("F1.5\n."), "1.500000");
  EXPECT_EQ(shown(raw("G\x3f\xf8\0\0\0\0\0\0.")), "1.500000");
  EXPECT_EQ(shown(raw("X\x02\0\0\0hi.")), "'hi'");
  EXPECT_EQ(shown("\x8c\x02hi."), "'hi'");
  EXPECT_EQ(shown("U\x02hi."), "'hi'");
  EXPECT_EQ(shown("S'hi'\n."), "'hi'");
  EXPECT_EQ(shown("Vhi\n."), "'hi'");
  EXPECT_EQ(shown("C\x02hi."), "b'hi'");
}

TEST(Pickle, ReadsContainers) {
  EXPECT_EQ(shown("]."), "[]");
  EXPECT_EQ(shown("](K\x01K\x02"
                  "e."),
            "[1, 2]");
  EXPECT_EQ(shown("]K\x01"
                  "a."),
            "[1]");
  EXPECT_EQ(shown("(K\x01K\x02l."), "[1, 2]");
  EXPECT_EQ(shown("(K\x01K\x02t."), "(1, 2)");
  EXPECT_EQ(shown("K\x01K\x02K\x03\x87."), "(1, 2, 3)");
  EXPECT_EQ(shown("}(K\x01K\x02K\x03K\x04u."), "{1: 2, 3: 4}");
  EXPECT_EQ(shown("(K\x01K\x02"
                  "d."),
            "{1: 2}");
  EXPECT_EQ(shown("}K\x01K\x02s."), "{1: 2}");
  EXPECT_EQ(shown("K\x01q\x05h\x05\x86."), "(1, 1)");
  EXPECT_EQ(shown("\x80\x04\x95" + raw("\0\0\0\0\0\0\0\0") + raw("K\x01\x94h\0\x86.")), "(1, 1)");
}

TEST(Pickle, NamesCallsWithoutCalling) {
  EXPECT_EQ(shown("ctorch\nSize\nK\x02\x85R."), "torch.Size(2)");
  EXPECT_EQ(shown("\x8c\x05torch\x8c\x04Size\x93K\x02\x85R."), "torch.Size(2)");
  EXPECT_EQ(shown("K\x07Q."), "<7>");
  EXPECT_EQ(shown("ccollections\nOrderedDict\n)R(K\x01K\x02u}b."), "{1: 2}");
  EXPECT_EQ(shown("ccollections\nOrderedDict\n]](K\x01K\x02"
                  "ea\x85R."),
            "{1: 2}");
}

TEST(Pickle, RefusesGlobalsByName) {
  EXPECT_THAT(error_of("cposix\nsystem\n(S'rm'\ntR."), HasSubstr("names 'posix.system'"));
  EXPECT_THAT(error_of("\x8c\x08"
                       "builtins\x8c\x04"
                       "eval\x93."),
              HasSubstr("names 'builtins.eval'"));
  EXPECT_THAT(error_of("ctorch\nSize\x1b[31m\n."), HasSubstr("names 'torch.Size?[31m'"));
  EXPECT_THAT(error_of("c" + std::string(10'000, 'a') + "\nb\n."), HasSubstr("names 'aaa"));
  EXPECT_THAT(error_of("K\x01K\x02\x93."), HasSubstr("name is no string"));
  // The old ways to name a class.
  EXPECT_THAT(error_of("(iposix\nsystem\n."), HasSubstr("opcode 0x69 is not data"));
  EXPECT_THAT(error_of("(ctorch\nSize\no."), HasSubstr("opcode 0x6f is not data"));
  EXPECT_THAT(error_of("\x82\x01."), HasSubstr("opcode 0x82 is not data"));
}

TEST(Pickle, RefusesDamage) {
  for (const char* text : {"", "N", "K", "X\xff\xff\xff\x7f", "\x8d\xff\xff\xff\xff\xff\xff\xff\xff", "cabc", "I12",
                           "\x95", "(", "\x8a\x05"}) {
    EXPECT_THAT(error_of(text), HasSubstr("truncated")) << text;
  }
  for (const char* text : {".", "a.", "e.", "s.", "u.", "R.", "b.", "t.", "0.", "1.", "2.", "\x85.", "q\x01.", "Q.",
                           "(K\x01"
                           "a."}) {
    EXPECT_NE(error_of(text), "no error") << text;
  }
  EXPECT_THAT(error_of("h\x01."), HasSubstr("memo entry 1 does not exist"));
  EXPECT_THAT(error_of("K\x01K\x02."), HasSubstr("other than one value"));
  EXPECT_THAT(error_of("K\x01(."), HasSubstr("other than one value"));
  EXPECT_THAT(error_of("}(K\x01u."), HasSubstr("key has no value"));
  EXPECT_THAT(error_of("K\x01K\x02"
                       "a."),
              HasSubstr("no list"));
  EXPECT_THAT(error_of("K\x01)R."), HasSubstr("no global"));
  EXPECT_THAT(error_of("K\x01}b."), HasSubstr("no object"));
  EXPECT_THAT(error_of("Iabc\n."), HasSubstr("malformed"));
  EXPECT_THAT(error_of("I99999999999999999999\n."), HasSubstr("beyond 64 bits"));
  EXPECT_THAT(error_of("\x8a\x09"
                       "123456789."),
              HasSubstr("beyond 64 bits"));
  EXPECT_THAT(error_of("\x80\x06N."), HasSubstr("newer than 5"));
}

TEST(Pickle, SurvivesDepthCirclesAndFloods) {
  std::string deep(100'000, ']');
  deep += std::string(99'999, 'a') + ".";
  EXPECT_EQ(error_of(deep), "no error");
  EXPECT_EQ(error_of("]q\x01h\x01"
                     "a."),
            "no error");
  EXPECT_THAT(error_of(std::string(3'000'000, ']')), HasSubstr("more than 2000000 values"));
  EXPECT_THAT(error_of("]" + std::string(3'000'000, '2')), HasSubstr("more than 2000000 values"));
  EXPECT_THAT(error_of(std::string(3'000'000, '(')), HasSubstr("more than 2000000 values"));
  std::string too_long;
  too_long.resize(40'000'000, 'N');
  EXPECT_THAT(error_of(too_long), HasSubstr("too many for tensors"));
}

TEST(Pickle, TellsWhereItEnded) {
  const std::string two = "K\x01.K\x02.";
  std::size_t consumed = 0;
  const Document first = parse(std::as_bytes(std::span(two)), allow_listed, "x.pth", &consumed);
  EXPECT_EQ(consumed, 3u);
  EXPECT_EQ(show(*first.root), "1");
}

}  // namespace
}  // namespace nongemm::weights::pickle
