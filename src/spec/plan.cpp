#include "spec/plan.h"

#include <fmt/format.h>

// Parse errors come as exceptions, all others as Error.
#include <toml++/toml.h>

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

namespace nongemm {
namespace {

constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 20;
constexpr std::string_view kSweep = "sweep";

class PlanReader {
 public:
  PlanReader(const OptionTable& table, const std::string& origin) : table_(table), origin_(origin) {}

  std::vector<Selection> read(const toml::table& root, const Selection& over) {
    Selection common;
    read_keys(root, "", common);
    std::vector<Selection> plans;
    std::vector<Selection> owns;
    if (const toml::node* sweeps = root.get(kSweep)) {
      const toml::array* all = sweeps->as_array();
      if (all == nullptr || all->empty()) fail(*sweeps, "'sweep' is no list of tables", "write [[sweep]]");
      for (const toml::node& sweep : *all) {
        if (!sweep.is_table()) fail(sweep, "'sweep' is no list of tables", "write [[sweep]]");
        Selection own;
        read_keys(*sweep.as_table(), "", own);
        plans.push_back(with(with(common, own), over));
        owns.push_back(std::move(own));
      }
    } else {
      plans.push_back(with(common, over));
      owns.emplace_back();
    }
    for (const Selection& plan : plans) check_models(plan);
    keep_settings_where_used(plans, owns);
    return plans;
  }

 private:
  [[noreturn]] void fail(const toml::node& at, const std::string& what, std::string way_out = "") const {
    const toml::source_position& place = at.source().begin;
    throw Error(ErrorKind::kUsage, fmt::format("{}:{}:{}: {}", origin_, place.line, place.column, what),
                std::move(way_out));
  }

  void check_models(const Selection& plan) const {
    const Option* model = table_.find(kRun, "model");
    if (std::any_of(plan.begin(), plan.end(), [&](const GivenOption& given) { return given.option == model; })) return;
    throw Error(ErrorKind::kUsage, origin_ + ": the plan names no model", "write model = [\"gpt2\"]");
  }

  /// Flow and quantization decide where a setting has an effect.
  std::vector<Request> requests_of(const Selection& plan) const {
    return table_.points(
        kRun, part_of(plan, [](const Option& option) { return option.name == "flow" || option.name == "quantize"; }));
  }

  bool is_used(const Option& setting, const Selection& plan) const {
    const std::vector<Request> requests = requests_of(plan);
    return std::any_of(requests.begin(), requests.end(),
                       [&](const Request& request) { return setting.applies_to(request.run); });
  }

  /// A setting of all sweeps is for those that can use it. One that none can use stays, and so does a sweep's own: it
  /// is refused with the points.
  void keep_settings_where_used(std::vector<Selection>& plans, const std::vector<Selection>& owns) const {
    const auto used_by = [&](const Option& setting) {
      return [this, &setting](const Selection& plan) { return is_used(setting, plan); };
    };
    const std::vector<Selection> before = plans;
    for (std::size_t i = 0; i < plans.size(); ++i) {
      std::erase_if(plans[i], [&](const GivenOption& given) {
        const Option& option = *given.option;
        if (!option.of_flow || is_given(owns[i], option.name) || is_used(option, before[i])) return false;
        return std::any_of(before.begin(), before.end(), used_by(option));
      });
    }
  }

  /// --iterations and --stop say the same in two ways, and so do --warmup and --warm-up.
  static std::string_view meaning_of(const Option& option) {
    if (option.name == "iterations") return "stop";
    return option.name == "warmup" ? "warm-up" : std::string_view(option.name);
  }

  /// `base` with what `over` has in place of the same options.
  static Selection with(Selection base, const Selection& over) {
    for (const GivenOption& given : over) {
      std::erase_if(base, [&](const GivenOption& other) {
        return other.option == given.option ||
               (other.option->name != given.option->name && meaning_of(*other.option) == meaning_of(*given.option) &&
                !is_given(over, other.option->name));
      });
      base.push_back(given);
    }
    return base;
  }

  /// @param prefix "ort." inside [ort]
  void read_keys(const toml::table& table, const std::string& prefix, Selection& selection) {
    for (const auto& [name, value] : table) {
      const std::string key = prefix + std::string(std::string_view(name));
      if (prefix.empty() && key == kSweep) continue;
      if (value.is_table()) {
        read_keys(*value.as_table(), key + ".", selection);
        continue;
      }
      const Option* option = table_.find(kRun, key);
      if (option == nullptr) refuse_key(value, key);
      read_value(*option, value, selection);
    }
  }

  [[noreturn]] void refuse_key(const toml::node& at, const std::string& key) const {
    std::vector<std::string> known{std::string(kSweep)};
    for (const Option* option : table_.options(kRun)) known.push_back(option->name);
    fail(at, fmt::format("'{}' is no option of nongemm run", key), did_you_mean(key, known));
  }

  void read_value(const Option& option, const toml::node& value, Selection& selection) {
    const toml::array* list = value.as_array();
    if (list == nullptr) {
      give(option, value, selection);
      return;
    }
    if (!option.takes_several()) fail(value, fmt::format("'{}' takes one value", option.name));
    if (list->empty()) fail(value, fmt::format("'{}' has no value: the plan has no point", option.name));
    for (const toml::node& element : *list) give(option, element, selection);
  }

  void give(const Option& option, const toml::node& value, Selection& selection) {
    const std::string text = text_of(option, value);
    if (option.type == OptionType::kFlag && text == "false") return;
    try {
      table_.give(kRun, option, text, selection);
    } catch (const Error& error) {
      fail(value, error.what());
    }
  }

  std::string text_of(const Option& option, const toml::node& value) const {
    const bool flag = option.type == OptionType::kFlag;
    if (value.is_boolean() && flag) return value.as_boolean()->get() ? "true" : "false";
    if (flag) fail(value, fmt::format("'{}' is neither true nor false", option.name));
    if (value.is_string()) return value.as_string()->get();
    if (value.is_integer()) return std::to_string(value.as_integer()->get());
    if (value.is_floating_point()) return fmt::format("{}", value.as_floating_point()->get());
    fail(value, fmt::format("'{}' is neither a text nor a number", option.name));
  }

  const OptionTable& table_;
  const std::string& origin_;
};

}  // namespace

std::vector<Selection> parse_plan(const OptionTable& table, std::string_view toml, const std::string& origin,
                                  const Selection& over) {
  toml::table root;
  try {
    root = toml::parse(toml);
  } catch (const toml::parse_error& error) {
    throw Error(ErrorKind::kUsage, fmt::format("{}:{}:{}: {}", origin, error.source().begin.line,
                                               error.source().begin.column, error.description()));
  }
  return PlanReader(table, origin).read(root, over);
}

std::vector<Selection> read_plan(const OptionTable& table, const std::filesystem::path& path, const Selection& over) {
  return parse_plan(table, read_file(path, kMostBytes), path.string(), over);
}

}  // namespace nongemm
