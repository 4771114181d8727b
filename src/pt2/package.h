// Packages of AOTInductor (torch._inductor.aoti_compile_and_package of torch 2.8 to 2.11), read as archives: nothing of
// them runs here.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/tensor.h"

namespace nongemm::pt2 {

/// The operator of the node that calls a package: (str package, Tensor... inputs) -> Tensor...
inline constexpr const char* kPackageOperator = "aotinductor.package.default";

/// One launch, as kernel_information.json has it.
struct CompiledKernel {
  /// "triton_poi_fused_gelu_0", "aoti_torch_cuda_addmm_out"; the same kernel may be launched often.
  std::string name;
  std::vector<std::string> source_nodes;    // of the exported program
  std::vector<std::string> compiled_nodes;  // after decomposition: "addmm_3", "mul_7"
  /// By compiled node, those of the exported program that it comes from. Only packages that we had compiled say that.
  std::vector<std::vector<std::string>> sources = {};
};

/// A tensor that the model takes, as the package's own checks have it.
struct PackageInput {
  std::string name;  // of a keyword argument, or the place of a positional one
  DType dtype = DType::kUndefined;
  Shape shape;  // kDynamic where the size is free
};

struct CompiledPackage {
  std::string model;               // "model"
  std::string device;              // "cpu", "cuda"
  std::string machine;             // "x86_64"; empty when the package does not say, as all below
  std::string host_instructions;   // "AVX512"
  std::string compute_capability;  // "90"
  /// In the order of launches; empty for a package without provenance.
  std::vector<CompiledKernel> kernels;
  /// From the wrapper's source; empty where the package comes without it.
  std::vector<PackageInput> inputs;
  std::vector<std::string> outputs;
  /// Of the constants that it holds, weights and what was folded from them; from the same source.
  std::optional<std::uint64_t> constant_bytes;
};

/// Whether a zip archive holds a compiled model, told by its entries' names.
bool is_package(const std::filesystem::path& path);

/// @throws Error (kBadInput) naming the file and what is wrong: no archive, damaged, no compiled model in it, several
CompiledPackage read_package(const std::filesystem::path& path);
CompiledPackage read_package(std::shared_ptr<const MappedFile> file);

/// Every node of the exported program that some kernel computes, once, in the order of kernels.
std::vector<std::string> source_nodes_of(const CompiledPackage& package);

}  // namespace nongemm::pt2
