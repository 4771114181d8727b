// NVIDIA devices for the flows, in plain C++: tracing, readings, and the few kernels of our own. The CUDA-bound part is
// lib/nongemm/libnongemm_cuda.so, loaded at first use; machines without a GPU never touch it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/dtype.h"
#include "flows/device/fused.h"
#include "flows/device/int8.h"
#include "record/device_state.h"
#include "record/limits.h"
#include "record/trace.h"

namespace nongemm::weights {
struct Draw;
}

namespace nongemm::device {

/// Records what the devices do, through CUPTI. One per process, since CUPTI has one user at a time. Recording stays on
/// over several inferences: enable() and disable() cost more than one, pause() and resume() microseconds.
class Tracer {
 public:
  enum class Detail : std::uint8_t {
    kDeviceOnly,   // kernels, copies, fills: the lightest there is
    kAttribution,  // also when and by which call of push() each was launched, and host waits
  };

  virtual ~Tracer() = default;

  /// Starts recording, or changes what is recorded. Does nothing when that is on already.
  /// Throws Error(kUnsupported) with the reason when another profiler holds CUPTI, the driver forbids it (see
  /// NVreg_RestrictProfilingToAdminUsers), or libcupti is missing: print "not measured".
  virtual void enable(Detail detail) = 0;
  /// Does nothing when recording is off. Never throws.
  virtual void disable() noexcept = 0;
  /// While kDeviceOnly is enabled: leaves out what is launched until resume(). What was launched before is recorded
  /// even if it has not begun. disable() and enable() end it, too.
  virtual void pause() noexcept = 0;
  /// Throws Error(kUnsupported); nothing is recorded then.
  virtual void resume() = 0;
  /// Disables, and leaves the process as it was before the first enable(): CUPTI stays between the program and the
  /// driver otherwise, and every call pays for it. Enabling again takes some tens of milliseconds. The devices must be
  /// idle.
  virtual void detach() noexcept = 0;
  virtual bool enabled() const = 0;

  /// Everything the calling thread launches until pop() belongs to this entry of Trace::nodes.
  virtual void push(std::uint32_t span) = 0;
  virtual void pop() noexcept = 0;
  /// Forgets open push()es, after an exception.
  virtual void pop_all() noexcept = 0;

  /// Drops what was recorded since the last collect() or discard(). The devices must be idle.
  virtual void discard() = 0;
  /// Moves everything recorded into device, synchronisations and names of the traces, which it replaces, in the order
  /// of begin and in the host's clock. Traces are in order; a record belongs to the last one that had begun when it
  /// began, so kSeparationNs has to lie between inferences. With kAttribution there is one trace, and nodes come from
  /// its Trace::nodes, which must be filled in. The devices must be idle. Throws Error(kUnsupported) when records were
  /// dropped.
  virtual void collect(std::span<Trace> traces) = 0;
  void collect(Trace& trace) { collect(std::span<Trace>(&trace, 1)); }
  /// More than the clocks of host and device differ.
  static constexpr std::int64_t kSeparationNs = 50'000;
};

/// Arguments of torchvision's nms on the device; boxes are (x1, y1, x2, y2), sorted by falling score.
struct NmsArguments {
  const void* boxes = nullptr;  // count x 4 of dtype
  DType dtype = DType::kFloat32;
  std::int64_t count = 0;
  double iou_threshold = 0;
  /// Out: 1 for each box that stays, in the order of `boxes`; count bytes on the device.
  std::uint8_t* keep = nullptr;
  /// Scratch of nms_scratch_bytes(count) on the device.
  void* scratch = nullptr;
};

/// Arguments of torchvision's roi_align on the device.
struct RoiAlignArguments {
  const void* input = nullptr;  // batch x channels x height x width of dtype, contiguous
  const void* rois = nullptr;   // count x 5 of dtype: batch index, x1, y1, x2, y2
  void* output = nullptr;       // count x channels x pooled_height x pooled_width of dtype
  DType dtype = DType::kFloat32;
  std::int64_t channels = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t count = 0;
  std::int64_t pooled_height = 0;
  std::int64_t pooled_width = 0;
  std::int64_t sampling_ratio = 0;
  double spatial_scale = 1.0;
  bool aligned = false;
};

struct LaunchCost {
  double launch_ns = 0;      // host time of one launch in a row of many
  double round_trip_ns = 0;  // launch on an idle device until the wait for it returns
};

/// `stream` is a cudaStream_t as torch's getStreamNativeHandle gives it; the current device must be the stream's.
class Library {
 public:
  virtual ~Library() = default;

  /// The devices the driver offers; empty without any.
  virtual std::vector<DeviceDescription> devices() = 0;
  /// A reading through NVML; all figures absent where NVML is missing.
  virtual DeviceState state(int device) = 0;
  virtual Tracer& tracer() = 0;
  /// Waits until everything on the device is done.
  virtual void synchronise(int device) = 0;
  /// From device memory; returns when it is there.
  virtual void copy_to_host(void* to, const void* from, std::size_t bytes) = 0;
  /// Into device memory; returns when it is there.
  virtual void copy_to_device(void* to, const void* from, std::size_t bytes) = 0;

  /// False when the library was built without nvcc: the calls below then throw Error(kUnsupported).
  virtual bool has_kernels() const = 0;
  /// The same values as weights::synthesize gives on the host, bit for bit. Floating-point types.
  virtual void draw(const weights::Draw& draw, DType dtype, std::int64_t count, void* memory, void* stream) = 0;
  virtual std::int64_t nms_scratch_bytes(std::int64_t count) const = 0;
  virtual void nms(const NmsArguments& arguments, void* stream) = 0;
  virtual void roi_align(const RoiAlignArguments& arguments, void* stream) = 0;
  /// Several operators in one (flows/device/fused.h).
  virtual void norm_rows(const NormRows& rows, void* stream) = 0;
  virtual void rotary(const Rotary& rotary, void* stream) = 0;
  virtual void gated_activation(const GatedActivation& gated, void* stream) = 0;
  /// LLM.int8's steps (flows/device/int8.h).
  virtual void int8_rows(const Int8Rows& rows, void* stream) = 0;
  virtual void int8_product(const Int8Product& product, void* stream) = 0;
  /// Whether so many columns were outliers when this product ran before that one product of int8_unfold()'s factors
  /// costs less than two. The same sums, rounded elsewhere.
  virtual bool had_many_outliers(const Int8Product& product) const = 0;
  /// Both factors in the product's type: values times scales, outlier columns as they were. `left` takes
  /// [rows, inner], `right` [columns, inner]; for products of which had_many_outliers() is true.
  virtual void int8_unfold(const Int8Product& product, void* left, void* right, void* stream) = 0;
  virtual void int8_scale(const Int8Product& product, void* stream) = 0;
  virtual void add_outliers(const Int8Product& product, void* stream) = 0;
  virtual LaunchCost measure_launch(int device) = 0;
  /// Once for each device of the process, in a quarter of a second. Records nothing else meanwhile.
  virtual QueueTimes queue_times(int device) = 0;
};

/// Loads the library at first use. Throws Error(kUnsupported) naming what is missing: the library, the driver.
Library& library();

}  // namespace nongemm::device

/// What libnongemm_cuda.so exports: a function of this type named `nongemm_create_device_library`.
using NongemmCreateDeviceLibrary = nongemm::device::Library* (*)();
