#include "spec/model_options.h"

#include <charconv>

#include "base/error.h"

namespace nongemm {
namespace {

[[noreturn]] void misread(const std::string& text) {
  throw Error(ErrorKind::kUsage, "input '" + text + "' is not understood",
              "write NAME=SHAPE or NAME=SHAPE:DTYPE: x=4x3x224x224, ids=1x16:int64");
}

}  // namespace

InputBinding parse_input_binding(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == 0 || equals == std::string::npos) misread(text);
  InputBinding binding;
  binding.name = text.substr(0, equals);
  std::string shape = text.substr(equals + 1);
  if (const std::size_t colon = shape.find(':'); colon != std::string::npos) {
    binding.dtype = parse_dtype(shape.substr(colon + 1));
    if (!binding.dtype) misread(text);
    shape.resize(colon);
  }
  const char* at = shape.data();
  const char* end = at + shape.size();
  while (true) {
    std::int64_t size = 0;
    const auto [next, error] = std::from_chars(at, end, size);
    if (error != std::errc() || size < 0) misread(text);
    binding.shape.push_back(size);
    if (next == end) return binding;
    if (*next != 'x') misread(text);
    at = next + 1;
  }
}

std::string to_string(const InputBinding& binding) {
  std::string text = binding.name;
  for (std::size_t i = 0; i < binding.shape.size(); ++i)
    text += (i == 0 ? "=" : "x") + std::to_string(binding.shape[i]);
  if (binding.dtype) text += ":" + std::string(name_of(*binding.dtype));
  return text;
}

}  // namespace nongemm
