#include "pt2/package_wrapper.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/json.h"
#include "pt2/tree_names.h"

namespace nongemm::pt2 {
namespace {

/// What stands between the first `before` and the `after` behind it.
std::optional<std::string_view> between(std::string_view text, std::string_view before, std::string_view after) {
  const std::size_t begin = text.find(before);
  if (begin == std::string_view::npos) return std::nullopt;
  text.remove_prefix(begin + before.size());
  const std::size_t end = text.find(after);
  if (end == std::string_view::npos) return std::nullopt;
  return text.substr(0, end);
}

std::vector<std::string> names_in(std::string_view source, std::string_view member) {
  const auto spec = between(source, fmt::format("{} = R\"(", member), ")\";");
  return spec ? tree_names(*spec) : std::vector<std::string>();
}

/// "0.1" is the second positional argument, "1.mask" the keyword "mask".
std::string argument_name(const std::string& path) {
  const std::size_t dot = path.find('.');
  return dot == std::string::npos ? path : path.substr(dot + 1);
}

/// The generated check of one input compares its type with aoti_torch_dtype_...(), and each size with a number.
std::optional<PackageInput> checked_input(std::string_view check) {
  const auto dtype = between(check, "_expected_dtype = aoti_torch_dtype_", "()");
  if (!dtype) return std::nullopt;
  PackageInput input;
  const std::optional<DType> known = parse_dtype(*dtype);
  if (!known) return std::nullopt;
  input.dtype = *known;
  // Up to where strides are looked at.
  check = check.substr(0, check.find(".strides()"));
  for (std::size_t dim = 0;; ++dim) {
    const std::string size = fmt::format("_size[{}]) {{", dim);
    const std::size_t at = check.find(size);
    if (at == std::string_view::npos) break;
    const std::size_t line = check.rfind("if (", at);
    std::int64_t number = kDynamic;
    if (line != std::string_view::npos) {
      const std::string_view condition = check.substr(line + 4, at - line - 4);
      const auto [end, error] = std::from_chars(condition.data(), condition.data() + condition.size(), number);
      const std::string_view rest = condition.substr(static_cast<std::size_t>(end - condition.data()));
      // Free sizes are compared with their bounds.
      if (error != std::errc() || !rest.starts_with(" != ")) number = kDynamic;
    }
    input.shape.push_back(number);
  }
  return input;
}

std::optional<std::uint64_t> number_in(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \n"), text.size()));
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

/// The constructor of the model says how many constants there are, and of each, in their order, how many bytes it
/// takes. Nothing for a source that is written otherwise, and for sums that no memory holds.
std::optional<std::uint64_t> bytes_of_constants(std::string_view source) {
  const std::size_t constructor = source.find(": AOTInductorModelBase(");
  if (constructor == std::string_view::npos) return std::nullopt;
  source.remove_prefix(constructor);
  const std::size_t inputs_end = std::min(source.find(','), source.size() - 1);
  const auto count = between(source.substr(inputs_end + 1), ",", ",");  // behind that of outputs
  const std::optional<std::uint64_t> constants = count ? number_in(*count) : std::nullopt;
  if (!constants) return std::nullopt;
  std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < *constants; ++i) {
    const std::string member = fmt::format("constants_info_[{}].data_size = ", i);
    const std::size_t at = source.find(member);
    if (at == std::string_view::npos) return std::nullopt;
    source.remove_prefix(at + member.size());
    const std::optional<std::uint64_t> bytes = number_in(source.substr(0, source.find(';')));
    if (!bytes || __builtin_add_overflow(sum, *bytes, &sum)) return std::nullopt;
  }
  return sum;
}

}  // namespace

void read_wrapper(std::string_view source, CompiledPackage& package) {
  package.outputs = names_in(source, "out_spec_");
  package.constant_bytes = bytes_of_constants(source);
  const std::vector<std::string> names = names_in(source, "in_spec_");
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto check = between(source, fmt::format("static void check_input_{}(", i), "\n}");
    std::optional<PackageInput> input = check ? checked_input(*check) : std::nullopt;
    if (!input) {
      package.inputs.clear();
      return;
    }
    input->name = argument_name(names[i]);
    package.inputs.push_back(std::move(*input));
  }
}

}  // namespace nongemm::pt2
