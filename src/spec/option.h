// One row of the option table: everything there is to know about an option.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "spec/request.h"

namespace nongemm {

/// Help shows options by these, in this order.
enum class OptionSection : std::uint8_t {
  kSubject,
  kModel,
  kOperator,
  kRun,
  kMeasuring,
  kCounting,
  kFlow,
  kSweep,
  kComparing,
  kOutput
};
const char* title_of(OptionSection section);

/// What an option's value is in JSON and in plans; on a command line everything is text.
enum class OptionType : std::uint8_t { kText, kInteger, kNumber, kFlag };

/// What an option has to do with a point of a sweep.
enum class OptionRole : std::uint8_t {
  kIdentity,  // another value is another point
  kHow,       // part of the command that makes the point again, and no other point
  kOutput,    // of the command line alone
};

/// How a report's settings show it.
enum class OptionShown : std::uint8_t { kNever, kWhenGiven, kAlways };

struct OptionInfo {
  std::string name;        // "seq-len": --seq-len, and a plan's key
  std::string value = {};  // what help calls its value: "N"; nothing for a flag
  std::string doc = {};
  /// What a report's settings call it, where the name would mislead.
  std::string title = {};
  /// What happens without it, where that is no value.
  std::string otherwise = {};
  OptionSection section = OptionSection::kRun;
  unsigned commands = kRun;
  OptionRole role = OptionRole::kIdentity;
  OptionShown shown = OptionShown::kNever;
  bool swept = false;       // several values are several points
  bool repeatable = false;  // several values belong to one point
  bool commas = false;      // "1,8" are two values
  bool positional = false;
  bool required = false;
  /// `--set NAME=VALUE`: of one flow, whose name stands before the dot, or of "quantize".
  bool of_flow = false;
  std::vector<std::string> choices = {};
};

struct Option : OptionInfo {
  OptionType type = OptionType::kText;
  /// Puts a value into the request, or adds it where the option is repeatable. Throws Error(kUsage) naming option,
  /// value and what is possible.
  std::function<void(Request&, const std::string&)> set;
  /// The values as texts that `set` takes; none when there is none.
  std::function<std::vector<std::string>(const Request&)> get;

  bool is_for(Command command) const { return (commands & command) != 0; }
  bool takes_several() const { return swept || repeatable; }
  /// A flow's setting says something of points that run it alone, one of quantization of those that are quantized.
  bool applies_to(const RunSpec& run) const;
  /// As a command line has it: "--seq-len", "MODEL", "--set ort.level".
  std::string spelled() const;
};

}  // namespace nongemm
