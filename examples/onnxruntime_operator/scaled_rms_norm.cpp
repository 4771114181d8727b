// An operator library for ONNX Runtime: RMS normalization with a residual, in one pass over the rows.
#define ORT_API_MANUAL_INIT  // the runtime hands its interface over when it loads the library
#include <onnxruntime_cxx_api.h>

#include <cmath>
#include <cstdint>
#include <vector>

namespace {

/// (x + residual) / rms(x + residual) * weight, over the last dimension; fp32 on the host.
class Kernel {
 public:
  explicit Kernel(const OrtKernelInfo* info) : eps_(Ort::ConstKernelInfo(info).GetAttribute<float>("eps")) {}

  void Compute(OrtKernelContext* raw) const {  // NOLINT(readability-identifier-naming): CustomOpBase calls it so
    const Ort::KernelContext context(raw);
    const Ort::ConstValue x = context.GetInput(0);
    const std::vector<std::int64_t> shape = x.GetTensorTypeAndShapeInfo().GetShape();
    const bool has_residual = context.GetInputCount() > 2;
    check(!shape.empty(), "x has no dimensions");
    const std::int64_t columns = shape.back();
    check(context.GetInput(1).GetTensorTypeAndShapeInfo().GetShape() == std::vector{columns}, "weight does not fit x");
    check(!has_residual || context.GetInput(2).GetTensorTypeAndShapeInfo().GetShape() == shape,
          "residual does not fit x");
    const auto* in = x.GetTensorData<float>();
    const auto* scale = context.GetInput(1).GetTensorData<float>();
    const float* more = has_residual ? context.GetInput(2).GetTensorData<float>() : nullptr;
    auto* out = context.GetOutput(0, shape).GetTensorMutableData<float>();
    std::int64_t rows = 1;
    for (std::size_t i = 0; i + 1 < shape.size(); ++i) rows *= shape[i];
    for (std::int64_t row = 0; row < rows; ++row, in += columns, out += columns) {
      double squares = 0;
      for (std::int64_t i = 0; i < columns; ++i) {
        out[i] = more == nullptr ? in[i] : in[i] + more[i];
        squares += static_cast<double>(out[i]) * out[i];
      }
      const auto factor = static_cast<float>(1.0 / std::sqrt(squares / static_cast<double>(columns) + eps_));
      for (std::int64_t i = 0; i < columns; ++i) out[i] *= factor * scale[i];
      if (more != nullptr) more += columns;
    }
  }

 private:
  static void check(bool fits, const char* problem) {
    if (!fits) ORT_CXX_API_THROW(std::string("ScaledRmsNorm: ") + problem, ORT_INVALID_ARGUMENT);
  }

  float eps_;
};

struct ScaledRmsNorm : Ort::CustomOpBase<ScaledRmsNorm, Kernel> {
  void* CreateKernel(const OrtApi&, const OrtKernelInfo* info) const { return new Kernel(info); }
  const char* GetName() const { return "ScaledRmsNorm"; }
  std::size_t GetInputTypeCount() const { return 3; }
  ONNXTensorElementDataType GetInputType(std::size_t) const { return ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT; }
  OrtCustomOpInputOutputCharacteristic GetInputCharacteristic(std::size_t input) const {
    return input == 2 ? INPUT_OUTPUT_OPTIONAL : INPUT_OUTPUT_REQUIRED;
  }
  std::size_t GetOutputTypeCount() const { return 1; }
  ONNXTensorElementDataType GetOutputType(std::size_t) const { return ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT; }
};

}  // namespace

/// What ONNX Runtime calls in an operator library.
extern "C" __attribute__((visibility("default"))) OrtStatus* RegisterCustomOps(OrtSessionOptions* options,
                                                                               const OrtApiBase* base) {
  Ort::InitApi(base->GetApi(ORT_API_VERSION));
  // Both live as long as sessions use them, which nobody tells a library.
  static const ScaledRmsNorm scaled_rms_norm;
  static const Ort::CustomOpDomain domain = [] {
    Ort::CustomOpDomain made("example");
    made.Add(&scaled_rms_norm);
    return made;
  }();
  try {
    Ort::UnownedSessionOptions(options).Add(domain);
  } catch (const Ort::Exception& error) {
    return Ort::GetApi().CreateStatus(error.GetOrtErrorCode(), error.what());
  }
  return nullptr;
}
