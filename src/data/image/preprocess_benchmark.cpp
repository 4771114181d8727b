// Time from a JPEG file to a model's input, model by model: bench/preprocess.py runs it beside Pillow and torchvision.
//
//   preprocess_benchmark FILE.jpg [SECONDS]
//
// One line a model: name, medians in milliseconds of decode, resize with crop, normalise with batching, and all. CPU
// time of this one thread: other load on the machine does not count.
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "data/image/preprocess.h"

namespace nongemm::data {
namespace {

/// Milliseconds of processor time.
double cpu_now() {
  timespec now = {};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) * 1e-6;
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

void measure(std::string_view name, const std::string& bytes, double seconds) {
  const ImageTransform transform = find_image_transform(name).value();
  std::vector<double> decode, resize, normalize, all;
  const double end = cpu_now() + seconds * 1e3;
  while (cpu_now() < end || all.size() < 5) {
    const double start = cpu_now();
    const Image image = decode_image(bytes, "benchmark");
    const double decoded = cpu_now();
    const Image resized = resize_and_crop(transform, image);
    const double cropped = cpu_now();
    const NamedTensors inputs = collate(transform, std::span(&resized, 1));
    const double done = cpu_now();
    decode.push_back(decoded - start);
    resize.push_back(cropped - decoded);
    normalize.push_back(done - cropped);
    all.push_back(done - start);
  }
  fmt::print("{} {:.3f} {:.3f} {:.3f} {:.3f}\n", name, median(decode), median(resize), median(normalize), median(all));
}

}  // namespace
}  // namespace nongemm::data

int main(int count, char** arguments) try {
  if (count < 2) {
    fmt::print(stderr, "usage: preprocess_benchmark FILE.jpg [SECONDS]\n");
    return EXIT_FAILURE;
  }
  const std::string bytes = nongemm::read_file(arguments[1], 64 << 20);
  const double seconds = count > 2 ? std::stod(arguments[2]) : 2;
  for (const char* name : {"vit-b", "swin-t", "maskrcnn", "detr", "maskformer", "segformer"}) {
    nongemm::data::measure(name, bytes, seconds);
  }
  return EXIT_SUCCESS;
} catch (const std::exception& error) {
  fmt::print(stderr, "{}\n", error.what());
  return EXIT_FAILURE;
}
