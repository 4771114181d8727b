// The files that ONNX Runtime writes: any bytes are a profile or an optimised graph, or give an Error.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "programs/ort/dataflow.h"
#include "programs/ort/mapping.h"
#include "programs/ort/program.h"
#include "programs/ort/run_profile.h"

namespace {

using nongemm::Error;

void read_profile(std::string_view bytes) {
  try {
    const nongemm::ort_flow::RunProfile profile = nongemm::ort_flow::parse_run_profile(bytes, "fuzz");
    nongemm::ort_flow::Program program({});
    program.complete(profile);
    program.spans(profile);
  } catch (const Error&) {
  }
}

void read_model(std::string_view bytes) {
  try {
    const nongemm::ort_flow::Dataflow flow = nongemm::ort_flow::read_dataflow(bytes, "fuzz");
    nongemm::ort_flow::map_program(flow, flow);
  } catch (const Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  read_profile(bytes);
  read_model(bytes);
  return 0;
}
