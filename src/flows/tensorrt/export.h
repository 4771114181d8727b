// The files that trtexec writes of an engine, for other tools and for `nongemm analyze` elsewhere.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "record/runtime_program.h"

namespace nongemm::tensorrt {

class Exporter {
 public:
  /// @param folder made when it is missing; empty: nothing is written
  /// @param model gives the files their names: MODEL.layers.json, MODEL.profile.json
  Exporter(std::filesystem::path folder, std::string model);

  bool enabled() const { return !folder_.empty(); }
  /// As --exportLayerInfo does. @param json the inspector's words
  void write_layers(const std::string& json) const;
  /// As --exportProfile does. @param seconds by step: of all inferences together
  void write_profile(const RuntimeProgram& program, const std::vector<double>& seconds, int inferences) const;

 private:
  std::filesystem::path path(const std::string& kind) const;

  std::filesystem::path folder_;
  std::string model_;
};

}  // namespace nongemm::tensorrt
