#include "flows/ort/errors.h"

#include <new>

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

}  // namespace

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
        kind_of(error.GetOrtErrorCode(), error.what()), what + ": ONNX Runtime: " + error.what(),
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
