// Figures of the NonGEMM Bench paper, each with where it stands. Shares are 0 to 1, times seconds.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nongemm::paper {

/// The paper's models by the registry's names.
struct ModelFigures {
  std::string_view model;
  std::string_view title;           // as the paper calls it
  double parameters = 0;            // Table I
  std::string_view dominant_group;  // Table IV, in this program's words; memory operators are one group
  double dominant_share = 0;
};
std::span<const ModelFigures> models();
/// Their names in Table I's order.
std::vector<std::string> model_names();

/// Table V: PyTorch before, TensorRT after.
struct FusionFigures {
  std::string_view model;
  double rate = 0;
  double before_s = 0;
  double share_before = 0;
  double after_s = 0;
  double share_after = 0;
};
std::span<const FusionFigures> fusion();

/// A row of Table II. The text that the project has gives the number of marks and not their columns.
struct OperatorFigures {
  std::string_view group;    // in this program's words
  std::string_view name;     // as the paper calls it
  std::string_view variant;  // as reports call it
  std::string_view model;
  int marks = 0;
  std::string_view example;
};
std::span<const OperatorFigures> operators();

/// Whether the published tool profiles a flow by what its runtime says of the device alone: TensorRT's profiling
/// interface has a layer's time there, PyTorch's and ONNX Runtime's profilers have the host's beside it (section
/// III-B).
bool profiles_device_alone(std::string_view flow);

/// Table III.
inline constexpr std::string_view kPlatforms =
    "A: AMD EPYC 7763 and NVIDIA A100 80 GB; B: Intel i9-13900K and RTX 4090";

}  // namespace nongemm::paper
