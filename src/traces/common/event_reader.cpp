#include "traces/common/event_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "traces/common/event_fields.h"

namespace nongemm::traces {
namespace {

/// Small files need little; the window grows to this.
constexpr std::size_t kFirstWindow = std::size_t{64} << 10U;
constexpr std::size_t kWindow = std::size_t{512} << 10U;
/// Nothing that belongs together is longer.
constexpr std::size_t kMostWindow = std::size_t{64} << 20U;
constexpr std::size_t kMostProperty = std::size_t{64} << 10U;
constexpr std::size_t kMostProperties = 256;

}  // namespace

EventReader::EventReader(ReadMore more, std::string origin)
    : more_(std::move(more)), origin_(std::move(origin)), window_(kFirstWindow) {
  at_ = window_.data();
  scanner_.set_end(at_);
  refill();
}

void EventReader::refuse(const std::string& why) const {
  throw Error(
      ErrorKind::kBadInput, origin_ + " is no trace: " + why,
      "give JSON of torch.profiler or ONNX Runtime, compressed or not, or what nsys export --type sqlite makes");
}

/// Drops what lies before the place where reading goes on, and reads more behind the rest. False at the end of the
/// file, or where what is kept is too long to be one thing.
bool EventReader::refill() {
  const std::size_t kept = static_cast<std::size_t>(scanner_.end() - at_);
  if (exhausted_ || kept > kMostWindow) return false;
  std::memmove(window_.data(), at_, kept);
  const bool small = window_.size() < kWindow && kept > 0;
  if (small || kept > window_.size() / 2) window_.resize(2 * window_.size());
  const std::size_t most = window_.size() - JsonScanner::kPadding;
  std::size_t filled = kept;
  while (filled < most && !exhausted_) {
    const std::size_t count = more_(window_.data() + filled, most - filled);
    exhausted_ = count == 0;
    filled += count;
  }
  std::memset(window_.data() + filled, 0, JsonScanner::kPadding);
  scanner_.set_end(window_.data() + filled);
  at_ = window_.data();
  return filled > kept;
}

void EventReader::start() {
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  const bool empty = at_ == scanner_.end();
  if (std::string_view(at_, static_cast<std::size_t>(scanner_.end() - at_)).starts_with(kMark)) at_ += kMark.size();
  at_ = scanner_.space(at_);
  if (*at_ == '[') {
    ++at_;
    state_ = At::kEvents;
  } else if (*at_ == '{') {
    in_object_ = true;
    ++at_;
    start_object(at_);
  } else {
    refuse(empty ? "it is empty" : "it is no JSON");
  }
}

/// Members up to the events.
void EventReader::start_object(const char* at) {
  while (state_ == At::kStart) {
    at_ = at;
    if (!read_member(at)) {
      if (scanner_.is_short() && refill()) {
        at = at_;
        continue;
      }
      if (scanner_.is_short()) {
        truncated_ = true;
        state_ = At::kEnd;
        return;
      }
      refuse("its JSON is broken before any event");
    }
  }
}

/// One member of the object around the events, and the comma behind it.
bool EventReader::read_member(const char*& at) {
  scanner_.begin(false);
  const char* p = scanner_.space(at);
  if (*p == '}') {
    at_ = p + 1;
    state_ = At::kEnd;
    return true;
  }
  std::string_view key;
  if (*p != '"') return scanner_.missing(p) != nullptr;
  p = scanner_.string(p, key, JsonScanner::Place::kKey);
  if (p == nullptr) return false;
  p = scanner_.space(p);
  if (*p != ':') return scanner_.missing(p) != nullptr;
  p = scanner_.space(p + 1);
  if (key == "traceEvents" && *p == '[' && state_ == At::kStart) {
    at_ = p + 1;
    state_ = At::kEvents;
    return true;
  }
  std::string_view raw;
  p = scanner_.value(p, raw, JsonScanner::Place::kMember);
  if (p == nullptr) return false;
  p = scanner_.space(p);
  if (*p != ',' && *p != '}') return scanner_.missing(p) != nullptr;
  if (properties_.size() < kMostProperties) {
    properties_[std::string(key.substr(0, kMostProperty))] = raw.size() <= kMostProperty ? raw : std::string_view();
  }
  at = *p == ',' ? p + 1 : p;
  return true;
}

/// Members behind the events.
void EventReader::read_tail() {
  if (!in_object_) {
    state_ = At::kEnd;
    return;
  }
  at_ = scanner_.space(at_);
  if (at_ >= scanner_.end() && refill()) at_ = scanner_.space(at_);
  if (*at_ == ',') ++at_;
  while (state_ == At::kTail) {
    const char* at = at_;
    if (read_member(at)) {
      if (state_ == At::kTail) at_ = at;
    } else if (!scanner_.is_short() || !refill()) {
      truncated_ = true;
      state_ = At::kEnd;
    }
  }
}

/// Goes to the next event's opening brace. False when the events are over.
bool EventReader::find_event() {
  for (;;) {
    at_ = scanner_.space(at_);
    if (at_ >= scanner_.end()) {
      if (refill()) continue;
      truncated_ = true;
      state_ = At::kEnd;
      return false;
    }
    if (*at_ == '{') {
      if (after_event_) ++repaired_;  // no comma
      return true;
    }
    if (*at_ == ',') {
      if (!after_event_ && events_ > 0) ++repaired_;
      after_event_ = false;
      ++at_;
    } else if (*at_ == ']') {
      if (!after_event_ && events_ > 0 && !recovering_) ++repaired_;  // a comma too many
      ++at_;
      state_ = At::kTail;
      return false;
    } else {
      give_up_event();
      if (state_ != At::kEvents) return false;
    }
  }
}

/// Leaves the event out and goes to what looks like the next one: an object behind another.
void EventReader::give_up_event() {
  if (!recovering_) ++dropped_;
  recovering_ = true;
  after_event_ = false;
  const char* from = std::min(at_ + 1, scanner_.end());
  for (;;) {
    const auto* brace =
        static_cast<const char*>(std::memchr(from, '{', static_cast<std::size_t>(scanner_.end() - from)));
    const char* behind = brace != nullptr ? scanner_.space(brace + 1) : scanner_.end();
    if (behind >= scanner_.end()) {
      at_ = brace != nullptr ? brace : scanner_.end();
      if (!refill()) {
        truncated_ = true;
        state_ = At::kEnd;
        return;
      }
      from = at_;
      continue;
    }
    if (*behind == '"') {
      at_ = brace;
      return;
    }
    from = brace + 1;
  }
}

const char* EventReader::member_value(const char* at, const EventField* field) {
  std::string_view other;
  const bool is_text = field != nullptr && field->text != nullptr;
  std::string_view& raw = is_text ? event_.*(field->text) : other;
  const char* behind = scanner_.value(at, raw, JsonScanner::Place::kMember);
  if (field == nullptr || behind == nullptr) return behind;
  const std::uint32_t bit = 1U << place_of(*field);
  if ((seen_ & bit) != 0) scanner_.mend();  // twice: the last one counts, as parsers have it
  seen_ |= bit;
  if (field->time != nullptr) event_.*(field->time) = nanoseconds_of(raw);
  if (field->integer != nullptr) event_.*(field->integer) = integer_of(raw);
  return behind;
}

/// From behind an opening brace or a value to the next value, or behind the closing brace where there is none.
/// @param key nothing where no value comes
const char* EventReader::key(const char* at, bool is_first, bool in_args, std::optional<KeyMemory::Key>& key) {
  const char* const begin = at;
  at = scanner_.space(at);
  if (*at == ',' && !is_first) {
    at = scanner_.space(at + 1);
    if (*at == '}') scanner_.mend();  // a comma too many
  } else if (*at == '"' && !is_first) {
    return nullptr;
  }
  if (*at == '}') return at + 1;
  if (*at != '"') return scanner_.missing(at);
  std::string_view name;
  at = scanner_.string(at, name, JsonScanner::Place::kKey);
  if (at == nullptr) return nullptr;
  at = scanner_.space(at);
  if (*at != ':') return scanner_.missing(at);
  at = scanner_.space(at + 1);
  key = KeyMemory::Key{find_event_field(name, in_args), !in_args && name == "args", in_args};
  if (scanner_.mended()) {
    keys_.lose_track();
  } else {
    keys_.learn(std::string_view(begin, static_cast<std::size_t>(at - begin)), *key);
  }
  return at;
}

/// @param at an opening brace
const char* EventReader::members(const char* at, bool in_args) {
  ++at;
  for (bool is_first = true;; is_first = false) {
    const KeyMemory::Key* key = keys_.recall(at);
    std::optional<KeyMemory::Key> fresh;
    if (key != nullptr) {
      at = scanner_.space(at);
    } else {
      at = this->key(at, is_first, in_args, fresh);
      if (!fresh) return at;
      key = &*fresh;
    }
    if (key->is_args && *at == '{') {
      at = members(at, true);
      keys_.leave_args();
    } else {
      if (key->is_args) keys_.lose_track();  // arguments that are no object
      at = member_value(at, key->field);
    }
    if (at == nullptr) return nullptr;
  }
}

void EventReader::unescape_name() {
  if (event_.name.find('\\') == std::string_view::npos) return;
  bool odd = false;
  name_ = unescaped(event_.name, odd);
  event_.name = name_;
  if (odd) scanner_.mend();
}

bool EventReader::read_event() {
  for (const bool lenient : {false, true}) {
    for (;;) {
      scanner_.begin(lenient);
      event_ = TraceEvent{};
      seen_ = 0;
      keys_.begin_event();
      const char* behind = members(at_, false);
      if (behind != nullptr) {
        // Pieces of an event that was given up have no phase, and mending may have made one longer than it can be.
        if ((recovering_ || lenient) && event_.phase.size() != 1) return false;
        unescape_name();
        ++events_;
        if (scanner_.mended()) ++repaired_;
        at_ = behind;
        after_event_ = true;
        recovering_ = false;
        return true;
      }
      if (!scanner_.is_short() || !refill()) break;
    }
  }
  return false;
}

const TraceEvent* EventReader::next() {
  if (state_ == At::kStart) start();
  while (state_ == At::kEvents && find_event()) {
    if (read_event()) return &event_;
    give_up_event();
  }
  if (state_ == At::kTail) read_tail();
  return nullptr;
}

}  // namespace nongemm::traces
