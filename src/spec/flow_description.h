// What a flow says of itself without being loaded. Each has a file of its own (flows/NAME/description.cpp).
#pragma once

#include <span>
#include <string_view>

namespace nongemm {

/// A setting that one flow has: `--set ort.level=basic`.
struct FlowSetting {
  std::string_view name;   // without the flow's: "level"
  std::string_view value;  // what help calls its value: "FOLDER"; not shown where there are choices
  std::span<const std::string_view> choices = {};
  std::string_view default_text = {};  // a choice, or what happens without it
  std::string_view doc = {};
  /// Says what is measured. Where files are kept does not.
  bool identity = true;
};

struct FlowDescription {
  std::string_view name;
  std::string_view title;
  /// How to get it when it is missing.
  std::string_view way_out;
  std::span<const FlowSetting> settings = {};
  /// Of quantized activations it takes those whose scales are known before a run.
  bool wants_static_scales = false;
};

}  // namespace nongemm
