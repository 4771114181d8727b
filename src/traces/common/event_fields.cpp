#include "traces/common/event_fields.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

namespace nongemm::traces {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr EventField text(std::string_view key, std::string_view TraceEvent::*member, bool in_args = true) {
  return {key, in_args, member, nullptr, nullptr};
}
constexpr EventField integer(std::string_view key, std::int64_t TraceEvent::*member) {
  return {key, true, nullptr, member, nullptr};
}
constexpr EventField time(std::string_view key, std::int64_t TraceEvent::*member) {
  return {key, false, nullptr, nullptr, member};
}

/// By length of the key.
constexpr std::array kFields = {
    text("ph", &TraceEvent::phase, false),
    time("ts", &TraceEvent::begin_ns),
    text("cat", &TraceEvent::category, false),
    text("pid", &TraceEvent::process, false),
    text("tid", &TraceEvent::thread, false),
    time("dur", &TraceEvent::duration_ns),
    text("name", &TraceEvent::name, false),
    integer("bytes", &TraceEvent::bytes),
    integer("stream", &TraceEvent::stream),
    integer("device", &TraceEvent::device),
    text("op_name", &TraceEvent::op_name),
    text("Input Dims", &TraceEvent::shapes),
    text("Input type", &TraceEvent::types),
    text("Input Type", &TraceEvent::types),
    integer("External id", &TraceEvent::external_id),
    integer("external id", &TraceEvent::external_id),
    integer("correlation", &TraceEvent::correlation),
    text("Concrete Inputs", &TraceEvent::values),
    text("Collective name", &TraceEvent::collective),
    text("input_type_shape", &TraceEvent::shapes),
    text("Process Group Name", &TraceEvent::group),
};
static_assert(kFields.size() <= 32);

constexpr std::size_t kLongest = 20;

/// Where the fields with keys of a length begin.
constexpr std::array kBegins = [] {
  std::array<std::uint8_t, kLongest + 2> begins{};
  for (std::size_t length = 0; length < begins.size(); ++length) {
    while (begins[length] < kFields.size() && kFields[begins[length]].key.size() < length) ++begins[length];
  }
  return begins;
}();

/// A key as whole words, zeros behind it: a member of every event is compared in two or three instructions, where
/// memcmp() was a tenth of all reading.
struct Words {
  std::array<std::uint64_t, 3> word{};
  bool operator==(const Words&) const = default;
};
static_assert(kLongest <= sizeof(Words));

Words words_of(std::string_view key) {
  Words words;
  std::size_t at = 0;
  for (; at + 8 <= key.size(); at += 8) std::memcpy(&words.word[at / 8], key.data() + at, 8);
  if (const std::size_t rest = key.size() - at; rest > 0) {
    std::uint64_t last = 0;
    std::memcpy(&last, key.data() + at, 8);  // into what can be read behind the key
    words.word[at / 8] = last & (~std::uint64_t{0} >> (64 - 8 * rest));
  }
  return words;
}

const std::array<Words, kFields.size()> kWords = [] {
  std::array<Words, kFields.size()> all;
  for (std::size_t i = 0; i < all.size(); ++i) {
    std::array<char, sizeof(Words)> padded{};
    std::copy(kFields[i].key.begin(), kFields[i].key.end(), padded.begin());
    all[i] = words_of({padded.data(), kFields[i].key.size()});
  }
  return all;
}();

static_assert(std::is_sorted(kFields.begin(), kFields.end(),
                             [](const EventField& a, const EventField& b) { return a.key.size() < b.key.size(); }));

}  // namespace

const EventField* find_event_field(std::string_view key, bool in_args) {
  if (key.size() > kLongest || kBegins[key.size()] == kBegins[key.size() + 1]) return nullptr;
  const Words words = words_of(key);
  for (std::size_t i = kBegins[key.size()]; i < kBegins[key.size() + 1]; ++i) {
    if (kFields[i].in_args == in_args && kWords[i] == words) return &kFields[i];
  }
  return nullptr;
}

unsigned place_of(const EventField& field) { return static_cast<unsigned>(&field - kFields.data()); }

}  // namespace nongemm::traces
