#include "models/parts/cache.h"

#include <algorithm>

#include "graph/state.h"
#include "models/parts/functional.h"

namespace nongemm {
namespace {

/// The first step puts the window's size where the keys are.
void put_window(Builder& builder, std::int64_t window) {
  builder.call("aten.to.dtype_layout", {builder.constant(HostTensor::from<std::int64_t>(DType::kInt64, {}, {window}))});
}

}  // namespace

void append_to_empty_cache(Builder& builder, Tensor& key, Tensor& value, std::int64_t window) {
  const Tensor no_keys = builder.constant(HostTensor::allocate(key.dtype(), {0}).first);
  const Tensor no_values = builder.constant(HostTensor::allocate(value.dtype(), {0}).first);
  if (window > 0) put_window(builder, window);
  key = fn::cat({no_keys, key}, -2);
  value = fn::cat({no_values, value}, -2);
  if (window <= 1) return;
  fn::slice(key, 2, 1 - window, fn::kToEnd);  // what stays in the cache; this step attends to all
  fn::slice(value, 2, 1 - window, fn::kToEnd);
}

namespace {

std::string name_of(std::int64_t layer, const char* what) { return std::to_string(layer) + "." + what; }

Tensor past_of(Builder& builder, std::int64_t layer, const char* what, DType dtype, Shape shape) {
  return builder.input(std::string(kPast) + name_of(layer, what), dtype, std::move(shape), {});
}

void leave(Builder& builder, std::int64_t layer, const char* what, const Tensor& tensor) {
  builder.output(std::string(kPresent) + name_of(layer, what), tensor);
}

/// What Python's assignment makes of a value before it is put in its place.
Tensor without_leading_ones(const Tensor& value) {
  Shape shape = value.shape();
  shape.erase(shape.begin(), std::find_if(shape.begin(), shape.end(), [](std::int64_t size) { return size != 1; }));
  return shape.size() == value.shape().size() ? value : fn::view(value, shape);
}

/// The shape of `like` with so many keys.
Shape with_keys(const Tensor& like, std::int64_t keys) {
  Shape shape = like.shape();
  shape.at(2) = keys;
  return shape;
}

}  // namespace

void KeyValueCache::update(std::int64_t layer, Tensor& key, Tensor& value, std::int64_t window) {
  if (!options_.pass) return append_to_empty_cache(builder_, key, value, window);
  is_static() ? update_static(layer, key, value, window) : update_dynamic(layer, key, value, window);
}

/// DynamicLayer, DynamicSlidingWindowLayer
void KeyValueCache::update_dynamic(std::int64_t layer, Tensor& key, Tensor& value, std::int64_t window) {
  if (past() == 0) {
    if (window != kNoWindow) put_window(builder_, window);
    append_to_empty_cache(builder_, key, value);
  } else {
    const std::int64_t kept = window == kNoWindow ? past() : std::min(past(), window - 1);
    const Tensor keys = past_of(builder_, layer, "key", key.dtype(), with_keys(key, kept));
    const Tensor values = past_of(builder_, layer, "value", value.dtype(), with_keys(value, kept));
    key = fn::cat({keys, key}, -2);
    value = fn::cat({values, value}, -2);
  }
  if (window == kNoWindow) {
    leave(builder_, layer, "key", key);
    leave(builder_, layer, "value", value);
    return;
  }
  leave(builder_, layer, "key", fn::index_slice(key, 2, 1 - window));
  leave(builder_, layer, "value", fn::index_slice(value, 2, 1 - window));
}

std::int64_t KeyValueCache::capacity(std::int64_t window) const {
  const std::int64_t longest = options_.pass->longest;
  return window == kNoWindow ? longest : std::min(longest, window);
}

Tensor KeyValueCache::length_of(std::int64_t layer) {
  Tensor& length = lengths_[layer];
  if (!length) length = past_of(builder_, layer, "length", DType::kInt64, {});
  return length;
}

/// A full window counts nothing (StaticSlidingWindowLayer leaves its cumulative_length where it was), so that windows
/// have a counter of their own, which the original has in position_ids.
Tensor KeyValueCache::counted_past(std::int64_t layer, std::int64_t window) {
  if (!is_static() || past() == 0) return {};
  if (window == kNoWindow) return length_of(layer);
  return options_.pass->replayable ? position() : Tensor();
}

Tensor KeyValueCache::position() {
  if (!position_) position_ = builder_.input(std::string(kPast) + "position", DType::kInt64, {}, {});
  return position_;
}

void KeyValueCache::advance() {
  if (!is_static() || !options_.pass->replayable || !has_window_) return;
  builder_.call("aten.add_.Tensor", {position(), tokens_});
}

/// StaticLayer; of StaticSlidingWindowLayer the branch in which there is room.
void KeyValueCache::write(const Tensor& keys, const Tensor& values, std::int64_t layer, Tensor& key, Tensor& value,
                          bool sliding) {
  const Tensor length = length_of(layer);
  const Tensor places = fn::add(builder_.call("aten.arange.default", {tokens_}), length);
  const auto count = [&] { builder_.call("aten.add_.Tensor", {length, tokens_}); };
  if (!sliding) count();
  key = builder_.call("aten.index_copy_.default", {keys, 2, places, key});
  value = builder_.call("aten.index_copy_.default", {values, 2, places, value});
  if (sliding) count();
}

/// A full window: everything moves one key to the left, and the new one goes behind.
void KeyValueCache::shift(const Tensor& keys, const Tensor& values, Tensor& key, Tensor& value) {
  const auto rolled = [&](const Tensor& x) { return builder_.call("aten.roll.default", {x, Shape{-1}, Shape{-2}}); };
  const Tensor new_keys = rolled(keys);
  const Tensor new_values = rolled(values);
  const Tensor last = builder_.constant(HostTensor::from<std::int64_t>(DType::kInt64, {1}, {-1}));
  const auto put_last = [&](const Tensor& x, const Tensor& added) {
    builder_.call("aten.index_put_.default",
                  {x, std::vector<Tensor>{Tensor(), Tensor(), last}, without_leading_ones(added)});
  };
  put_last(new_keys, key);
  put_last(new_values, value);
  key = builder_.call("aten.copy_.default", {keys, new_keys});
  value = builder_.call("aten.copy_.default", {values, new_values});
}

/// StaticSlidingWindowLayer, which for layers without a window is StaticLayer.
void KeyValueCache::update_static(std::int64_t layer, Tensor& key, Tensor& value, std::int64_t window) {
  const std::int64_t room = capacity(window);
  const Tensor keys = past_of(builder_, layer, "key", key.dtype(), with_keys(key, room));
  const Tensor values = past_of(builder_, layer, "value", value.dtype(), with_keys(value, room));
  if (window == kNoWindow || past() + tokens_ <= room) {
    return write(keys, values, layer, key, value, window != kNoWindow);
  }
  if (past() == 0) {  // attention sees all, the cache keeps the last
    builder_.call("aten.copy_.default", {keys, fn::index_slice(key, 2, -room)});
    builder_.call("aten.copy_.default", {values, fn::index_slice(value, 2, -room)});
    return;
  }
  shift(keys, values, key, value);
}

MaskSpan KeyValueCache::span(std::int64_t layer, std::int64_t window) {
  if (!is_static()) {
    if (window == kNoWindow) return {.keys = past() + tokens_, .past = past()};
    const std::int64_t kept = std::min(past(), window - 1);
    return {.keys = (past() >= window ? window - 1 : past()) + tokens_, .first_key = past() - kept, .past = past()};
  }
  const std::int64_t room = capacity(window);
  has_window_ = has_window_ || window != kNoWindow;
  if (window == kNoWindow) {
    return {.keys = room, .past = past(), .counted_past = counted_past(layer, window), .is_static = true};
  }
  const bool full = past() >= room;
  const std::int64_t overflowing = past() + tokens_ > room ? past() + tokens_ : room;
  MaskSpan span = {.keys = full ? room + tokens_ - 1 : overflowing,
                   .first_key = std::max<std::int64_t>(past() - room + 1, 0),
                   .past = past(),
                   .counted_past = counted_past(layer, window),
                   .is_static = true};
  if (full && span.counted_past) span.counted_first_key = fn::sub(span.counted_past, room - 1);
  return span;
}

Tensor KeyValueCache::positions(std::int64_t window) {
  const Tensor steps = builder_.call("aten.arange.default", {tokens_});
  const Tensor counted = counted_past(0, window);
  return fn::unsqueeze(counted ? fn::add(steps, counted) : fn::add(steps, seen()), 0);
}

}  // namespace nongemm
