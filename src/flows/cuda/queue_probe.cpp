#include "flows/cuda/queue_probe.h"

#include <cuda_runtime_api.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "flows/cuda/check.h"
#include "flows/cuda/queue_kernels.h"
#include "flows/cuda/tracer.h"
#include "record/trace.h"

namespace nongemm::cuda {
namespace {

/// Launches of a round. A queue holds about a thousand, fewer where they are recorded, and a full one would wait for
/// the gate.
constexpr int kLaunches = 100;
constexpr int kRounds = 5;
/// Between launches that meet an idle device.
constexpr std::int64_t kIntervalNs = 10'000;
constexpr std::int64_t kPatienceNs = 1'000'000'000;

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

double difference(std::int64_t later, std::int64_t earlier) { return static_cast<double>(later - earlier); }

/// A kernel that writes when it runs, into memory that the host reads in place.
class Stamps {
 public:
  Stamps() {
    void* memory = nullptr;
    check(cudaHostAlloc(&memory, (kLaunches + 1) * sizeof(std::uint64_t), cudaHostAllocMapped), "pinned memory");
    stamps_ = static_cast<std::uint64_t*>(memory);
    word_ = reinterpret_cast<std::uint32_t*>(stamps_ + kLaunches);
  }
  ~Stamps() { cudaFreeHost(stamps_); }
  Stamps(const Stamps&) = delete;
  Stamps& operator=(const Stamps&) = delete;

  /// What has to be added to the device's timer for the host's clock: the host asks and the device answers; of the
  /// shortest exchange the answer was given in the middle.
  void find_clock() {
    constexpr std::uint32_t kTimes = 300;
    write(0);
    *stamps_ = 0;
    launch_clock(word_, stamps_, kTimes, nullptr);
    std::int64_t narrowest = std::numeric_limits<std::int64_t>::max();
    std::uint64_t last = 0;
    for (std::uint32_t i = 1; i <= kTimes; ++i) {
      const std::int64_t before = now_ns();
      write(i);
      std::uint64_t seen = last;
      while (seen == last) {
        seen = std::atomic_ref(*stamps_).load(std::memory_order_acquire);
        if (now_ns() - before > kPatienceNs) throw Error(ErrorKind::kUnsupported, "the device's clock does not answer");
      }
      const std::int64_t after = now_ns();
      last = seen;
      if (after - before >= narrowest) continue;
      narrowest = after - before;
      offset_ = before + narrowest / 2 - static_cast<std::int64_t>(seen);
    }
    wait();
  }

  void launch(int i) { launch_stamp(stamps_ + i, nullptr); }
  /// What is launched until open() waits.
  void close() {
    write(0);
    launch_gate(word_, nullptr);
  }
  void open() { write(1); }
  static void wait() { check(cudaDeviceSynchronize(), "an empty kernel"); }

  /// On the host's clock.
  std::int64_t at(int i) const { return static_cast<std::int64_t>(stamps_[i]) + offset_; }

 private:
  void write(std::uint32_t value) { std::atomic_ref(*word_).store(value, std::memory_order_release); }

  std::uint64_t* stamps_ = nullptr;
  std::uint32_t* word_ = nullptr;
  std::int64_t offset_ = 0;
};

/// Samples of a round of launches, ns.
struct Samples {
  std::vector<double> call;      // what a launch takes the host
  std::vector<double> start;     // from its return to the stamp
  std::vector<double> period;    // between stamps of queued kernels
  std::vector<double> finish;    // from the stamp to the return of the wait, on an idle device
  std::vector<double> wait;      // for nothing
  std::vector<double> begin;     // recorded: from the return of the launch
  std::vector<double> duration;  // recorded
  std::vector<double> gap;       // recorded: between queued kernels
};

void idle_until(std::int64_t ns) {
  while (now_ns() < ns) {
  }
}

/// Launches that meet an idle device, one after the other.
void sample_starts(Stamps& stamps, Samples& samples, bool recorded) {
  std::vector<std::int64_t> returned(kLaunches);
  CuptiTracer& tracer = process_tracer();
  Trace trace;
  if (recorded) tracer.discard();
  trace.begin_ns = now_ns();
  for (int i = 0; i < kLaunches; ++i) {
    const std::int64_t begin = now_ns();
    stamps.launch(i);
    returned[static_cast<std::size_t>(i)] = now_ns();
    samples.call.push_back(difference(returned[static_cast<std::size_t>(i)], begin));
    idle_until(begin + kIntervalNs);
  }
  Stamps::wait();
  trace.end_ns = now_ns();
  for (int i = 0; i < kLaunches; ++i) {
    samples.start.push_back(difference(stamps.at(i), returned[static_cast<std::size_t>(i)]));
  }
  if (!recorded) return;
  tracer.collect({&trace, 1});
  if (trace.device.size() != returned.size()) {
    throw Error(ErrorKind::kUnsupported, "the device's queue cannot be measured: kernels are missing in its records");
  }
  for (std::size_t i = 0; i < returned.size(); ++i) {
    samples.begin.push_back(difference(trace.device[i].begin_ns, returned[i]));
    samples.duration.push_back(difference(trace.device[i].end_ns, trace.device[i].begin_ns));
  }
}

/// Launches that stand in the queue when the device comes to them.
void sample_switches(Stamps& stamps, Samples& samples, bool recorded) {
  CuptiTracer& tracer = process_tracer();
  Trace trace;
  if (recorded) tracer.discard();
  trace.begin_ns = now_ns();
  stamps.close();
  for (int i = 0; i < kLaunches; ++i) stamps.launch(i);
  stamps.open();
  Stamps::wait();
  trace.end_ns = now_ns();
  for (int i = 1; i < kLaunches; ++i) samples.period.push_back(difference(stamps.at(i), stamps.at(i - 1)));
  if (!recorded) return;
  tracer.collect({&trace, 1});
  for (std::size_t i = 2; i < trace.device.size(); ++i) {  // the first is the gate
    samples.gap.push_back(difference(trace.device[i].begin_ns, trace.device[i - 1].end_ns));
  }
}

/// A wait for one kernel, and one for nothing.
void sample_waits(Stamps& stamps, Samples& samples) {
  for (int i = 0; i < kLaunches; ++i) {
    idle_until(now_ns() + kIntervalNs);
    stamps.launch(i);
    Stamps::wait();
    const std::int64_t returned = now_ns();
    samples.finish.push_back(difference(returned, stamps.at(i)));
    Stamps::wait();
    samples.wait.push_back(difference(now_ns(), returned));
  }
}

Samples sample(Stamps& stamps, bool recorded) {
  Samples samples;
  stamps.find_clock();
  for (int round = 0; round < kRounds; ++round) {
    if (round == 1) samples = Samples();  // the first only loads what it needs
    sample_starts(stamps, samples, recorded);
    sample_switches(stamps, samples, recorded);
    if (!recorded) sample_waits(stamps, samples);
  }
  return samples;
}

}  // namespace

QueueTimes measure_queue() {
  Stamps stamps;
  CuptiTracer& tracer = process_tracer();
  tracer.detach();
  Samples plain = sample(stamps, false);
  tracer.enable(device::Tracer::Detail::kDeviceOnly);
  Samples recorded;
  try {
    recorded = sample(stamps, true);
  } catch (...) {
    tracer.detach();
    throw;
  }
  tracer.detach();
  const double duration = median(recorded.duration);
  QueueTimes times;
  times.recorded_start_ns = median(recorded.begin);
  // A kernel's record begins before its first instruction does; by how much, only recorded ones tell.
  const double to_stamp = median(std::move(recorded.start)) - times.recorded_start_ns;
  times.start_ns = median(std::move(plain.start)) - to_stamp;
  times.return_ns = median(std::move(plain.finish)) + to_stamp - duration;
  times.wait_ns = median(std::move(plain.wait));
  times.recorded_switch_ns = median(std::move(recorded.gap));
  times.switch_ns = median(std::move(plain.period)) - duration;
  times.recording_ns = median(std::move(recorded.call)) - median(std::move(plain.call));
  for (const double time : {times.start_ns, times.return_ns, times.wait_ns, times.recorded_start_ns,
                            times.recorded_switch_ns, times.switch_ns}) {
    if (!(time > 0)) throw Error(ErrorKind::kUnsupported, "the device's queue was measured to take no time");
  }
  return times;
}

}  // namespace nongemm::cuda
