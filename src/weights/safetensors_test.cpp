#include "weights/safetensors.h"

#include <gtest/gtest.h>

#include <cstring>

#include "base/error.h"
#include "base/temporary_folder.h"
#include "test_paths.h"

namespace nongemm::weights {
namespace {

namespace fs = std::filesystem;

/// A whole file: the header with its true length, then `data_bytes` bytes.
std::string file_of(const std::string& header, std::size_t data_bytes) {
  const std::uint64_t length = header.size();
  std::string file(8, '\0');
  std::memcpy(file.data(), &length, 8);
  file += header;
  for (std::size_t i = 0; i < data_bytes; ++i) file += static_cast<char>(i);
  return file;
}

std::string error_of(const std::string& file) {
  try {
    parse_safetensors_header(std::as_bytes(std::span(file)), "x.safetensors");
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

void expect_error(const std::string& header, std::size_t data_bytes, const std::string& expected) {
  const std::string message = error_of(file_of(header, data_bytes));
  EXPECT_NE(message.find(expected), std::string::npos) << header << "\n gave: " << message << "\n not: " << expected;
  EXPECT_EQ(message.find("x.safetensors"), 0u) << message;
}

TEST(Safetensors, WritesWhatItReads) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "t.safetensors";
  const NamedTensors written = {
      {"flags", HostTensor::from<std::uint8_t>(DType::kBool, {3}, {1, 0, 1})},
      {"a \"quoted\" name", HostTensor::from<float>(DType::kFloat32, {2, 3}, {1, 2, 3, 4, 5, 6})},
      {"empty", HostTensor::from<float>(DType::kFloat32, {0, 7}, {})},
      {"scalar", HostTensor::from<std::int64_t>(DType::kInt64, {}, {42})},
  };
  write_safetensors(path, written, {{"format", "pt"}});
  const NamedTensors read = read_safetensors(path);
  ASSERT_EQ(read.size(), written.size());
  for (std::size_t i = 0; i < read.size(); ++i) {
    EXPECT_EQ(read[i].first, written[i].first);
    const HostTensor& a = written[i].second;
    const HostTensor& b = read[i].second;
    EXPECT_EQ(a.dtype, b.dtype);
    EXPECT_EQ(a.shape, b.shape);
    ASSERT_EQ(a.byte_size(), b.byte_size());
    EXPECT_EQ(std::memcmp(a.data.get(), b.data.get(), a.byte_size()), 0);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(b.data.get()) % size_of(b.dtype), 0u);
  }
}

TEST(Safetensors, TensorsKeepTheMappingAlive) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "t.safetensors";
  write_safetensors(path, {{"x", HostTensor::from<float>(DType::kFloat32, {2}, {1.5f, 2.5f})}});
  HostTensor x;
  std::weak_ptr<const MappedFile> mapping;
  {
    const auto file = MappedFile::open(path);
    mapping = file;
    x = read_safetensors(file)[0].second;
  }
  fs::remove(path);
  EXPECT_FALSE(mapping.expired());
  EXPECT_EQ(x.as<float>()[1], 2.5f);
  x = {};
  EXPECT_TRUE(mapping.expired());
}

TEST(Safetensors, CopiesAMisalignedTensor) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "t.safetensors";
  write_file_atomically(path, file_of(R"({"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                                      R"("x":{"dtype":"I32","shape":[1],"data_offsets":[1,5]}})",
                                      5));
  const NamedTensors read = read_safetensors(path);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(read[1].second.data.get()) % 4, 0u);
  EXPECT_EQ(read[1].second.as<std::int32_t>()[0], 0x04030201);
}

TEST(Safetensors, ReadsTheFixtureOfAnOriginal) {
  const fs::path fixture = fs::path(NONGEMM_SHARED_DIR) / "fixtures/numerics/gpt2/model.safetensors";
  ASSERT_TRUE(fs::exists(fixture)) << fixture << " is missing: tests need the shared fixtures";
  const NamedTensors read = read_safetensors(fixture);
  EXPECT_EQ(read.size(), 29u);
  EXPECT_EQ(read[0].first, "lm_head.weight");
  EXPECT_EQ(read[0].second.shape, (Shape{101, 48}));
}

TEST(Safetensors, RefusesTruncatedAndForeignFiles) {
  EXPECT_NE(error_of("").find("truncated: 0 bytes"), std::string::npos);
  EXPECT_NE(error_of("1234567").find("truncated"), std::string::npos);
  EXPECT_NE(error_of("\xff\xff\xff\xff\xff\xff\xff\xff{}").find("18446744073709551615 bytes"), std::string::npos);
  EXPECT_NE(error_of(std::string("\x40\0\0\0\0\0\0\0{}", 10)).find("is truncated: the header has 64"),
            std::string::npos);
  EXPECT_NE(error_of(std::string(8, '\0')).find("not valid JSON"), std::string::npos);
  expect_error("[1]", 0, "holds a list");
  expect_error("{\"a\"", 0, "not valid JSON");
  expect_error("{} {}", 0, "not valid JSON");
  expect_error("{\"a\xff\":{}}", 0, "not valid JSON");
}

TEST(Safetensors, RefusesWrongStructure) {
  expect_error(std::string(100'000, '['), 0, "holds a list");
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "{\"a\":";
  expect_error(deep, 0, "tensor 'a'");
  expect_error(R"({"x":3})", 0, "tensor 'x': a number where");
  expect_error(R"({"x":{"dtype":["F32"]}})", 0, "tensor 'x': a list where");
  expect_error(R"({"x":{"dtype":"F32","dtype":"F32"}})", 0, "'dtype' appears twice");
  expect_error(R"({"x":{"shape":[1],"shape":[1]}})", 0, "tensor 'x'");
  expect_error(R"({"x":{"shape":[[1]]}})", 0, "tensor 'x'");
  expect_error(R"({"x":{"shape":[-1]}})", 0, "tensor 'x': a negative number");
  expect_error(R"({"x":{"shape":[1.5]}})", 0, "tensor 'x': a fraction");
  expect_error(R"({"x":{"shape":[99999999999999999999999]}})", 0, "beyond 64 bits");
  expect_error(R"({"x":{"data_offsets":[0]}})", 0, "must hold two numbers");
  expect_error(R"({"x":{"data_offsets":[0,1,2]}})", 0, "must hold two numbers");
  expect_error(R"({"x":{"colour":1}})", 0, "unknown key 'colour'");
  expect_error(R"({"x":{"shape":[1],"data_offsets":[0,4]}})", 4, "'dtype' is missing");
  expect_error(R"({"x":{"dtype":"F32","data_offsets":[0,4]}})", 4, "'shape' is missing");
  expect_error(R"({"x":{"dtype":"F32","shape":[1]}})", 4, "'data_offsets' is missing");
  expect_error(R"({"__metadata__":{"a":1}})", 0, "'__metadata__' holds a number");
  expect_error(R"({"__metadata__":{"a":{}}})", 0, "'__metadata__' holds an object");
  expect_error(R"({"x":{"dtype":"F32","shape":[)" + std::string(200, '1') + R"(]}})", 0, "tensor 'x'");
  expect_error("{\"" + std::string(5000, 'n') + "\":{}}", 0, "a name in the header has 5000 bytes");
  std::string dims = "1";
  for (int i = 0; i < 100; ++i) dims += ",1";
  expect_error(R"({"x":{"dtype":"F32","shape":[)" + dims + "]}}", 4, "more than 64 dimensions");
}

TEST(Safetensors, RefusesWrongTypesAndSizes) {
  expect_error(R"({"x":{"dtype":"F33","shape":[1],"data_offsets":[0,4]}})", 4, "tensor 'x': unknown dtype 'F33'");
  expect_error(R"({"x":{"dtype":"float32","shape":[1],"data_offsets":[0,4]}})", 4, "unknown dtype 'float32'");
  expect_error(R"({"x":{"dtype":"F4_E2M1","shape":[4],"data_offsets":[0,4]}})", 4, "unknown dtype 'F4_E2M1'");
  expect_error(R"({"x":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4, "needs 8 bytes");
  expect_error(R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[0,5]}})", 5, "hold 5");
  expect_error(R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", 4, "end before they begin");
  expect_error(R"({"x":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}})", 0, "absurdly large");
  expect_error(R"({"x":{"dtype":"F32","shape":[9223372036854775807,3],"data_offsets":[0,0]}})", 0, "absurdly large");
  expect_error(R"({"x":{"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,0]}})", 0, "absurdly large");
  expect_error(R"({"x":{"dtype":"F32","shape":[0,9223372036854775807,9],"data_offsets":[0,0]}})", 0, "absurdly large");
}

TEST(Safetensors, RefusesWrongLayout) {
  const auto two = [](const std::string& first, const std::string& second) {
    return R"({"x":{"dtype":"U8","shape":[4],"data_offsets":[)" + first +
           R"(]},"y":{"dtype":"U8","shape":[4],"data_offsets":[)" + second + "]}}";
  };
  EXPECT_EQ(error_of(file_of(two("4,8", "0,4"), 8)), "no error");
  expect_error(two("0,4", "4,8"), 7, "tensor 'y' ends at byte 8");
  expect_error(two("0,4", "2,6"), 8, "tensor 'y' overlaps tensor 'x'");
  expect_error(two("0,4", "0,4"), 4, "overlaps");
  expect_error(two("0,4", "6,10"), 10, "2 bytes before tensor 'y'");
  expect_error(two("0,4", "4,8"), 9, "1 bytes at the end");
  expect_error(two("0,4", "18446744073709551612,0"), 8, "end before");
  expect_error(R"({"x":{"dtype":"U8","shape":[0],"data_offsets":[99,99]}})", 0, "tensor 'x' ends at byte 99");
  expect_error(
      R"({"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"x":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})", 2,
      "tensor 'x' appears twice");
}

TEST(Safetensors, RecognisesItsFiles) {
  const std::string file = file_of("{}", 0);
  EXPECT_TRUE(safetensors_format().recognises(file, file.size()));
  EXPECT_FALSE(safetensors_format().recognises("PK\x03\x04 and the rest", 1000));
  EXPECT_FALSE(safetensors_format().recognises("", 0));
}

TEST(Safetensors, RefusesToWriteDuplicateNames) {
  const TemporaryFolder folder;
  const HostTensor x = HostTensor::from<float>(DType::kFloat32, {1}, {1});
  EXPECT_THROW(write_safetensors(folder.path() / "t", {{"x", x}, {"x", x}}), Error);
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

}  // namespace
}  // namespace nongemm::weights
