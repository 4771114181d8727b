#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "base/error.h"
#include "data/source.h"
#include "data/text/unicode.h"

namespace nongemm::data {
namespace {

namespace fs = std::filesystem;

/// Text is tokenised in segments of about this size, cut behind a line.
constexpr std::size_t kSegmentBytes = 1 << 20;

bool is_text_name(const fs::path& path) {
  const std::string extension = path.extension().string();
  return extension == ".txt" || extension == ".tokens" || extension == ".raw";
}

bool is_regular(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

/// The test split first, then validation, then the rest: models are run on what they were not trained on.
std::vector<fs::path> list_texts(const fs::path& path) {
  if (is_regular(path)) return {path};
  std::error_code error;
  std::vector<fs::path> files;
  bool parquet = false;
  for (const auto& entry : fs::directory_iterator(path, fs::directory_options::skip_permission_denied, error)) {
    if (is_text_name(entry.path()) && is_regular(entry.path())) files.push_back(entry.path());
    parquet = parquet || entry.path().extension() == ".parquet";
  }
  if (error) throw Error(ErrorKind::kIo, fmt::format("{}: {}", path.string(), error.message()));
  if (files.empty()) {
    throw Error(ErrorKind::kBadInput, path.string() + ": no text (.txt, .tokens, .raw)",
                parquet ? "Parquet files are not read: save the text column as a .txt file." : "");
  }
  const auto order = [](const fs::path& file) {
    const std::string name = file.filename().string();
    return std::pair(name.find("test") != std::string::npos    ? 0
                     : name.find("valid") != std::string::npos ? 1
                                                               : 2,
                     name);
  };
  std::sort(files.begin(), files.end(), [&](const fs::path& a, const fs::path& b) { return order(a) < order(b); });
  return files;
}

/// The files' text, segment by segment.
class SegmentReader {
 public:
  explicit SegmentReader(std::vector<fs::path> files) : files_(std::move(files)) {}

  /// The next segment; empty after the last one, then from the beginning again.
  std::string next() {
    for (;;) {
      if (!stream_.is_open()) {
        if (file_ == files_.size()) {
          file_ = 0;
          return "";
        }
        stream_.open(files_[file_], std::ios::binary);
        if (!stream_) throw Error(ErrorKind::kIo, files_[file_].string() + ": cannot be opened");
      }
      std::string bytes = read();
      if (!bytes.empty()) return bytes;
      stream_.close();
      stream_.clear();
      ++file_;
    }
  }

  const fs::path& file() const { return files_[std::min(file_, files_.size() - 1)]; }

 private:
  std::string read() {
    std::string bytes = std::exchange(rest_, "");
    const std::size_t kept = bytes.size();
    bytes.resize(kept + kSegmentBytes);
    stream_.read(bytes.data() + kept, kSegmentBytes);
    bytes.resize(kept + static_cast<std::size_t>(stream_.gcount()));
    if (stream_.eof()) return bytes;
    if (!stream_) throw Error(ErrorKind::kIo, files_[file_].string() + ": cannot be read");
    std::size_t cut = bytes.rfind('\n');
    // A line without end is cut before the last byte that starts a character.
    if (cut == std::string::npos) cut = last_start(bytes) - 1;
    rest_ = bytes.substr(cut + 1);
    bytes.resize(cut + 1);
    return bytes;
  }

  static std::size_t last_start(const std::string& bytes) {
    std::size_t at = bytes.size() - 1;
    while (at > bytes.size() - 4 && (static_cast<unsigned char>(bytes[at]) & 0xC0) == 0x80) --at;
    return at;
  }

  std::vector<fs::path> files_;
  std::size_t file_ = 0;
  std::ifstream stream_;
  std::string rest_;
};

class TextSource : public Source {
 public:
  TextSource(fs::path path, const InputSpec& spec) : path_(std::move(path)), spec_(spec), reader_(list_texts(path_)) {
    const auto special = static_cast<std::int64_t>(spec_.tokenizer->prefix().size() + spec_.tokenizer->suffix().size());
    if (spec_.sequence <= special) {
      throw Error(
          ErrorKind::kUsage,
          fmt::format("a sequence of {} tokens has no room for text beside {} special tokens", spec_.sequence, special),
          "Ask for more with --seq-len.");
    }
    block_ = static_cast<std::size_t>(spec_.sequence - special);
  }

  Batch next_batch(int batch) override {
    const Shape shape = {batch, spec_.sequence};
    auto [ids, bytes] = HostTensor::allocate(DType::kInt64, shape);
    Batch result;
    auto* out = reinterpret_cast<std::int64_t*>(bytes);
    for (int i = 0; i < batch; ++i) {
      fill();
      out = std::copy(spec_.tokenizer->prefix().begin(), spec_.tokenizer->prefix().end(), out);
      out = std::copy_n(pending_.begin() + static_cast<std::ptrdiff_t>(used_), block_, out);
      out = std::copy(spec_.tokenizer->suffix().begin(), spec_.tokenizer->suffix().end(), out);
      used_ += block_;
      PreprocessTimes times;
      times.tokenize = seconds_per_token_ * static_cast<double>(block_);
      Sample sample{fmt::format("{}#{}", reader_.file().filename().string(), counts_.samples), times};
      sample.first_token = static_cast<std::int64_t>(spec_.tokenizer->prefix().size());
      sample.end_token = sample.first_token + static_cast<std::int64_t>(new_tokens_of_block());
      result.samples.push_back(std::move(sample));
      ++counts_.samples;
    }
    const std::size_t count = static_cast<std::size_t>(batch * spec_.sequence);
    result.inputs.emplace_back("input_ids", ids);
    result.inputs.emplace_back("attention_mask",
                               HostTensor::from(DType::kInt64, shape, std::vector<std::int64_t>(count, 1)));
    if (spec_.token_types) {
      result.inputs.emplace_back("token_type_ids",
                                 HostTensor::from(DType::kInt64, shape, std::vector<std::int64_t>(count, 0)));
    }
    return result;
  }

  const SourceCounts& counts() const override { return counts_; }

  std::string description() const override { return fmt::format("text of {}", path_.string()); }

 private:
  /// At least one block of tokens is pending afterwards.
  void fill() {
    while (pending_.size() - used_ < block_) {
      const std::string segment = reader_.next();
      if (segment.empty()) {  // one pass is done
        if (pass_tokens_ == 0) {
          throw Error(ErrorKind::kBadInput, path_.string() + ": no text in it",
                      "The files are empty, or the tokenizer knows nothing of what they hold.");
        }
        if (first_pass_) text_tokens_ = pass_tokens_;
        pass_tokens_ = 0;
        first_pass_ = false;
        continue;
      }
      tokenize(segment);
    }
  }

  /// Of the block that comes next: all until the text begins again.
  std::size_t new_tokens_of_block() const {
    if (first_pass_) return block_;
    const std::size_t before = counts_.samples * block_;
    return std::min(block_, text_tokens_ - std::min(text_tokens_, before));
  }

  void tokenize(const std::string& segment) {
    Stopwatch watch;
    std::size_t replaced = 0;
    const std::vector<TokenId> ids = spec_.tokenizer->encode(sanitize_utf8(segment, replaced), false);
    const double seconds = watch.lap();
    if (first_pass_) counts_.replaced_bytes += replaced;
    if (!ids.empty()) seconds_per_token_ = seconds / static_cast<double>(ids.size());
    pass_tokens_ += ids.size();
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(used_));
    used_ = 0;
    pending_.insert(pending_.end(), ids.begin(), ids.end());
  }

  fs::path path_;
  InputSpec spec_;
  SegmentReader reader_;
  std::size_t block_ = 0;  // tokens of text in a sample
  std::vector<TokenId> pending_;
  std::size_t used_ = 0;  // of pending_
  double seconds_per_token_ = 0;
  std::size_t pass_tokens_ = 0;
  std::size_t text_tokens_ = 0;  // of the whole text, known once it has been read
  bool first_pass_ = true;
  SourceCounts counts_;
};

}  // namespace

std::unique_ptr<Source> open_text(const std::filesystem::path& path, const InputSpec& spec) {
  return std::make_unique<TextSource>(path, spec);
}

}  // namespace nongemm::data
