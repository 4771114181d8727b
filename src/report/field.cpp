#include "report/field.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

namespace nongemm {
namespace {

struct Prefix {
  double factor;
  std::string_view symbol;
};

/// The bounds are where rounding reaches the next digit: 9.9999 us are 10.00 us, and 999.97 ns are 1.000 us.
std::string scaled(double value, std::span<const Prefix> prefixes, std::string_view unit) {
  const Prefix* chosen = &prefixes.back();
  for (const Prefix& prefix : prefixes) {
    if (std::abs(value) >= 0.99995 * prefix.factor) {
      chosen = &prefix;
      break;
    }
  }
  const double number = value / chosen->factor;
  const int decimals = std::abs(number) >= 99.995 ? 1 : std::abs(number) >= 9.9995 ? 2 : 3;
  return fmt::format("{:.{}f} {}{}", number, decimals, chosen->symbol, unit);
}

constexpr std::array kTimes = {Prefix{1.0, ""}, Prefix{1e-3, "m"}, Prefix{1e-6, "u"}, Prefix{1e-9, "n"}};
constexpr std::array kDecimal = {Prefix{1e12, "T"}, Prefix{1e9, "G"}, Prefix{1e6, "M"}, Prefix{1e3, "k"},
                                 Prefix{1, ""}};

/// With so many decimals; what they would show as 0, and is not, in two digits.
std::string with_decimals(double value, int decimals) {
  const bool vanishes = value != 0 && std::abs(value) < 0.5 * std::pow(10.0, -decimals);
  return vanishes ? fmt::format("{:.2g}", value) : fmt::format("{:.{}f}", value, decimals);
}

std::string number_text(double value, Unit unit) {
  switch (unit) {
    case Unit::kSeconds:
      return value == 0 ? "0 s" : scaled(value, kTimes, "s");
    case Unit::kShare:
      // Rounding leaves no "-0.0 %".
      return fmt::format("{:.1f} %", std::abs(value) < 0.0005 ? 0.0 : value * 100);
    case Unit::kRatio:
      return value < 1000 ? with_decimals(value, 3) : fmt::format("{:.0f}", value);
    case Unit::kBytes:
      return value == 0 ? "0 B" : scaled(value, kDecimal, "B");
    case Unit::kFlops:
      return value == 0 ? "0" : scaled(value, kDecimal, "FLOP");
    case Unit::kFlopRate:
      return value == 0 ? "0" : scaled(value, kDecimal, "FLOP/s");
    case Unit::kByteRate:
      return value == 0 ? "0" : scaled(value, kDecimal, "B/s");
    case Unit::kIntensity:
      return with_decimals(value, 2) + " FLOP/B";
    case Unit::kPerSecond:
      return with_decimals(value, 2) + " /s";
    case Unit::kJoules:
      return with_decimals(value, 3) + " J";
    case Unit::kWatts:
      return fmt::format("{:.1f} W", value);
    case Unit::kHertz:
      return scaled(value, kDecimal, "Hz");
    case Unit::kNumber:
      return fmt::format("{:.3g}", value);
    default:
      return fmt::format("{:g}", value);
  }
}

}  // namespace

std::string_view symbol(Unit unit) {
  switch (unit) {
    case Unit::kText:
      return "text";
    case Unit::kYesNo:
      return "bool";
    case Unit::kCount:
      return "1";
    case Unit::kSeconds:
      return "s";
    case Unit::kShare:
    case Unit::kRatio:
      return "ratio";
    case Unit::kBytes:
      return "B";
    case Unit::kFlops:
      return "FLOP";
    case Unit::kFlopRate:
      return "FLOP/s";
    case Unit::kByteRate:
      return "B/s";
    case Unit::kIntensity:
      return "FLOP/B";
    case Unit::kPerSecond:
      return "1/s";
    case Unit::kJoules:
      return "J";
    case Unit::kWatts:
      return "W";
    case Unit::kHertz:
      return "Hz";
    case Unit::kNumber:
      return "number";
  }
  return "";
}

std::string_view name_of(ReportKind kind) {
  switch (kind) {
    case ReportKind::kPerformance:
      return "performance";
    case ReportKind::kWorkload:
      return "workload";
    case ReportKind::kNongemm:
      return "nongemm";
  }
  return "";
}

std::string to_text(const FieldValue& value, Unit unit) {
  // Operations are calculated, and sizes or a rule for them may be missing.
  const bool calculated = unit == Unit::kFlops || unit == Unit::kIntensity;
  if (std::holds_alternative<std::monostate>(value)) return calculated ? "unknown" : "not measured";
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "yes" : "";
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    if (unit == Unit::kCount) return fmt::format("{}", *number);
    return number_text(static_cast<double>(*number), unit);
  }
  return number_text(std::get<double>(value), unit);
}

std::string to_plain(const FieldValue& value) {
  if (std::holds_alternative<std::monostate>(value)) return "";
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* number = std::get_if<std::int64_t>(&value)) return fmt::format("{}", *number);
  return fmt::format("{}", std::get<double>(value));
}

}  // namespace nongemm
