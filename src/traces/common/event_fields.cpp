#include "traces/common/event_fields.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace nongemm::traces {
namespace {

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

static_assert(std::is_sorted(kFields.begin(), kFields.end(),
                             [](const EventField& a, const EventField& b) { return a.key.size() < b.key.size(); }));

}  // namespace

const EventField* find_event_field(std::string_view key, bool in_args) {
  if (key.size() > kLongest) return nullptr;
  for (std::size_t i = kBegins[key.size()]; i < kBegins[key.size() + 1]; ++i) {
    const EventField& field = kFields[i];
    if (field.in_args == in_args && std::memcmp(field.key.data(), key.data(), key.size()) == 0) return &field;
  }
  return nullptr;
}

unsigned place_of(const EventField& field) { return static_cast<unsigned>(&field - kFields.data()); }

}  // namespace nongemm::traces
