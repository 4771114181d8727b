// device::Tracer on CUPTI's activity records.
#pragma once

#include "flows/cuda/record_store.h"
#include "flows/device/device.h"

namespace nongemm::cuda {

class CuptiTracer : public device::Tracer {
 public:
  explicit CuptiTracer(RecordStore& store) : store_(store) {}

  void enable(Detail detail) override;
  void disable() noexcept override;
  void pause() noexcept override;
  void resume() override;
  void detach() noexcept override;
  bool enabled() const override { return enabled_; }
  void push(std::uint32_t span) override;
  void pop() noexcept override;
  void pop_all() noexcept override;
  void discard() override;
  void collect(std::span<Trace> traces) override;

 private:
  void attach();
  void flush();
  void sort_records();
  void fill(Trace& trace, std::span<const RawRecord> records, std::int64_t offset);

  RecordStore& store_;
  RawTrace raw_;
  std::vector<std::uint32_t> places_;  // of the store's names in the trace's
  bool attached_ = false;
  bool enabled_ = false;
  bool paused_ = false;
  Detail detail_ = Detail::kDeviceOnly;
};

/// The process's tracer. Lives until the process ends: CUPTI may hand back buffers as late as that.
CuptiTracer& process_tracer();

}  // namespace nongemm::cuda
