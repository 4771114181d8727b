// Small files of torch.profiler's kind, right and wrong.
#include <gmock/gmock.h>

#include <cstring>

#include "base/error.h"
#include "traces/read_trace.h"

namespace nongemm::traces {
namespace {

/// @param piece how much the file gives at once
ToolTrace read(const std::string& text, std::size_t piece = SIZE_MAX) {
  std::size_t at = 0;
  return read_event_trace(
      [&, piece](char* to, std::size_t most) {
        const std::size_t count = std::min({most, piece, text.size() - at});
        std::memcpy(to, text.data() + at, count);
        at += count;
        return count;
      },
      "t.json");
}

std::string op(const std::string& name, int id, double ts, double dur) {
  return R"({"ph": "X", "cat": "cpu_op", "name": ")" + name + R"(", "pid": 1, "tid": 1, "ts": )" + std::to_string(ts) +
         R"(, "dur": )" + std::to_string(dur) + R"(, "args": {"External id": )" + std::to_string(id) + "}}";
}

std::string kernel(const std::string& name, const std::string& args, double ts, double dur) {
  return R"({"ph": "X", "cat": "kernel", "name": ")" + name + R"(", "pid": 0, "tid": 7, "ts": )" + std::to_string(ts) +
         R"(, "dur": )" + std::to_string(dur) + R"(, "args": {"device": 0, "stream": 7)" + args + "}}";
}

std::string launch(int correlation, double ts) {
  return R"({"ph": "X", "cat": "cuda_runtime", "name": "cudaLaunchKernel", "pid": 1, "tid": 1, "ts": )" +
         std::to_string(ts) + R"(, "dur": 1, "args": {"correlation": )" + std::to_string(correlation) + "}}";
}

std::string in_file(const std::string& events) { return R"({"schemaVersion": 1, "traceEvents": [)" + events + "]}"; }

std::string operator_of(const ToolTrace& trace, std::size_t i) {
  const NodeId node = trace.trace.device.at(i).node;
  return node == kNoId ? "none" : trace.trace.names.at(trace.nodes.at(node).name);
}

TEST(Kineto, KernelsGoToTheInnermostOperator) {
  const std::string events = op("aten::linear", 1, 100, 50) + "," + op("aten::addmm", 2, 110, 30) + "," +
                             launch(9, 120) + "," + kernel("by_id", R"(, "External id": 2)", 200, 5) + "," +
                             kernel("by_call", R"(, "correlation": 9)", 210, 5) + "," +
                             kernel("of_nobody", R"(, "correlation": 10)", 220, 5);
  const ToolTrace trace = read(in_file(events));
  EXPECT_EQ(trace.events, 6);
  EXPECT_EQ(operator_of(trace, 0), "aten::addmm");
  EXPECT_EQ(operator_of(trace, 1), "aten::addmm");
  EXPECT_EQ(operator_of(trace, 2), "none");
  EXPECT_EQ(trace.trace.device[1].launch_ns, 120'000);
  // Host time is that of the operator itself.
  EXPECT_EQ(trace.nodes.at(0).host_ns, 20'000);
  EXPECT_EQ(trace.nodes.at(1).host_ns, 30'000);
}

TEST(Kineto, OfMillionsOfCallsTheFirstAreKeptInTime) {
  constexpr int kCalls = 100'010;
  std::string events;
  for (int i = 0; i < kCalls; ++i) {  // the last in the file are the first in time
    events += op("aten::add", i, 10.0 * (kCalls - i), 5) + ",";
  }
  const ToolTrace alone = read(in_file(events.substr(0, events.size() - 1)));
  EXPECT_EQ(alone.trace.nodes.size(), kCalls);
  EXPECT_EQ(alone.calls_left_out, 0U);
  const ToolTrace beside = read(in_file(events + kernel("k", "", 200, 5)));
  ASSERT_EQ(beside.trace.nodes.size(), kMostRecordsKept);
  EXPECT_EQ(beside.calls_left_out, 10U);
  EXPECT_EQ(beside.trace.nodes.front().begin_ns, 10'000);
  EXPECT_EQ(beside.trace.nodes.back().begin_ns, 1'000'000'000);
  EXPECT_EQ(beside.nodes.at(0).calls, kCalls);  // figures are of all
}

TEST(Kineto, TimesAreExact) {
  const ToolTrace trace = read(
      in_file(R"({"ph":"X","cat":"kernel","name":"k","pid":0,"tid":7,"ts":4466471334539.392,"dur":0.001,"args":{}},)"
              R"({"ph":"X","cat":"kernel","name":"k","pid":0,"tid":7,"ts":4.5e12,"dur":"1.5","args":{}})"));
  EXPECT_EQ(trace.trace.device.at(0).begin_ns, 4466471334539392);
  EXPECT_EQ(trace.trace.device.at(0).end_ns, 4466471334539393);
  EXPECT_EQ(trace.trace.device.at(1).begin_ns, 4500000000000000);
  EXPECT_EQ(trace.trace.device.at(1).end_ns, 4500000000001500);
}

TEST(Kineto, PiecesOfAnySize) {
  std::string events;
  for (int i = 0; i < 50; ++i) events += (i > 0 ? "," : "") + op("aten::add", i, 10 * i, 5);
  for (const std::size_t piece : {1UL, 2UL, 7UL, 100UL}) {
    const ToolTrace trace = read(in_file(events), piece);
    EXPECT_EQ(trace.events, 50);
    EXPECT_EQ(trace.nodes.at(0).calls, 50);
  }
}

TEST(Kineto, WhatWritersGetWrongIsMended) {
  const std::string good = op("aten::add", 1, 0, 5);
  for (const char* name : {R"(say "hi" there)", R"(f("a", "b"))", "a\nb\x01", R"(C:\Users\x)", R"(run {"a": 1})"}) {
    SCOPED_TRACE(name);
    const ToolTrace trace = read(in_file(good + "," + op(name, 2, 10, 5) + "," + good));
    EXPECT_EQ(trace.events, 3);
    EXPECT_EQ(trace.repaired, 1);
    EXPECT_EQ(trace.dropped, 0);
    EXPECT_EQ(trace.trace.names.at(trace.nodes.back().name), name);
  }
  for (const char* odd :
       {R"({"ph": "X", "cat": "cpu_op", "name": "x", "pid": 1, "tid": 1, "ts": 1, "dur": 2, "args": {"a": NaN}})",
        R"({"ph": "X", "cat": "cpu_op", "name": "x", "pid": 1, "tid": 1, "ts": 1, "dur": 2, "args": {"a": -inf}})",
        R"({"ph": "X", "cat": "cpu_op", "name": "x", "pid": 1, "tid": 1, "ts": 1, "dur": 2, "args": {"a": 1,}})",
        R"({"ph": "X", "cat": "cpu_op", "name": "y", "name": "x", "pid": 1, "tid": 1, "ts": 1, "dur": 2})"}) {
    SCOPED_TRACE(odd);
    const ToolTrace trace = read(in_file(std::string(odd) + "," + good));
    EXPECT_EQ(trace.events, 2);
    EXPECT_EQ(trace.repaired, 1);
    EXPECT_EQ(trace.dropped, 0);
  }
  EXPECT_EQ(read(in_file(good + ",")).repaired, 1);
}

TEST(Kineto, WhatCannotBeReadIsLeftOut) {
  const std::string good = op("aten::add", 1, 0, 5);
  for (const char* bad :
       {R"({"ph": "X", "cat" "cpu_op"})", R"({"ph": "X", 5})", R"(nonsense)", R"({"ph": "X", "args": {"a": [1, 2}})"}) {
    SCOPED_TRACE(bad);
    const ToolTrace trace = read(in_file(good + "," + bad + "," + good));
    EXPECT_EQ(trace.events, 2);
    EXPECT_EQ(trace.dropped, 1);
  }
}

TEST(Kineto, AFileThatEndsEarly) {
  const std::string whole = in_file(op("aten::add", 1, 0, 5) + "," + op("aten::mul", 2, 10, 5));
  for (std::size_t size = whole.find("mul"); size < whole.size() - 3; ++size) {
    const ToolTrace trace = read(whole.substr(0, size));
    EXPECT_EQ(trace.events, 1) << size;
    EXPECT_EQ(trace.dropped, 1) << size;
    EXPECT_THAT(trace.notes, testing::Contains(testing::HasSubstr("ends before")));
  }
  EXPECT_EQ(read(whole.substr(0, whole.size() - 2)).events, 2);
}

TEST(Kineto, ModulesAndNamedRangesAreScopes) {
  const std::string range =
      R"({"ph": "X", "cat": "user_annotation", "name": "decode", "pid": 1, "tid": 1, "ts": 0, "dur": 100})";
  const std::string module =
      R"({"ph": "X", "cat": "python_function", "name": "nn.Module: LlamaRMSNorm_3", "pid": 1, "tid": 1, "ts": 1, "dur": 50})";
  const ToolTrace trace =
      read(in_file(op("aten::mul", 1, 2, 5) + "," + range + "," + module + "," + op("aten::add", 2, 60, 5)));
  const ToolScope& inner = trace.scopes.at(trace.nodes.at(0).scope);
  EXPECT_EQ(inner.name, "LlamaRMSNorm_3");
  EXPECT_EQ(inner.type, "LlamaRMSNorm");
  EXPECT_EQ(trace.scopes.at(inner.parent).name, "decode");
  EXPECT_EQ(trace.nodes.at(1).scope, inner.parent);
}

TEST(Kineto, FilesThatAreNoTrace) {
  const auto refused = [](const std::string& text, const std::string& what) {
    try {
      read(text);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
      EXPECT_THAT(error.what(), testing::HasSubstr(what));
    }
  };
  refused("", "empty");
  refused("<html>", "no JSON");
  refused(R"({"nbformat": 4, "cells": []})", "Jupyter");
  refused(R"({"log": {"version": "1.2", "entries": []}})", "HAR");
  refused(R"({"schema": "nongemm-report", "version": 2})", "report of nongemm");
  refused(R"([{"name": "layer", "timeMs": 2}])", "no events");
  refused(in_file(""), "no events");
  refused(in_file(R"({"ph": "X", "cat": "browser", "name": "x", "pid": 1, "tid": 1, "ts": 1, "dur": 2})"), "neither");
}

}  // namespace
}  // namespace nongemm::traces
