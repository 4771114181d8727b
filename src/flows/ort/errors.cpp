#include "flows/ort/errors.h"

#include <new>
#include <string_view>

#include "base/error.h"
#include "flows/ort/onnxruntime.h"

namespace nongemm::ort_flow {
namespace {

bool contains(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

bool is_unknown_operator(const std::string& message) { return contains(message, "is not a registered function/op"); }

/// By the runtime's code where that says enough, otherwise by its words.
ErrorKind kind_of(OrtErrorCode code, const std::string& message) {
  if (contains(message, "Failed to allocate memory") || contains(message, "out of memory")) {
    return ErrorKind::kOutOfMemory;
  }
  if (is_unknown_operator(message)) return ErrorKind::kUnsupported;
  if (code == ORT_NOT_IMPLEMENTED || code == ORT_INVALID_GRAPH || code == ORT_EP_FAIL) return ErrorKind::kUnsupported;
  return ErrorKind::kFailed;
}

/// Behind the brackets that open at or after `at` in a C++ function's signature; npos where they do not close.
std::size_t behind_brackets(const std::string& text, std::size_t at) {
  int depth = 0;
  for (; at < text.size(); ++at) {
    if (text[at] == '(' || text[at] == '[') ++depth;
    if ((text[at] == ')' || text[at] == ']') && --depth <= 0) return at + 1;
  }
  return std::string::npos;
}

/// Behind "/onnxruntime_src/core/graph.cc:1404 Type Class::function(const A&) const [with T = B] ".
std::size_t behind_place(const std::string& message, std::size_t begin) {
  std::size_t end = behind_brackets(message, message.find('(', begin));
  while (end != std::string::npos) {
    const std::string_view rest = std::string_view(message).substr(end);
    if (rest.starts_with(" const")) {
      end += std::string_view(" const").size();
    } else if (rest.starts_with(">")) {  // of a lambda
      ++end;
    } else if (rest.starts_with("::") || rest.starts_with("(") || rest.starts_with(" [with ")) {
      end = behind_brackets(message, end);
    } else {
      break;
    }
  }
  return end;
}

}  // namespace

std::string without_source_places(std::string message) {
  constexpr std::string_view kSource = "/onnxruntime_src/";
  for (std::size_t at = 0; (at = message.find(kSource, at)) != std::string::npos;) {
    std::size_t end = behind_place(message, at);
    if (end == std::string::npos) break;
    while (end < message.size() && message[end] == ' ') ++end;
    const bool needs_space = at > 0 && message[at - 1] != ' ';
    message.replace(at, end - at, needs_space ? " " : "");
  }
  return message;
}

bool is_invalid_model(const std::string& message) {
  if (is_unknown_operator(message)) return false;
  for (const char* words : {"InferenceError", "invalid model", "INVALID_GRAPH", "INVALID_PROTOBUF", "division by zero",
                            "Protobuf parsing failed"}) {
    if (contains(message, words)) return true;
  }
  return false;
}

void rethrow_as_error(const std::string& what) {
  try {
    throw;
  } catch (const Ort::Exception& error) {
    throw Error(
        kind_of(error.GetOrtErrorCode(), error.what()), what + ": ONNX Runtime: " + without_source_places(error.what()),
        is_unknown_operator(error.what()) ? "an operator of your own: give its library with --load-library" : "");
  } catch (const Error& error) {
    throw Error(error.kind(), what + ": " + error.what());  // which holds the way out
  } catch (const std::bad_alloc&) {
    throw Error(ErrorKind::kOutOfMemory, what + ": no host memory left");
  } catch (const std::exception& error) {
    throw Error(ErrorKind::kFailed, what + ": " + error.what());
  }
}

}  // namespace nongemm::ort_flow
