// The parts of a .pt2 archive: the program's JSON and its tensors, whichever torch wrote it.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/tensor.h"
#include "base/zip.h"

namespace nongemm::pt2 {

/// Two layouts are known, after torch/export/__init__.py and torch/export/pt2_archive:
/// - torch 2.5 to 2.7: serialized_exported_program.json, serialized_state_dict.pt and serialized_constants.pt at the
/// root;
/// - since 2.8: NAME/models/MODEL.json with NAME/data/weights and NAME/data/constants, as one torch.save archive each
///   (MODEL.pt) or as raw bytes with a description (MODEL_weights_config.json).
class Pt2Archive {
 public:
  /// @throws Error (kBadInput) naming the file and what is wrong with it
  explicit Pt2Archive(std::shared_ptr<const MappedFile> file);

  std::string_view program() const { return program_.text(); }
  /// A parameter, buffer or constant by its name in the original; nullptr when there is none.
  const HostTensor* find(std::string_view name) const;
  const std::filesystem::path& path() const { return archive_.path(); }

 private:
  void read_old_layout();
  void read_layout(const std::string& root);
  void read_tensors(const std::string& folder, const std::string& model, const std::string& config);
  void read_torch_save(const ZipArchive::Entry& entry);
  void read_raw(const std::string& folder, const ZipArchive::Entry& config);
  const ZipArchive::Entry& entry(const std::string& name) const;

  ZipArchive archive_;
  ZipArchive::Content program_;
  std::map<std::string, HostTensor, std::less<>> tensors_;
};

}  // namespace nongemm::pt2
