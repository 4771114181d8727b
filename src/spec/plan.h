// A sweep written down: a TOML file with the options of `nongemm run` as keys. Lists are swept.
//
//   model = ["gpt2", "bert"]
//   batch = [1, 8]
//   flow = "ort"
//   ort.level = "basic"
//   cuda-graph = true
//
//   [[sweep]]            # any number of them; each is a cross product of its own, with the keys above for what it
//   lacks device = "cuda" dtype = ["fp16", "bf16"]
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "spec/option_table.h"

namespace nongemm {

/// One Selection for each [[sweep]], or one of the whole file.
/// @param over options of the command line: they replace a plan's
/// Throws Error(kIo), or Error(kUsage) naming file, line and column, with the nearest key.
std::vector<Selection> read_plan(const OptionTable& table, const std::filesystem::path& path, const Selection& over);
std::vector<Selection> parse_plan(const OptionTable& table, std::string_view toml, const std::string& origin,
                                  const Selection& over);

}  // namespace nongemm
