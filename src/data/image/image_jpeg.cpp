// JPEG through libjpeg-turbo's libjpeg interface: it tells which damage it found, which the TurboJPEG one does not.
#include <fmt/format.h>

#include <csetjmp>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>
// After <cstdio>: jpeglib.h uses FILE without including it.
#include <jpeglib.h>
// jerror.h gives the J_MESSAGE_CODE enumerators only.
#include <jerror.h>

#include "base/error.h"
#include "data/image/image_format.h"
#include "data/image/orientation.h"

namespace nongemm::data {
namespace {

// libjpeg-turbo's own fuzzers use the same bound: more scans than this only cost time.
constexpr int kMaxScans = 500;

/// Warnings that say nothing about the pixels. All other warnings mean damaged data.
bool is_harmless(int message_code) {
  switch (message_code) {
    case JWRN_ADOBE_XFORM:
    case JWRN_BOGUS_ICC:
    case JWRN_EXTRANEOUS_DATA:
    case JWRN_JFIF_MAJOR:
    case JWRN_NOT_SEQUENTIAL:
    case JWRN_TOO_MUCH_DATA:
      return true;
    default:
      return false;
  }
}

struct ErrorState {
  jpeg_error_mgr manager;  // first: libjpeg hands back a pointer to it
  std::jmp_buf escape;
  char message[JMSG_LENGTH_MAX];
};

[[noreturn]] void on_error(j_common_ptr info) {
  auto* state = reinterpret_cast<ErrorState*>(info->err);
  (*info->err->format_message)(info, state->message);
  std::longjmp(state->escape, 1);
}

void on_message(j_common_ptr info, int level) {
  if (level < 0 && !is_harmless(info->err->msg_code)) on_error(info);
}

void on_progress(j_common_ptr info) {
  auto* decoder = reinterpret_cast<j_decompress_ptr>(info);
  if (decoder->input_scan_number > kMaxScans) {
    auto* state = reinterpret_cast<ErrorState*>(info->err);
    std::snprintf(state->message, sizeof(state->message), "more than %d scans", kMaxScans);
    std::longjmp(state->escape, 1);
  }
}

/// PIL's cmyk2rgb after its "CMYK;I" unpacker: the bytes in the file are 255 - ink.
void inverted_cmyk_to_rgb(const std::uint8_t* in, std::uint8_t* out, int pixels) {
  for (int i = 0; i < pixels; ++i, in += 4, out += 3) {
    const int white = in[3];
    for (int channel = 0; channel < 3; ++channel) {
      const int product = (255 - in[channel]) * white + 128;
      const int ink = ((product >> 8) + product) >> 8;
      out[channel] = static_cast<std::uint8_t>(white > ink ? white - ink : 0);
    }
  }
}

int orientation_in_markers(const jpeg_decompress_struct& decoder) {
  constexpr std::string_view kExif("Exif\0\0", 6);
  constexpr std::string_view kXmp("http://ns.adobe.com/xap/1.0/\0", 29);
  int in_xmp = 0;
  for (auto* marker = decoder.marker_list; marker != nullptr; marker = marker->next) {
    const std::string_view data(reinterpret_cast<const char*>(marker->data), marker->data_length);
    if (data.substr(0, kExif.size()) == kExif) {
      const int orientation = orientation_in_exif(data.substr(kExif.size()));
      if (orientation != 0) return orientation;
    } else if (data.substr(0, kXmp.size()) == kXmp && in_xmp == 0) {
      in_xmp = orientation_in_xmp(data.substr(kXmp.size()));
    }
  }
  return in_xmp;
}

/// Everything that needs a destructor lives here, outside the frames that longjmp leaves.
struct Decoding {
  jpeg_decompress_struct decoder;
  ErrorState errors;
  jpeg_progress_mgr progress;
  Image image;
  std::vector<std::uint8_t> cmyk_row;

  ~Decoding() { jpeg_destroy_decompress(&decoder); }
};

bool read_header(Decoding& state, std::string_view bytes, bool keep_markers) {
  if (setjmp(state.errors.escape) != 0) return false;
  jpeg_create_decompress(&state.decoder);
  state.progress = {};
  state.progress.progress_monitor = on_progress;
  state.decoder.progress = &state.progress;
  jpeg_mem_src(&state.decoder, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  if (keep_markers) jpeg_save_markers(&state.decoder, JPEG_APP0 + 1, 0xFFFF);
  jpeg_read_header(&state.decoder, TRUE);
  return true;
}

bool read_pixels(Decoding& state) {
  if (setjmp(state.errors.escape) != 0) return false;
  jpeg_decompress_struct& decoder = state.decoder;
  jpeg_start_decompress(&decoder);
  while (decoder.output_scanline < decoder.output_height) {
    std::uint8_t* out = state.image.row(static_cast<int>(decoder.output_scanline));
    JSAMPROW row = state.cmyk_row.empty() ? out : state.cmyk_row.data();
    jpeg_read_scanlines(&decoder, &row, 1);
    if (row != out) inverted_cmyk_to_rgb(row, out, state.image.width);
  }
  return true;
}

[[noreturn]] void fail(std::string_view name, const std::string& reason) {
  throw Error(ErrorKind::kBadInput, fmt::format("{}: damaged JPEG: {}", name, reason));
}

Image decode(std::string_view bytes, std::string_view name, const DecodeOptions& options, int& orientation) {
  Decoding state = {};
  state.decoder.err = jpeg_std_error(&state.errors.manager);
  state.errors.manager.error_exit = on_error;
  state.errors.manager.emit_message = on_message;
  if (!read_header(state, bytes, options.apply_orientation)) fail(name, state.errors.message);

  jpeg_decompress_struct& decoder = state.decoder;
  check_pixel_count(decoder.image_width, decoder.image_height, name, options);
  switch (decoder.num_components) {
    case 1:
    case 3:
      decoder.out_color_space = JCS_RGB;
      break;
    case 4:
      decoder.out_color_space = JCS_CMYK;
      state.cmyk_row.resize(std::size_t{decoder.image_width} * 4);
      break;
    default:
      fail(name, fmt::format("{} colour components", decoder.num_components));
  }
  if (options.apply_orientation) orientation = orientation_in_markers(decoder);
  state.image = Image::allocate(static_cast<int>(decoder.image_width), static_cast<int>(decoder.image_height));
  if (!read_pixels(state)) fail(name, state.errors.message);
  return std::move(state.image);
}

bool recognises(std::string_view bytes) { return bytes.substr(0, 3) == "\xFF\xD8\xFF"; }

}  // namespace

const ImageFormat kJpeg = {"JPEG", recognises, decode};

}  // namespace nongemm::data
