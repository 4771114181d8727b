#include "import/onnx/file.h"

#include <gtest/gtest.h>

#include <fstream>
#include <protozero/pbf_writer.hpp>

#include "base/error.h"
#include "base/temporary_folder.h"

namespace nongemm::onnx {
namespace {

using protozero::pbf_writer;

void add_value(pbf_writer& graph, std::uint32_t field, const std::string& name,
               const std::vector<std::int64_t>& shape) {
  pbf_writer value(graph, field);
  value.add_string(1, name);
  pbf_writer type(value, 2);
  pbf_writer tensor(type, 1);
  tensor.add_int32(1, 1);
  pbf_writer dims(tensor, 2);
  for (const std::int64_t size : shape) {
    pbf_writer dim(dims, 1);
    if (size == kDynamic) {
      dim.add_string(2, "batch");
    } else {
      dim.add_int64(1, size);
    }
  }
}

/// y = type(x, w); w [4] lies in `location`, or in the file when that is empty.
std::string model(const std::string& type, const std::string& location, const std::string& offset = "0") {
  std::string bytes;
  pbf_writer root(bytes);
  {
    pbf_writer opset(root, 8);
    opset.add_int64(2, 17);
  }
  pbf_writer graph(root, 7);
  {
    pbf_writer node(graph, 1);
    node.add_string(1, "x");
    node.add_string(1, "w");
    node.add_string(2, "y");
    node.add_string(3, "/encoder/layer.0/" + type);
    node.add_string(4, type);
  }
  {
    pbf_writer tensor(graph, 5);
    tensor.add_int64(1, 4);
    tensor.add_int32(2, 1);
    tensor.add_string(8, "w");
    if (location.empty()) {
      tensor.add_bytes(9, std::string(16, '\0'));
    } else {
      for (const auto& [key, value] : {std::pair("location", location), std::pair("offset", offset)}) {
        pbf_writer entry(tensor, 13);
        entry.add_string(1, key);
        entry.add_string(2, value);
      }
      tensor.add_enum(14, 1);
    }
  }
  add_value(graph, 11, "x", {kDynamic, 4});
  add_value(graph, 12, "y", {kDynamic, 4});
  return bytes;
}

/// y = transpose(int8 product of x [2, 3, 8], which is quantized on the way, and w [8, 5]), as exporters write w8a8.
std::string int8_model() {
  std::string bytes;
  pbf_writer root(bytes);
  {
    pbf_writer opset(root, 8);
    opset.add_int64(2, 17);
  }
  pbf_writer graph(root, 7);
  const auto node = [&](const char* type, const std::vector<const char*>& inputs,
                        const std::vector<const char*>& outputs) {
    pbf_writer writer(graph, 1);
    for (const char* input : inputs) writer.add_string(1, input);
    for (const char* output : outputs) writer.add_string(2, output);
    writer.add_string(4, type);
  };
  node("DynamicQuantizeLinear", {"x"}, {"q", "scale", "zero"});
  node("MatMulInteger", {"q", "w", "zero"}, {"sums"});
  node("Transpose", {"sums"}, {"y"});
  node("Neg", {"scale"}, {"negative"});
  {
    pbf_writer tensor(graph, 5);
    tensor.add_int64(1, 8);
    tensor.add_int64(1, 5);
    tensor.add_int32(2, 3);  // int8
    tensor.add_string(8, "w");
    tensor.add_bytes(9, std::string(40, '\1'));
  }
  add_value(graph, 11, "x", {2, 3, 8});
  add_value(graph, 12, "y", {5, 3, 2});
  add_value(graph, 12, "negative", {});
  return bytes;
}

class OnnxFile : public testing::Test {
 protected:
  std::shared_ptr<const ModelFile> open(const std::string& bytes) {
    const std::filesystem::path path = folder_.path() / "model.onnx";
    std::ofstream(path, std::ios::binary) << bytes;
    return open_onnx(MappedFile::open(path));
  }

  std::string reason(const std::string& bytes) {
    try {
      open(bytes);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  TemporaryFolder folder_;
};

TEST_F(OnnxFile, BecomesOperatorsOfTheTable) {
  const auto file = open(model("Add", ""));
  const Graph graph = file->build({});
  ASSERT_EQ(graph.nodes.size(), 1U);
  EXPECT_EQ(graph.nodes[0].op, "aten.add.Tensor");
  EXPECT_EQ(graph.scope_path(graph.nodes[0].scope), "encoder.layer.0");
  EXPECT_EQ(graph.values[graph.outputs.at(0).value].type.shape, (Shape{1, 4}));
  EXPECT_EQ(file->weights(graph).at(0).shape, (Shape{4}));
  ImportOptions options;
  options.batch = 3;
  EXPECT_EQ(file->build(options).attributes.at("batch"), "3");
  options.inputs = {parse_input_binding("x=3x5")};
  EXPECT_THROW(file->build(options), Error);
}

TEST_F(OnnxFile, KeepsOperatorsWithoutRule) {
  const Graph graph = open(model("Fancy", ""))->build({});
  ASSERT_EQ(graph.nodes.size(), 1U);
  EXPECT_EQ(graph.nodes[0].op, "onnx.Fancy.default");
  EXPECT_EQ(graph.values[graph.outputs.at(0).value].type.shape, (Shape{1, 4}));
}

/// What an int8 product is followed by is imported: its results have types.
TEST_F(OnnxFile, KnowsTheTypesOfIntegerProducts) {
  const Graph graph = open(int8_model())->build({});
  ASSERT_EQ(graph.nodes.size(), 4U);
  EXPECT_EQ(graph.nodes[1].op, "onnx.MatMulInteger.default");
  const Type& sums = graph.values[graph.nodes[1].outputs.at(0)].type;
  EXPECT_EQ(sums.dtype, DType::kInt32);
  EXPECT_EQ(sums.shape, (Shape{2, 3, 5}));
  EXPECT_EQ(graph.nodes[2].op, "aten.permute.default");
  EXPECT_EQ(graph.nodes[3].op, "aten.neg.default") << "of a scale, one number";
}

TEST_F(OnnxFile, ReadsExternalDataInItsFolderAlone) {
  std::ofstream(folder_.path() / "weights.bin", std::ios::binary) << std::string(20, '\1');
  EXPECT_EQ(reason(model("Add", "weights.bin", "4")), "");
  EXPECT_NE(reason(model("Add", "weights.bin", "8")).find("tensor 'w': reaches beyond the end"), std::string::npos);
  EXPECT_NE(reason(model("Add", "weights.bin", "-8")).find("tensor 'w': its offset is no number"), std::string::npos);
  EXPECT_NE(reason(model("Add", "/etc/passwd")).find("lies outside the model's folder"), std::string::npos);
  EXPECT_NE(reason(model("Add", "a/../../weights.bin")).find("lies outside the model's folder"), std::string::npos);
  EXPECT_NE(reason(model("Add", "missing.bin")).find("missing.bin"), std::string::npos);
}

TEST_F(OnnxFile, RefusesWhatIsNone) {
  EXPECT_THROW(open(""), Error);
  EXPECT_THROW(open("PK\3\4 something else"), Error);
  const std::string whole = model("Add", "");
  EXPECT_THROW(open(whole.substr(0, whole.size() - 9)), Error);
}

}  // namespace
}  // namespace nongemm::onnx
