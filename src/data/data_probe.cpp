// Runs one part of the data library on a file and writes raw results, so that scripts can compare it with the original
// libraries: tests/reference/compare_images.py, compare_tokenizers.py. Not installed.
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "data/image/image.h"
#include "data/image/preprocess.h"
#include "data/image/resize.h"
#include "data/text/tokenizer.h"
#include "data/text/unicode.h"

namespace nongemm::data {
namespace {

using Arguments = std::vector<std::string>;

/// image FILE OUT orient|plain: raw RGB bytes; prints width and height.
void probe_image(const Arguments& arguments) {
  DecodeOptions options;
  options.apply_orientation = arguments.at(2) == "orient";
  const Image image = load_image(arguments.at(0), options);
  write_file_atomically(arguments.at(1), {reinterpret_cast<const char*>(image.pixels.get()), image.byte_size()});
  fmt::print("{} {}\n", image.width, image.height);
}

/// resize FILE OUT WIDTH HEIGHT FILTER pillow|torch: raw RGB bytes. FILTER is PIL's code.
void probe_resize(const Arguments& arguments) {
  const Image image = load_image(arguments.at(0));
  ResizeSpec spec;
  spec.width = std::stoi(arguments.at(2));
  spec.height = std::stoi(arguments.at(3));
  spec.filter = filter_from_pil(std::stoi(arguments.at(4))).value();
  spec.arithmetic = arguments.at(5) == "torch" ? ResizeArithmetic::kTorchUint8 : ResizeArithmetic::kPillow;
  const Image resized = resize(image, spec);
  write_file_atomically(arguments.at(1), {reinterpret_cast<const char*>(resized.pixels.get()), resized.byte_size()});
}

/// preprocess NAME|CONFIG OUT FILE...: raw tensors one after the other; prints name, dtype and shape of each.
void probe_preprocess(const Arguments& arguments) {
  const std::string& name = arguments.at(0);
  const ImageTransform transform =
      name.ends_with(".json") ? read_preprocessor_config(name, ImageTransform()) : find_image_transform(name).value();
  std::vector<Image> images;
  for (std::size_t i = 2; i < arguments.size(); ++i) {
    DecodeOptions options;
    options.apply_orientation = transform.apply_orientation;
    images.push_back(resize_and_crop(transform, load_image(arguments[i], options)));
  }
  std::string bytes;
  for (const auto& [tensor_name, tensor] : collate(transform, images)) {
    bytes.append(tensor.as<char>(), tensor.byte_size());
    fmt::print("{} {} {}\n", tensor_name, name_of(tensor.dtype), fmt::join(tensor.shape, ","));
  }
  write_file_atomically(arguments.at(1), bytes);
}

/// tokenize FOLDER IN OUT: IN holds texts ending in a zero byte each, OUT gets a line of ids each.
void probe_tokenize(const Arguments& arguments) {
  const auto tokenizer = open_tokenizer(arguments.at(0));
  const std::string texts = read_file(arguments.at(1), std::size_t{1} << 30);
  std::string lines;
  std::size_t replaced = 0;
  for (std::size_t begin = 0; begin < texts.size();) {
    const std::size_t end = std::min(texts.find('\0', begin), texts.size());
    const std::string text = sanitize_utf8(std::string_view(texts).substr(begin, end - begin), replaced);
    fmt::format_to(std::back_inserter(lines), "{}\n", fmt::join(tokenizer->encode(text), " "));
    begin = end + 1;
  }
  write_file_atomically(arguments.at(2), lines);
  fmt::print("{}\n", replaced);
}

struct Probe {
  std::string_view name;
  void (*run)(const Arguments&);
};
constexpr Probe kProbes[] = {
    {"image", probe_image}, {"resize", probe_resize}, {"preprocess", probe_preprocess}, {"tokenize", probe_tokenize}};

int run(const Arguments& arguments) {
  for (const Probe& probe : kProbes) {
    if (!arguments.empty() && arguments[0] == probe.name) {
      probe.run({arguments.begin() + 1, arguments.end()});
      return EXIT_SUCCESS;
    }
  }
  fmt::print(stderr, "usage: data_probe image|resize|preprocess|tokenize ARGUMENTS\n");
  return EXIT_FAILURE;
}

}  // namespace
}  // namespace nongemm::data

int main(int count, char** arguments) try {
  return nongemm::data::run({arguments + 1, arguments + count});
} catch (const std::exception& error) {
  fmt::print(stderr, "{}\n", error.what());
  return EXIT_FAILURE;
}
