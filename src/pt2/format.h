// The archive of torch.export.save since torch 2.8, after torch/csrc/export/pt2_archive_constants.h and
// torch/_export/serde/schema.py: where things lie, and the names by which the reader and the writer call them.
//
//   NAME/archive_format                 "pt2"
//   NAME/archive_version                "0"
//   NAME/byteorder                      "little"
//   NAME/.data/version                  of PyTorch's zip files
//   NAME/models/MODEL.json              the program: ExportedProgram of the schema
//   NAME/data/weights/weight_N          bytes of a storage; MODEL_weights_config.json says which tensors lie in it
//   NAME/data/constants/tensor_N        likewise, with MODEL_constants_config.json
//   NAME/data/sample_inputs/MODEL.pt    torch.save of (args, kwargs)
//   NAME/data/aotinductor/MODEL/        what AOTInductor compiled, in its packages
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace nongemm::pt2 {

inline constexpr std::string_view kFormatEntry = "archive_format";
inline constexpr std::string_view kFormat = "pt2";
inline constexpr std::string_view kVersionEntry = "archive_version";
inline constexpr std::string_view kByteOrderEntry = "byteorder";
inline constexpr std::string_view kLittleEndian = "little";
inline constexpr std::string_view kModels = "models/";
inline constexpr std::string_view kWeights = "data/weights/";
inline constexpr std::string_view kConstants = "data/constants/";
inline constexpr std::string_view kSampleInputs = "data/sample_inputs/";
inline constexpr std::string_view kCompiled = "data/aotinductor/";
inline constexpr std::string_view kWeightsConfig = "_weights_config.json";
inline constexpr std::string_view kConstantsConfig = "_constants_config.json";
/// What torch.export.save calls the one model of an archive.
inline constexpr std::string_view kModel = "model";

/// The schema's version: torch 2.6 to 2.11 read what has the same major number.
inline constexpr std::int64_t kSchemaMajor = 8;
inline constexpr std::int64_t kSchemaMinor = 17;

inline constexpr std::string_view kOperators = "torch.ops.";
inline constexpr std::string_view kHigherOrder = "torch.ops.higher_order.";

/// Python's arithmetic on numbers by the operators of ours that do it when only the run knows them.
struct HostArithmetic {
  std::string_view python;
  std::string_view result;  // the kind of number that it gives
  std::string_view op;
};

inline constexpr std::array<HostArithmetic, 13> kHostArithmetic = {{
    {"_operator.add", "as_sym_int", "nongemm.int_add.default"},
    {"_operator.sub", "as_sym_int", "nongemm.int_sub.default"},
    {"_operator.mul", "as_sym_int", "nongemm.int_mul.default"},
    {"_operator.floordiv", "as_sym_int", "nongemm.int_floor_divide.default"},
    {"_operator.mod", "as_sym_int", "nongemm.int_remainder.default"},
    {"torch.sym_max", "as_sym_int", "nongemm.int_max.default"},
    {"torch.sym_min", "as_sym_int", "nongemm.int_min.default"},
    {"_operator.gt", "as_sym_bool", "nongemm.int_greater.default"},
    {"_operator.add", "as_sym_float", "nongemm.float_add.default"},
    {"_operator.sub", "as_sym_float", "nongemm.float_sub.default"},
    {"_operator.mul", "as_sym_float", "nongemm.float_mul.default"},
    {"_operator.truediv", "as_sym_float", "nongemm.float_divide.default"},
    {"torch.sym_float", "as_sym_float", "nongemm.float.default"},
}};

}  // namespace nongemm::pt2
