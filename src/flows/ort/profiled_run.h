// A run that the runtime profiles. Its profile is a file, written when the run is over.
#pragma once

#include <string>

#include "base/error.h"
#include "base/file.h"
#include "base/temporary_folder.h"
#include "flows/ort/library.h"
#include "programs/ort/run_profile.h"

namespace nongemm::ort_flow {

class ProfiledRun {
 public:
  /// @param infer called with the options that profile
  template <typename Infer>
  RunProfile run(Infer&& infer) {
    Ort::RunOptions options;
    Library::get().enable_profiling(options, (folder_.path() / "run").string());
    infer(options);
    return read();
  }

 private:
  /// The name of the file ends in the time; it is the only one in its folder.
  RunProfile read() const;

  TemporaryFolder folder_;
};

}  // namespace nongemm::ort_flow
