// What a model's graph is built for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/dtype.h"
#include "base/tensor.h"
#include "spec/device.h"
#include "spec/fuse_kind.h"
#include "spec/quantize_options.h"

namespace nongemm {

enum class Attention : std::uint8_t {
  kDefault,  // what the original does in inference
  kSdpa,     // scaled_dot_product_attention
  kEager,    // matmul, softmax, matmul
};

/// How the original was called with an attention mask, which decides the mask operators it dispatches.
enum class Padding : std::uint8_t {
  kFull,    // a mask of ones
  kNone,    // no mask
  kPadded,  // a mask with zeros
};

/// Which experts of a mixture get the tokens.
enum class Routing : std::uint8_t {
  kModel,     // those that the router chooses
  kBalanced,  // all alike
  kSkewed,    // few get most
};

/// How keys and values are kept from token to token: transformers' DynamicCache grows by concatenation, StaticCache has
/// its whole length from the start and is written in place.
enum class CacheKind : std::uint8_t { kDynamic, kStatic };

/// How the next token comes of the logits; without a temperature or limit the likeliest is taken.
struct Sampling {
  /// A token is drawn; the logits are processed in this order before.
  bool draws = false;
  std::optional<double> temperature = std::nullopt;
  std::optional<std::int64_t> top_k = std::nullopt;
  std::optional<double> top_p = std::nullopt;
};

/// A forward pass of a text generation, one of several over the same cache.
struct GenerationPass {
  CacheKind cache = CacheKind::kDynamic;
  /// Tokens per sample in the cache before the pass, whose own are ModelOptions::sequence; 0: the prompt's pass.
  std::int64_t past = 0;
  /// Tokens per sample of the prompt.
  std::int64_t prompt = 0;
  /// Of the sample with the fewest, how many of these are padding: positions are counted behind it.
  std::int64_t least_padding = 0;
  /// Tokens per sample of the whole generation: the length of a static cache.
  std::int64_t longest = 0;
  Sampling sampling = {};
  /// Positions that the original's host counts (a static cache's, of layers with a sliding window) are counted on the
  /// device: one graph stands for all steps before the window is full, one for all after, and each can be replayed.
  bool replayable = false;
};

/// What the user says of one input of a model file: `--input x=4x128`, `--input ids=1x16:int64`.
struct InputBinding {
  std::string name;
  /// The value itself, as a list of one, where the input is a number.
  Shape shape;
  std::optional<DType> dtype;
};

/// Reads `name=AxBxC[:dtype]`. @throws Error (kUsage)
InputBinding parse_input_binding(const std::string& text);

/// As the user writes it.
std::string to_string(const InputBinding& binding);

/// What a graph is specialised to. Fields that do not apply to an architecture are ignored.
struct ModelOptions {
  std::int64_t batch = 1;
  /// Not the default: a model file without it keeps the batch that it was exported with.
  bool batch_given = false;
  /// Tokens per sample; the registry's default when absent.
  std::optional<std::int64_t> sequence = std::nullopt;
  /// The sequence is the length of given inputs: refuse it only where the original would.
  bool sequence_from_inputs = false;
  /// Input pixels; the registry's default when absent.
  std::optional<std::int64_t> height = std::nullopt;
  std::optional<std::int64_t> width = std::nullopt;
  DType dtype = DType::kFloat32;
  /// Not the default: a model file of another one is refused.
  bool dtype_given = false;
  Attention attention = Attention::kDefault;
  Padding padding = Padding::kFull;
  /// The pixel mask [batch, height, width], where it is known: at the resolution of features it may hide nothing.
  HostTensor pixel_mask = {};
  /// Graph inputs beyond the usual ones ("token_type_ids"), when the caller has them.
  std::vector<std::string> extra_inputs = {};
  /// Images of different sizes in one batch (R-CNN takes a list): {height, width} each; overrides batch, height, width.
  std::vector<std::pair<std::int64_t, std::int64_t>> image_sizes = {};
  /// Detections kept per image (box_detections_per_img of R-CNN); the configuration's when absent.
  std::optional<std::int64_t> detections = std::nullopt;
  /// Shapes of a model file's inputs.
  std::vector<InputBinding> inputs = {};
  Routing routing = Routing::kModel;
  /// Channels of each normalization that synthetic weights let stand out, as training does.
  std::int64_t outlier_columns = 0;
  /// Some originals choose operators by device.
  DeviceKind device = DeviceKind::kHost;
  /// What becomes of the graph's linear layers.
  QuantizeOptions quantize = {};
  /// Which operators of it are run as one.
  FuseKind fuse = FuseKind::kNone;
  /// A pass of a generation in place of one inference over the sequence.
  std::optional<GenerationPass> pass = std::nullopt;
};

}  // namespace nongemm
