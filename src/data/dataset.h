// --data PATH: batches of a model's inputs from the user's own images or text.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/tensor.h"
#include "data/image/preprocess.h"
#include "data/text/tokenizer.h"
#include "record/preprocess_times.h"

namespace nongemm::data {

/// What a model wants to be fed: images or text.
struct InputSpec {
  std::optional<ImageTransform> image;

  std::shared_ptr<Tokenizer> tokenizer;  // for text
  std::int64_t sequence = 0;             // tokens of a sample, special ones included
  bool token_types = false;              // the model takes token_type_ids

  int threads = 0;  // for the images of a batch; 0: all there are
};

struct InputRequest {
  /// The model's registry name and its architecture's model_type, the more special one first.
  std::vector<std::string> names;
  /// The checkpoint's folder, or a file in it, for preprocessor_config.json and the tokenizer's files; may be empty.
  std::filesystem::path folder;
  std::int64_t sequence = 0;
  /// Pixels that the model's config fixes, where it does (classification).
  std::optional<int> image_size;
};

/// Throws Error(kUsage) when a language model comes without a folder to take the tokenizer from.
InputSpec make_input_spec(const InputRequest& request);

struct Sample {
  std::string name;  // path below the data folder; for text with the number of the block
  PreprocessTimes times;
  /// For text: positions in the sample of tokens that were read for the first time. Special tokens stand around them,
  /// and behind them what comes again once the text has ended.
  std::int64_t first_token = 0;
  std::int64_t end_token = 0;
};

struct Batch {
  NamedTensors inputs;
  std::vector<Sample> samples;
};

struct SourceCounts {
  std::size_t samples = 0;         // images found; for text the blocks read so far
  std::size_t skipped = 0;         // images that could not be decoded
  std::size_t missing = 0;         // images that annotations name and that are not there
  std::size_t replaced_bytes = 0;  // invalid UTF-8 in text, U+FFFD in its place
  std::string first_skipped_reason;
};

class Source {
 public:
  virtual ~Source() = default;
  /// The next samples in order, from the beginning again after the last.
  /// Throws Error(kBadInput) when no sample of the whole source can be used.
  virtual Batch next_batch(int batch) = 0;
  virtual const SourceCounts& counts() const = 0;
  /// "500 images of the COCO folder ...": for the report.
  virtual std::string description() const = 0;
};

/// Images: a COCO folder (annotations/*.json), a folder of images, in subfolders or not (ImageNet), or one image.
/// Text: a file, or a folder with .txt, .tokens or .raw files (wikitext). Text is cut into blocks of `sequence` tokens
/// without padding, across lines and files; special tokens are put around every block.
/// Throws Error naming the path when there is nothing of the kind that the model wants.
std::unique_ptr<Source> open_data(const std::filesystem::path& path, const InputSpec& spec);

}  // namespace nongemm::data
