#include <gmock/gmock.h>

#include <cstring>
#include <map>
#include <protozero/pbf_reader.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/temporary_folder.h"
#include "lowering/lower.h"
#include "onnx/file.h"
#include "onnx/wire.h"
#include "ops/builder.h"

namespace nongemm::onnx {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

/// An initializer as the file has it.
struct Stored {
  std::string name;
  std::string raw;
  std::map<std::string, std::string> external;
};

Stored read_tensor(protozero::pbf_reader tensor) {
  Stored stored;
  while (tensor.next()) {
    if (tensor.tag() == 8) {
      stored.name = tensor.get_string();
    } else if (tensor.tag() == 9) {
      stored.raw = tensor.get_bytes();
    } else if (tensor.tag() == 13) {
      protozero::pbf_reader entry = tensor.get_message();
      entry.next(1);
      const std::string key = entry.get_string();
      entry.next(2);
      stored.external[key] = entry.get_string();
    } else {
      tensor.skip();
    }
  }
  return stored;
}

std::vector<Stored> read_initializers(const std::string& bytes) {
  std::vector<Stored> all;
  protozero::pbf_reader model(bytes);
  while (model.next(7)) {
    protozero::pbf_reader graph = model.get_message();
    while (graph.next(5)) all.push_back(read_tensor(graph.get_message()));
  }
  return all;
}

class FileTest : public testing::Test {
 protected:
  /// x [1, 2, 3] times a [4, 3] weight, plus a bias.
  static ModelDef linear_model() {
    Builder b("test", DType::kFloat32);
    const Tensor x = b.input("x", DType::kFloat32, {1, 2, 3}, {});
    b.output("y", b.call("aten.linear.default", {x, b.parameter("w", {4, 3}, {}), b.parameter("b", {4}, {})}));
    return lower_to_onnx(b.finish()).model;
  }

  /// w[i][j] = 10 i + j, b[i] = -i
  static HostTensor weight(std::size_t i) {
    if (i == 1) return HostTensor::from<float>(DType::kFloat32, {4}, {0, -1, -2, -3});
    return HostTensor::from<float>(DType::kFloat32, {4, 3}, {0, 1, 2, 10, 11, 12, 20, 21, 22, 30, 31, 32});
  }

  static std::vector<float> floats(std::string_view bytes) {
    std::vector<float> values(bytes.size() / sizeof(float));
    std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
  }

  const std::vector<float> transposed_{0, 10, 20, 30, 1, 11, 21, 31, 2, 12, 22, 32};
  TemporaryFolder folder_;
  fs::path path_ = folder_.path() / "model.onnx";
};

TEST_F(FileTest, SmallWeightsLieInTheModel) {
  const WrittenModel written = write_model(linear_model(), path_, weight);
  EXPECT_TRUE(written.data.empty());
  EXPECT_EQ(written.bytes, fs::file_size(path_));
  const std::vector<Stored> stored = read_initializers(read_file(path_, 1 << 20));
  ASSERT_THAT(stored, SizeIs(2));
  EXPECT_EQ(stored[0].name, "b");
  EXPECT_EQ(floats(stored[0].raw), (std::vector<float>{0, -1, -2, -3}));
  EXPECT_EQ(stored[1].name, "w.transposed");
  EXPECT_EQ(floats(stored[1].raw), transposed_);
}

TEST_F(FileTest, LargeWeightsLieBesideIt) {
  const WrittenModel written = write_model(linear_model(), path_, weight, /*most_inline=*/0);
  EXPECT_EQ(written.bytes, fs::file_size(path_) + fs::file_size(written.data));
  const std::string data = read_file(written.data, 1 << 20);
  const std::vector<Stored> stored = read_initializers(read_file(path_, 1 << 20));
  ASSERT_THAT(stored, SizeIs(2));
  for (const Stored& tensor : stored) {
    EXPECT_THAT(tensor.raw, IsEmpty());
    EXPECT_EQ(tensor.external.at("location"), "model.onnx.data");
    EXPECT_EQ(std::stoull(tensor.external.at("offset")) % 4096, 0U);
  }
  const std::size_t offset = std::stoull(stored[1].external.at("offset"));
  const std::size_t length = std::stoull(stored[1].external.at("length"));
  EXPECT_EQ(floats(std::string_view(data).substr(offset, length)), transposed_);
}

TEST_F(FileTest, WeightsCanBeHandedOver) {
  const ModelDef model = linear_model();
  for (const Stored& tensor : read_initializers(serialize(model))) {
    EXPECT_EQ(tensor.external.at("location"), kHandedOver);
  }
  const HostTensor bias = weight(1);
  const HostTensor given = tensor_of(model.graph.initializers[0], [&](std::size_t) { return bias; });
  EXPECT_EQ(given.data, bias.data);  // the same memory
  const HostTensor turned = tensor_of(model.graph.initializers[1], weight);
  EXPECT_EQ(turned.shape, (Shape{3, 4}));
  EXPECT_EQ(std::vector<float>(turned.as<float>(), turned.as<float>() + 12), transposed_);
}

TEST_F(FileTest, NothingRemainsAfterAFailure) {
  const auto give = [](std::size_t i) -> HostTensor {
    if (i == 0) throw Error(ErrorKind::kBadInput, "no weight");
    return weight(i);
  };
  for (const std::uint64_t most_inline : {std::uint64_t{0}, std::uint64_t{1} << 20}) {
    EXPECT_THROW(write_model(linear_model(), path_, give, most_inline), Error);
    EXPECT_TRUE(fs::is_empty(folder_.path()));
  }
}

TEST_F(FileTest, AFullDiskIsNamed) {
  fs::create_symlink("/dev/full", path_.string() + ".data");
  try {
    write_model(linear_model(), path_, weight, 0);
    FAIL() << "nothing was refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kIo);
    EXPECT_THAT(error.what(), HasSubstr("model.onnx.data"));
    EXPECT_THAT(error.what(), HasSubstr("No space left"));
  }
  EXPECT_FALSE(fs::exists(path_));
}

TEST_F(FileTest, WeightsOfAnotherShapeAreRefused) {
  const auto give = [](std::size_t) { return weight(1); };
  EXPECT_THROW(write_model(linear_model(), path_, give), Error);
}

}  // namespace
}  // namespace nongemm::onnx
