// Databases made here after the schema that Nsight Systems publishes.
#include "traces/nsys/nsys.h"

#include <gmock/gmock.h>
#include <sqlite3.h>

#include <fstream>

#include "base/error.h"
#include "base/temporary_folder.h"
#include "traces/read_trace.h"

namespace nongemm::traces {
namespace {

constexpr std::int64_t kProcess = std::int64_t{77} << 24;

class Nsys : public testing::Test {
 protected:
  /// A database of these statements; %P stands for the process's number, %T for its thread's.
  std::filesystem::path made_of(std::string statements) {
    const std::filesystem::path path = folder_.path() / "t.sqlite";
    std::filesystem::remove(path);
    const auto replace = [&](const std::string& what, std::int64_t number) {
      for (std::size_t at = 0; (at = statements.find(what)) != std::string::npos;) {
        statements.replace(at, what.size(), std::to_string(number));
      }
    };
    replace("%P", kProcess);
    replace("%T", kProcess + 3);
    sqlite3* database = nullptr;
    EXPECT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
    char* message = nullptr;
    EXPECT_EQ(sqlite3_exec(database, statements.c_str(), nullptr, nullptr, &message), SQLITE_OK) << message;
    sqlite3_close(database);
    return path;
  }

  std::string operator_of(const ToolTrace& trace, std::size_t i) {
    const NodeId node = trace.trace.device.at(i).node;
    return node == kNoId ? "none" : trace.trace.names.at(trace.nodes.at(node).name);
  }

  TemporaryFolder folder_;
};

constexpr const char* kSmall = R"(
CREATE TABLE StringIds (id INTEGER NOT NULL PRIMARY KEY, value TEXT NOT NULL);
INSERT INTO StringIds VALUES (1,'void gemm<int>(int)'), (2,'gemm'), (3,'cudaLaunchKernel_v7000'), (4,'block 3'),
  (5,'cudaStreamSynchronize_v3020');
CREATE TABLE NVTX_EVENTS (start INT NOT NULL, end INT, eventType INT NOT NULL, rangeId INT, text TEXT, globalTid INT,
  textId INT);
INSERT INTO NVTX_EVENTS VALUES (100, 900, 59, NULL, NULL, %T, 4),
  (200, 400, 59, NULL, 'aten::linear, seq = 5', %T, NULL),
  (250, 350, 59, NULL, 'aten::addmm, op_id = 3, sizes = [[4], [2, 3], [3, 4]]', %T, NULL),
  (260, NULL, 34, NULL, 'a mark', %T, NULL);
CREATE TABLE CUPTI_ACTIVITY_KIND_RUNTIME (start INT, end INT, eventClass INT, globalTid INT, correlationId INT, nameId INT);
INSERT INTO CUPTI_ACTIVITY_KIND_RUNTIME VALUES (300, 310, 0, %T, 8, 3), (600, 610, 0, %T, 9, 3), (700, 1500, 0, %T, 10, 5);
CREATE TABLE CUPTI_ACTIVITY_KIND_KERNEL (start INT, end INT, deviceId INT, contextId INT, streamId INT, correlationId INT,
  globalPid INT, demangledName INT, shortName INT);
INSERT INTO CUPTI_ACTIVITY_KIND_KERNEL VALUES (1000, 1100, 0, 1, 7, 8, %P, 1, 2), (1050, 1200, 0, 1, 13, 9, %P, 1, 2);
CREATE TABLE CUPTI_ACTIVITY_KIND_MEMCPY (start INT, end INT, deviceId INT, streamId INT, correlationId INT, globalPid INT,
  bytes INT, copyKind INT);
INSERT INTO CUPTI_ACTIVITY_KIND_MEMCPY VALUES (1300, 1400, 0, 7, 11, %P, 4096, 2);
CREATE TABLE TARGET_INFO_GPU (id INT, name TEXT);
INSERT INTO TARGET_INFO_GPU VALUES (0, 'NVIDIA H200');
)";

TEST_F(Nsys, KernelsCopiesAndRanges) {
  const ToolTrace trace = read_trace(made_of(kSmall));
  EXPECT_EQ(trace.kind, "nsys");
  EXPECT_EQ(trace.events, 4 + 3 + 2 + 1);
  EXPECT_EQ(trace.dropped, 0);
  ASSERT_EQ(trace.trace.device.size(), 3U);
  EXPECT_EQ(trace.trace.names.at(trace.trace.device[0].name), "void gemm<int>(int)");
  EXPECT_EQ(operator_of(trace, 0), "aten::addmm");
  EXPECT_EQ(operator_of(trace, 1), "none");
  EXPECT_EQ(trace.trace.device[0].launch_ns, 300);
  EXPECT_EQ(trace.trace.device[2].kind, DeviceRecord::Kind::kMemcpyDeviceToHost);
  EXPECT_EQ(trace.trace.device[2].bytes, 4096U);
  EXPECT_EQ(trace.streams.size(), 2U);
  const ToolNode& addmm = trace.nodes.at(trace.trace.device[0].node);
  EXPECT_EQ(trace.trace.names.at(addmm.shapes), "[[4], [2, 3], [3, 4]]");
  EXPECT_EQ(trace.scopes.at(addmm.scope).name, "block 3");
  EXPECT_EQ(trace.trace.synchronisations.size(), 1U);
  EXPECT_THAT(trace.device_names, testing::ElementsAre("NVIDIA H200"));
}

TEST_F(Nsys, ColumnsThatAVersionLacks) {
  const ToolTrace trace = read_trace(made_of(R"(
    CREATE TABLE StringIds (id INTEGER, value TEXT);
    INSERT INTO StringIds VALUES (2,'softmax');
    CREATE TABLE CUPTI_ACTIVITY_KIND_KERNEL (start INT, end INT, streamId INT, shortName INT);
    INSERT INTO CUPTI_ACTIVITY_KIND_KERNEL VALUES (10, 20, 7, 2), (30, 25, 7, 2), (30, NULL, 7, 2), (40, 45, 7, 9);)"));
  EXPECT_EQ(trace.events, 4);
  EXPECT_EQ(trace.dropped, 2);
  ASSERT_EQ(trace.trace.device.size(), 2U);
  EXPECT_EQ(trace.trace.names.at(trace.trace.device[0].name), "softmax");
  EXPECT_EQ(trace.trace.names.at(trace.trace.device[1].name), "(without a name)");
}

TEST_F(Nsys, TwoProcessesWithTheSameNumbers) {
  const ToolTrace trace = read_trace(made_of(R"(
    CREATE TABLE StringIds (id INTEGER, value TEXT);
    CREATE TABLE NVTX_EVENTS (start INT, end INT, eventType INT, text TEXT, globalTid INT);
    INSERT INTO NVTX_EVENTS VALUES (0, 100, 59, 'aten::mm', 16777217), (0, 100, 59, 'aten::add', 33554433);
    CREATE TABLE CUPTI_ACTIVITY_KIND_RUNTIME (start INT, end INT, globalTid INT, correlationId INT);
    INSERT INTO CUPTI_ACTIVITY_KIND_RUNTIME VALUES (10, 20, 16777217, 1), (10, 20, 33554433, 1);
    CREATE TABLE CUPTI_ACTIVITY_KIND_KERNEL (start INT, end INT, deviceId INT, correlationId INT, globalPid INT);
    INSERT INTO CUPTI_ACTIVITY_KIND_KERNEL VALUES (200, 210, 0, 1, 16777216), (200, 210, 1, 1, 33554432);)"));
  EXPECT_EQ(operator_of(trace, 0), "aten::mm");
  EXPECT_EQ(operator_of(trace, 1), "aten::add");
}

TEST_F(Nsys, WhatIsNoExportIsRefused) {
  EXPECT_THROW(read_trace(made_of("CREATE TABLE people (name TEXT);")), Error);
  const std::filesystem::path path = made_of(kSmall);
  std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
  EXPECT_THROW(read_trace(path), Error);
  std::ofstream(path, std::ios::binary) << std::string("SQLite format 3\0 and nothing else", 33);
  EXPECT_THROW(read_trace(path), Error);
}

}  // namespace
}  // namespace nongemm::traces
