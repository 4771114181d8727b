// Who a layer is when TensorRT names it, and the two ways in which it does: while it launches, and when it has run.
#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "flows/device/device.h"
#include "flows/tensorrt/api.h"
#include "programs/tensorrt/ranges.h"
#include "record/runtime_program.h"
#include "record/trace.h"

namespace nongemm::tensorrt {

/// Steps of a program by name. Names may repeat: those of one name come in their order.
class StepNames {
 public:
  explicit StepNames(const RuntimeProgram& program);

  /// The next step of that name in this inference; kNoId for unknown names.
  std::uint32_t next(std::string_view name);
  /// Another inference begins.
  void restart();

 private:
  struct Entry {
    std::vector<std::uint32_t> steps;
    std::size_t used = 0;
  };
  std::unordered_map<std::string, Entry> entries_;
};

/// Host spans of the steps, and with a tracer what each of them launches.
class LaunchWatch : public RangeListener {
 public:
  /// @param tracer may be nullptr
  LaunchWatch(StepNames& names, device::Tracer* tracer, std::vector<NodeSpan>& spans);
  ~LaunchWatch() override;

  void push(const char* name) noexcept override;
  void pop() noexcept override;

  /// After the launch: throws what went wrong while it was watched.
  void rethrow() const;

 private:
  void open(const char* name);

  StepNames& names_;
  device::Tracer* tracer_;
  std::vector<NodeSpan>& spans_;
  std::vector<std::uint32_t> open_;  // positions in spans_, kNoId for ranges that are no step
  std::exception_ptr failed_;
  Listening listening_;
};

/// Times of steps by TensorRT's own clock.
class StepClock : public nvinfer1::IProfiler {
 public:
  StepClock(StepNames& names, std::size_t steps) : names_(names), seconds_(steps) {}

  void reportLayerTime(char const* name, float milliseconds) noexcept override;

  /// Of the inferences since the last call, added up.
  std::vector<double> take();

 private:
  StepNames& names_;
  std::vector<double> seconds_;
};

}  // namespace nongemm::tensorrt
