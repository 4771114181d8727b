// Events of files whose members come in any order: what the reader remembers of events before must not show.
#include "traces/common/event_reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace nongemm::traces {
namespace {

EventReader::ReadMore text_source(std::string_view text, std::size_t piece) {
  return [text, piece](char* to, std::size_t most) mutable {
    const std::size_t count = std::min({most, text.size(), piece});
    std::memcpy(to, text.data(), count);
    text.remove_prefix(count);
    return count;
  };
}

struct Read {
  std::vector<std::string> events;
  std::int64_t repaired = 0;
  std::int64_t dropped = 0;
};

Read read_all(const std::string& text, std::size_t piece = SIZE_MAX) {
  EventReader reader(text_source(text, piece), "test");
  Read read;
  while (const TraceEvent* event = reader.next()) {
    std::string& all = read.events.emplace_back();
    for (const std::string_view part :
         {event->phase, event->category, event->name, event->process, event->thread, event->shapes, event->types,
          event->values, event->op_name, event->collective, event->group}) {
      all.append(part).append("|");
    }
    for (const std::int64_t number : {event->begin_ns, event->duration_ns, event->external_id, event->correlation,
                                      event->device, event->stream, event->bytes}) {
      all.append(std::to_string(number)).append("|");
    }
  }
  read.repaired = reader.repaired();
  read.dropped = reader.dropped();
  return read;
}

std::string in_file(const std::string& events) { return "{\"traceEvents\": [" + events + "]}"; }

/// Writes events that no writer would: members in any order, twice, unknown, with odd values and gaps, inside of
/// arguments and outside.
class Writer {
 public:
  explicit Writer(unsigned seed) : random_(seed) {}

  std::string event() { return object(kOutside, 8, /*with_args=*/true); }

 private:
  static constexpr std::array kOutside = {"ph", "cat", "name", "pid", "tid", "ts", "dur", "bytes", "other", "args "};
  static constexpr std::array kInside = {"External id", "Input Dims", "correlation", "stream", "bytes",
                                         "ts",          "name",       "args",        "Ev Idx", "device"};
  static constexpr std::array kValues = {"1",
                                         "\"X\"",
                                         "12.5",
                                         "\"aten::add\"",
                                         "[[2, 3], []]",
                                         "[\"a\", \"b,]}\"]",
                                         "\"a\\\"b\"",
                                         "{\"x\": [1]}",
                                         "null",
                                         "-7",
                                         "NaN",
                                         "[\"a\\\\\", \"\"]",
                                         "\"\"",
                                         "4466471334539.392",
                                         "\"a longer name than sixteen\"",
                                         "[]"};
  static constexpr std::array kGaps = {"", " ", "", "\n    ", " "};

  template <typename Items>
  std::string one_of(const Items& items) {
    return items[random_() % items.size()];
  }
  template <typename Names>
  std::string object(const Names& names, unsigned most, bool with_args) {
    std::string text = "{" + one_of(kGaps);
    const unsigned count = random_() % most;
    for (unsigned i = 0; i < count; ++i) {
      if (i > 0) text += one_of(kGaps) + "," + one_of(kGaps);
      const bool args = with_args && random_() % 4 == 0;
      text += "\"" + (args ? std::string("args") : one_of(names)) + "\"" + one_of(kGaps) + ":" + one_of(kGaps);
      text += args && random_() % 4 != 0 ? object(kInside, 6, /*with_args=*/false) : one_of(kValues);
    }
    if (count > 0 && random_() % 16 == 0) text += ",";  // one too many
    return text + one_of(kGaps) + "}";
  }

  std::mt19937 random_;
};

TEST(EventReader, EventsAreReadAsIfEachWereTheFirst) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    Writer writer(seed);
    std::string all;
    Read alone;
    for (int i = 0; i < 500; ++i) {
      const std::string event = writer.event();
      all += (i > 0 ? ",\n" : "") + event;
      const Read one = read_all(in_file(event));
      alone.events.insert(alone.events.end(), one.events.begin(), one.events.end());
      alone.repaired += one.repaired;
      alone.dropped += one.dropped;
    }
    for (const std::size_t piece : {SIZE_MAX, std::size_t{1021}}) {
      const Read together = read_all(in_file(all), piece);
      ASSERT_EQ(together.events, alone.events) << "seed " << seed << ", pieces of " << piece;
      EXPECT_EQ(together.dropped, alone.dropped);
      EXPECT_EQ(together.repaired, alone.repaired);
    }
  }
}

TEST(EventReader, AKeyMeansWhatItsPlaceSays) {
  // "ts" among arguments is nobody's time, and "stream" outside of them no stream.
  const std::string inside = R"({"ph": "X", "args": {"ts": 5, "stream": 7}, "ts": 3, "stream": 9})";
  const Read read =
      read_all(in_file(inside + "," + inside + "," + R"({"ph": "X", "ts": 4, "stream": 1, "args": 3})" + "," + inside));
  ASSERT_EQ(read.events.size(), 4U);
  EXPECT_EQ(read.events[0], read.events[1]);
  EXPECT_EQ(read.events[0], read.events[3]);
  EXPECT_NE(read.events[0].find("|3000|"), std::string::npos);
  EXPECT_NE(read.events[0].find("|7|"), std::string::npos);
  EXPECT_NE(read.events[2].find("|4000|"), std::string::npos);
  EXPECT_EQ(read.events[2].find("|1|"), std::string::npos);
}

TEST(EventReader, MoreKeysThanAreRemembered) {
  std::string all;
  for (int i = 0; i < 2000; ++i) {
    const std::string number = std::to_string(i % 700);
    all += (i > 0 ? "," : "") +
           ("{\"k" + number + "\": 1, \"ph\": \"X\", \"a key of more than thirty-two bytes " + number) +
           "\": 2, \"ts\": " + std::to_string(i) + "}";
  }
  const Read read = read_all(in_file(all));
  ASSERT_EQ(read.events.size(), 2000U);
  EXPECT_EQ(read.dropped, 0);
  EXPECT_EQ(read.repaired, 0);
  for (int i = 0; i < 2000; ++i) {
    EXPECT_NE(read.events[static_cast<std::size_t>(i)].find("|" + std::to_string(i * 1000) + "|"), std::string::npos)
        << i;
  }
}

TEST(EventReader, ContainersEndWhereTheyEnd) {
  // Brackets in strings, escaped marks, sixteen bytes and one more, nested ones and empty ones.
  const std::vector<std::string> values = {R"([])",
                                           R"([[]])",
                                           R"(["]"])",
                                           R"(["\"]"])",
                                           R"(["\\"])",
                                           R"(["aaaaaaaaaaaa]"])",
                                           R"(["aaaaaaaaaaaaa]"])",
                                           R"([1,2,3,4,5,6,7])",
                                           R"([1, 2, 3, 4, 5, [6, 7, [8], {"a": "}"}], "[[[[[[[[[[[[[[[["])",
                                           R"(["aaaaaaaaaaaa", "b]"])",
                                           "[\"tab\tinside]\"]"};
  for (const std::string& value : values) {
    const Read read = read_all(in_file(R"({"ph": "X", "args": {"Input Dims": )" + value + R"(, "stream": 7}})"));
    ASSERT_EQ(read.events.size(), 1U) << value;
    EXPECT_NE(read.events[0].find("|" + value + "|"), std::string::npos) << value;
    EXPECT_NE(read.events[0].find("|7|"), std::string::npos) << value;
  }
}

}  // namespace
}  // namespace nongemm::traces
