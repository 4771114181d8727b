#include <fmt/format.h>

#include <set>
#include <utility>

#include "base/error.h"
#include "base/parallel.h"
#include "data/image/image_list.h"
#include "data/source.h"

namespace nongemm::data {
namespace {

/// One image on its way into a batch; without pixels when it could not be used.
struct Prepared {
  Image image;
  PreprocessTimes times;
  std::string problem;
};

class ImageSource : public Source {
 public:
  ImageSource(std::filesystem::path root, ImageList list, const InputSpec& spec)
      : root_(std::move(root)), list_(std::move(list)), transform_(*spec.image), threads_(spec.threads) {
    counts_.samples = list_.images.size();
    counts_.missing = list_.missing;
  }

  Batch next_batch(int batch) override {
    Batch result;
    std::vector<Image> images;
    std::size_t tried = 0;
    while (images.size() < static_cast<std::size_t>(batch)) {
      std::vector<Prepared> prepared = prepare(static_cast<std::size_t>(batch) - images.size());
      for (Prepared& sample : prepared) {
        const std::size_t index = std::exchange(next_, (next_ + 1) % list_.images.size());
        ++tried;
        if (sample.problem.empty()) {
          images.push_back(std::move(sample.image));
          result.samples.push_back({list_.images[index].lexically_relative(root_).string(), sample.times});
        } else {
          note_skipped(index, sample.problem);
        }
      }
      if (images.empty() && tried >= list_.images.size()) {
        throw Error(ErrorKind::kBadInput, fmt::format("{}: none of the {} images can be used: {}", root_.string(),
                                                      list_.images.size(), counts_.first_skipped_reason));
      }
    }
    Stopwatch watch;
    result.inputs = collate(transform_, images);
    const double share = watch.lap() / batch;
    for (Sample& sample : result.samples) sample.times.normalize = share;
    return result;
  }

  const SourceCounts& counts() const override { return counts_; }

  std::string description() const override {
    return fmt::format("{} images of the {} {}", list_.images.size(), list_.kind, root_.string());
  }

 private:
  Prepared prepare_one(const std::filesystem::path& path) const {
    Prepared sample;
    Stopwatch watch;
    try {
      DecodeOptions options;
      options.apply_orientation = transform_.apply_orientation;
      const Image image = load_image(path, options);
      sample.times.decode = watch.lap();
      sample.image = resize_and_crop(transform_, image);
      sample.times.resize = watch.lap();
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::kOutOfMemory) throw;
      sample.problem = error.what();
    }
    return sample;
  }

  /// The next `count` images, in order, decoded at the same time.
  std::vector<Prepared> prepare(std::size_t count) const {
    std::vector<Prepared> prepared(count);
    parallel_for(count, threads_,
                 [&](std::size_t i) { prepared[i] = prepare_one(list_.images[(next_ + i) % list_.images.size()]); });
    return prepared;
  }

  /// Each damaged image counts once, however often the folder is gone through.
  void note_skipped(std::size_t index, const std::string& problem) {
    if (!skipped_.insert(index).second) return;
    ++counts_.skipped;
    if (counts_.first_skipped_reason.empty()) counts_.first_skipped_reason = problem;
  }

  std::filesystem::path root_;
  ImageList list_;
  ImageTransform transform_;
  int threads_;
  SourceCounts counts_;
  std::size_t next_ = 0;
  std::set<std::size_t> skipped_;
};

}  // namespace

std::unique_ptr<Source> open_images(const std::filesystem::path& path, const InputSpec& spec) {
  ImageList list = list_images(path);
  std::error_code ignored;
  const std::filesystem::path root = std::filesystem::is_directory(path, ignored) ? path : path.parent_path();
  return std::make_unique<ImageSource>(root, std::move(list), spec);
}

}  // namespace nongemm::data
