#include "import/model_file.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "base/temporary_folder.h"
#include "base/zip_writer.h"
#include "ops/foreign.h"
#include "test_paths.h"

namespace nongemm {
namespace {

std::filesystem::path model_of(const std::string& name) {
  return std::filesystem::path(NONGEMM_SOURCE_DIR) / "tests/data/import" / name / "model.pt2";
}

std::string reason(const std::string& name, const ImportOptions& options) {
  try {
    open_model_file(model_of(name))->build(options);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(InputBinding, IsReadAndWritten) {
  const InputBinding binding = parse_input_binding("x=4x3x224:int64");
  EXPECT_EQ(binding.name, "x");
  EXPECT_EQ(binding.shape, (Shape{4, 3, 224}));
  EXPECT_EQ(binding.dtype, DType::kInt64);
  EXPECT_EQ(to_string(binding), "x=4x3x224:int64");
  EXPECT_EQ(parse_input_binding("times=5").shape, (Shape{5}));
  for (const char* text : {"x", "=3", "x=", "x=3x", "x=-1", "x=3:int65", "x=3y4", "x=3:"}) {
    EXPECT_THROW(parse_input_binding(text), Error) << text;
  }
}

TEST(ModelFile, KeepsModulesAsScopes) {
  const Graph graph = open_model_file(model_of("gpt2"))->build({});
  bool found = false;
  for (ScopeId scope = 0; scope < graph.scopes.size(); ++scope) {
    found =
        found || (graph.scope_path(scope) == "model.transformer.h.1.ln_2" && graph.scopes[scope].type == "LayerNorm");
  }
  EXPECT_TRUE(found);
  EXPECT_EQ(graph.attributes.at("dtype"), "float32");
  EXPECT_EQ(graph.attributes.at("batch"), "2");
  EXPECT_EQ(graph.outputs.at(0).name, "logits");
  EXPECT_EQ(graph.inputs.at(0).kind.content, InputKind::Content::kTokens);
  EXPECT_EQ(graph.inputs.at(0).kind.limit, 96);
}

TEST(ModelFile, TakesOtherSizesWhereTheyAreFree) {
  ImportOptions options;
  options.inputs = {parse_input_binding("input=7x3x16x16")};
  const Graph graph = open_model_file(model_of("dynamic_batch"))->build(options);
  EXPECT_EQ(graph.values[graph.outputs.at(0).value].type.shape, (Shape{7, 10}));
  options.inputs = {};
  options.batch = 9;
  EXPECT_EQ(open_model_file(model_of("dynamic_batch"))->build(options).attributes.at("batch"), "9");
}

TEST(ModelFile, SaysWhichSizesAreWrong) {
  ImportOptions options;
  options.inputs = {parse_input_binding("input=7x3x17x16")};
  EXPECT_NE(reason("dynamic_batch", options).find("input 'input': dimension 2 is 17, the model takes 16"),
            std::string::npos)
      << reason("dynamic_batch", options);
  options.inputs = {parse_input_binding("inputt=7x3x16x16")};
  EXPECT_NE(reason("dynamic_batch", options).find("no input 'inputt'"), std::string::npos);
  options.inputs = {parse_input_binding("input=65x3x16x16")};
  EXPECT_NE(reason("dynamic_batch", options).find("outside [1, 64]"), std::string::npos);
  options.inputs = {parse_input_binding("input=2x3x16x16:fp16")};
  EXPECT_NE(reason("dynamic_batch", options).find("input 'input' is float32, float16 is asked for"), std::string::npos);
}

TEST(ModelFile, CopiesWhatTheProgramWrites) {
  const Graph graph = open_model_file(model_of("everything"))->build({});
  ASSERT_GE(graph.nodes.size(), 2U);
  EXPECT_EQ(graph.nodes[0].op, "aten.clone.default");  // calls
  EXPECT_EQ(graph.nodes[1].op, "aten.clone.default");  // cache
  EXPECT_NE(graph.nodes[2].op, "aten.clone.default");
}

/// GEMM work of a file.
double products_of(const std::filesystem::path& path) {
  const Graph graph = open_model_file(path)->build({});
  double flops = 0;
  for (const Node& node : graph.nodes) {
    const Op* op = table_entry(node);
    if (op != nullptr && counts_as_gemm(op->entry.group)) flops += cost_of(graph, node, *op).flops;
  }
  return flops;
}

TEST(ModelFile, DecomposedTheSameNetDoesTheSameProducts) {
  const std::filesystem::path folder = std::filesystem::path(NONGEMM_SHARED_DIR) / "fixtures/hostile";
  ASSERT_TRUE(std::filesystem::exists(folder)) << folder << " is missing: tests need the shared fixtures";
  // A convolution of 3 to 16 channels, 3x3, on 16x16, a linear layer of 16 to 8 on 16 rows, attention and an einsum of
  // four heads, four places and eight elements.
  const double products = 2.0 * 27 * 16 * 256 + 16 * 256 + 2.0 * 16 * 16 * 8 + 2 * 1024.0 + 1024.0;
  EXPECT_DOUBLE_EQ(products_of(folder / "m_core.pt2"), products);
  // Decomposed, the layer's bias is an addition and the softmax of attention an operator of its own.
  EXPECT_DOUBLE_EQ(products_of(folder / "m_plain.pt2"), products + 16 * 8 + 5.0 * 64);
}

TEST(ModelFile, EveryOperatorOfDecomposedProgramsIsInTheTable) {
  for (const char* name : {"m_core.pt2", "c3.pt2"}) {
    const Graph graph =
        open_model_file(std::filesystem::path(NONGEMM_SHARED_DIR) / "fixtures/hostile" / name)->build({});
    for (const Node& node : graph.nodes) EXPECT_NE(table_entry(node), nullptr) << name << ": " << node.op;
  }
}

/// Sizes of files are held against the operators' rules: the files of the tests are sound.
TEST(ModelFile, StatesWhatTheRulesGive) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(model_of("").parent_path())) {
    if (!std::filesystem::exists(entry.path() / "model.pt2")) continue;
    ++files;
    EXPECT_NO_THROW(open_model_file(entry.path() / "model.pt2")->build({})) << entry.path();
  }
  EXPECT_GT(files, 5);
}

/// A package of AOTInductor, without its code.
std::filesystem::path write_package(const TemporaryFolder& folder, const std::string& first_size) {
  const std::string leaf = R"({"type": null, "context": null, "children_spec": []})";
  const std::string none = R"({"type": "builtins.tuple", "context": "null", "children_spec": []})";
  const std::string keys = R"({"type": "builtins.dict", "context": "[\"x\"]", "children_spec": [)" + leaf + "]}";
  const std::string wrapper =
      "in_spec_ = R\"([1, {\"type\": \"builtins.tuple\", \"context\": \"null\", \"children_spec\": [" + none + ", " +
      keys + "]}])\";\n" + "out_spec_ = R\"([1, " + keys + "])\";\n" +
      "AOTI_NOINLINE static void check_input_0(\n) {\n    int32_t a_expected_dtype = aoti_torch_dtype_float16();\n    "
      "if (" +
      first_size + "a_size[0]) {\n    }\n    if (64 != a_size[1]) {\n    }\n    auto a_stride = a.strides();\n" +
      "    if (64 != a_stride[0]) {\n    }\n}\n";
  const std::string information =
      R"({"triton_poi_fused_gelu_0:1": {"pre_grad_nodes": ["linear_2", "n5_gelu"], "post_grad_nodes": []}})";
  std::string bytes;
  ZipWriter zip(
      [&](std::span<const std::byte> part) { bytes.append(reinterpret_cast<const char*>(part.data()), part.size()); });
  const std::string place = "m/data/aotinductor/model/";
  zip.add(place + "a.wrapper.so", "");
  zip.add(place + "a.wrapper.cpp", wrapper);
  zip.add(place + "kernel_information.json", information);
  zip.finish();
  write_file_atomically(folder.path() / "package.pt2", bytes);
  return folder.path() / "package.pt2";
}

TEST(ModelFile, OfACompiledPackageIsACall) {
  const TemporaryFolder folder;
  const Graph graph = open_model_file(write_package(folder, "2 != "))->build({});
  ASSERT_EQ(graph.inputs.size(), 1U);
  EXPECT_EQ(graph.inputs[0].name, "x");
  EXPECT_EQ(graph.values[graph.inputs[0].value].type.dtype, DType::kFloat16);
  EXPECT_EQ(graph.values[graph.inputs[0].value].type.shape, (Shape{2, 64}));
  EXPECT_EQ(graph.outputs.at(0).name, "x");
  ASSERT_EQ(graph.nodes.size(), 3U);
  EXPECT_EQ(graph.nodes[0].op, "aotinductor.package.default");
  EXPECT_EQ(graph.nodes[1].op, "aten.linear");
  EXPECT_EQ(graph.nodes[2].op, "aten.gelu");
}

TEST(ModelFile, OfACompiledPackageHasFreeSizesToSay) {
  const TemporaryFolder folder;
  const auto file = open_model_file(write_package(folder, "1 > "));
  EXPECT_THROW(file->build({}), Error);
  ImportOptions options;
  options.batch = 3;
  EXPECT_EQ(file->build(options).values.at(0).type.shape, (Shape{3, 64}));
  options.inputs = {parse_input_binding("x=5x65")};
  EXPECT_THROW(file->build(options), Error);
}

TEST(ModelFile, IsNamedWhenItIsNone) {
  EXPECT_THROW(open_model_file("/no/such/model.pt2"), Error);
  EXPECT_THROW(open_model_file(std::filesystem::path(NONGEMM_SOURCE_DIR) / "tests/fixtures/weights/tensors.pth"),
               Error);
}

}  // namespace
}  // namespace nongemm
