#include "flows/cuda/record_store.h"

#include <gtest/gtest.h>

#include <cstring>

#include "base/error.h"
#include "flows/cuda/cupti.h"

namespace nongemm::cuda {
namespace {

/// A buffer as CUPTI hands it back, filled by hand.
class Buffer {
 public:
  explicit Buffer(RecordStore& store) : store_(store) { store.lend(&bytes_, &size_); }
  template <typename Activity>
  void add(const Activity& activity) {
    ASSERT_LE(used_ + sizeof activity, size_);
    std::memcpy(bytes_ + used_, &activity, sizeof activity);
    used_ += sizeof activity;
  }
  void hand_back() { store_.take_back(nullptr, 0, bytes_, used_); }

 private:
  RecordStore& store_;
  std::uint8_t* bytes_ = nullptr;
  std::size_t size_ = 0;
  std::size_t used_ = 0;
};

CUpti_ActivityKernel10 kernel(const char* name, std::uint64_t start, std::uint64_t end, std::uint32_t correlation) {
  CUpti_ActivityKernel10 activity{};
  activity.kind = CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL;
  activity.start = start;
  activity.end = end;
  activity.streamId = 7;
  activity.correlationId = correlation;
  activity.name = name;
  return activity;
}

class RecordStoreTest : public ::testing::Test {
 protected:
  void SetUp() override { cupti(); }  // says what is missing when it cannot be loaded
};

void add_every_kind(Buffer& buffer) {
  buffer.add(kernel("_ZN2at6native4gemmEv", 100, 200, 5));
  CUpti_ActivityMemcpy6 copy{};
  copy.kind = CUPTI_ACTIVITY_KIND_MEMCPY;
  copy.copyKind = CUPTI_ACTIVITY_MEMCPY_KIND_DTOH;
  copy.bytes = 8;
  copy.start = 210;
  copy.end = 220;
  copy.correlationId = 6;
  buffer.add(copy);
  CUpti_ActivityMemset4 fill{};
  fill.kind = CUPTI_ACTIVITY_KIND_MEMSET;
  fill.bytes = 64;
  fill.start = 230;
  fill.end = 240;
  fill.correlationId = 7;
  buffer.add(fill);
  CUpti_ActivityExternalCorrelation launch{};
  launch.kind = CUPTI_ACTIVITY_KIND_EXTERNAL_CORRELATION;
  launch.externalKind = CUPTI_EXTERNAL_CORRELATION_KIND_CUSTOM0;
  launch.externalId = 3 + 1;
  launch.correlationId = 5;
  buffer.add(launch);
  CUpti_ActivityAPI call{};
  call.kind = CUPTI_ACTIVITY_KIND_RUNTIME;
  call.correlationId = 5;
  buffer.add(call);
  CUpti_ActivitySynchronization2 wait{};
  wait.kind = CUPTI_ACTIVITY_KIND_SYNCHRONIZATION;
  wait.type = CUPTI_ACTIVITY_SYNCHRONIZATION_TYPE_STREAM_SYNCHRONIZE;
  wait.start = 240;
  wait.end = 250;
  wait.correlationId = 9;
  buffer.add(wait);
  wait.type = CUPTI_ACTIVITY_SYNCHRONIZATION_TYPE_STREAM_WAIT_EVENT;  // the device waits, the host does not
  buffer.add(wait);
}

TEST_F(RecordStoreTest, ReadsEveryKindOfRecord) {
  RecordStore store;
  Buffer buffer(store);
  add_every_kind(buffer);
  buffer.hand_back();

  RawTrace trace;
  store.swap(trace);
  ASSERT_EQ(trace.records.size(), 3u);
  EXPECT_EQ(trace.records[0].begin_ns, 100);
  EXPECT_EQ(trace.records[0].end_ns, 200);
  EXPECT_EQ(trace.records[0].stream, 7u);
  EXPECT_EQ(store.name(trace.records[0].name), "at::native::gemm()");
  EXPECT_EQ(trace.records[1].kind, DeviceRecord::Kind::kMemcpyDeviceToHost);
  EXPECT_EQ(trace.records[1].bytes, 8u);
  EXPECT_EQ(trace.records[2].kind, DeviceRecord::Kind::kMemset);
  ASSERT_EQ(trace.launches.size(), 1u);
  EXPECT_EQ(trace.launches[0].correlation, 5u);
  EXPECT_EQ(trace.launches[0].span, 3u);
  ASSERT_EQ(trace.waits.size(), 1u);
  EXPECT_EQ(trace.waits[0].end_ns, 250);
  EXPECT_EQ(trace.dropped, 0u);
  EXPECT_LT(sizeof(RawRecord) + sizeof(Launch) + sizeof(DeviceRecord), 200u);

  store.swap(trace);
  EXPECT_TRUE(trace.records.empty());
}

TEST_F(RecordStoreTest, NamesAreKeptOnceAndPointersAreNotTrusted) {
  RecordStore store;
  char reused[8] = "first";
  Buffer buffer(store);
  buffer.add(kernel(reused, 1, 2, 1));
  buffer.add(kernel("first", 3, 4, 2));
  buffer.hand_back();
  std::strcpy(reused, "second");
  Buffer next(store);
  next.add(kernel(reused, 5, 6, 3));
  next.hand_back();
  RawTrace trace;
  store.swap(trace);
  ASSERT_EQ(trace.records.size(), 3u);
  EXPECT_EQ(trace.records[0].name, trace.records[1].name);
  EXPECT_EQ(store.name(trace.records[2].name), "second");
}

TEST_F(RecordStoreTest, UnfinishedWorkCountsAsDropped) {
  RecordStore store;
  Buffer buffer(store);
  buffer.add(kernel("k", 100, 0, 1));
  buffer.hand_back();
  RawTrace trace;
  store.swap(trace);
  EXPECT_TRUE(trace.records.empty());
  EXPECT_EQ(trace.dropped, 1u);
}

}  // namespace
}  // namespace nongemm::cuda
