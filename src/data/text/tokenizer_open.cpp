// Which files a checkpoint's tokenizer is made of, and what its class makes of them (transformers 5.17).
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.h"
#include "base/json.h"
#include "data/text/tokenizer_data.h"

namespace nongemm::data {
namespace {

using Path = std::filesystem::path;

/// The names under which transformers knows special tokens, in its order.
enum Special { kBos, kEos, kUnknown, kSeparator, kPadding, kClass, kMask, kSpecialCount };
constexpr std::string_view kSpecialKeys[kSpecialCount] = {"bos_token", "eos_token", "unk_token", "sep_token",
                                                          "pad_token", "cls_token", "mask_token"};

struct TokenizerClass {
  std::string_view name;
  std::string_view model_type;  // the architecture that takes this class by default; empty: none
  TokenizerData::Kind kind;
  std::string_view specials[kSpecialCount];  // unless tokenizer_config.json has others
  /// Replaces the steps by the class's own.
  void (*rebuild)(const JsonObject& config, TokenizerData& data);
};

/// A special token: its text, or an object with its flags.
std::optional<AddedToken> read_special(const JsonObject& config, std::string_view key, std::string_view otherwise) {
  AddedToken token;
  token.content = otherwise;
  if (const Json* value = config.find(key)) {
    if (!value->is_object()) {
      token.content = config.text(key, "");
    } else {
      token = read_added_token(config.inner(key, *value));
    }
  }
  return token.content.empty() ? std::nullopt : std::optional(std::move(token));
}

void rebuild_gpt2(const JsonObject& config, TokenizerData& data) {
  data.bpe = {};
  data.normalizer.reset();
  data.pre_tokenizer = make_byte_level(config.flag("add_prefix_space", false), true);
}

void rebuild_bert(const JsonObject& config, TokenizerData& data) {
  BertNormalizerOptions options;
  options.lowercase = config.flag("do_lower_case", true);
  options.handle_chinese_chars = config.flag("tokenize_chinese_chars", true);
  options.strip_accents = config.flag("strip_accents", options.lowercase);
  data.normalizer = make_bert_normalizer(options);
  data.pre_tokenizer = make_bert_pre_tokenizer();
  data.word_piece = {};
  if (const auto unknown = read_special(config, "unk_token", "")) data.word_piece.unknown = unknown->content;
}

void rebuild_llama(const JsonObject& config, TokenizerData& data) {
  data.bpe = {};
  data.bpe.fuse_unknown = true;
  data.bpe.byte_fallback = true;
  data.normalizer.reset();
  // "legacy" puts a space mark before every part of the text, not only before the first.
  PrependScheme scheme = config.flag("legacy", false) ? PrependScheme::kAlways : PrependScheme::kFirst;
  if (!config.flag("add_prefix_space", true)) scheme = PrependScheme::kNever;
  data.pre_tokenizer = make_metaspace("\xE2\x96\x81", scheme, false);
}

constexpr TokenizerClass kClasses[] = {
    {"GPT2Tokenizer",
     "gpt2",
     TokenizerData::Kind::kBpe,
     {"<|endoftext|>", "<|endoftext|>", "<|endoftext|>", "", "", "", ""},
     rebuild_gpt2},
    {"BertTokenizer",
     "bert",
     TokenizerData::Kind::kWordPiece,
     {"", "", "[UNK]", "[SEP]", "[PAD]", "[CLS]", "[MASK]"},
     rebuild_bert},
    {"LlamaTokenizer", "", TokenizerData::Kind::kBpe, {"<s>", "</s>", "<unk>", "", "", "", ""}, rebuild_llama},
};

const TokenizerClass* find_class(std::string_view name) {
  if (name.ends_with("Fast")) name.remove_suffix(4);
  const auto* found =
      std::find_if(std::begin(kClasses), std::end(kClasses), [&](const auto& c) { return c.name == name; });
  return found == std::end(kClasses) ? nullptr : found;
}

bool is_there(const Path& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

JsonObject open_optional(const Path& path) {
  return is_there(path) ? JsonObject(path, kMaxTokenizerConfigBytes) : JsonObject::empty(path.string());
}

/// The class that tokenizer_config.json or else the architecture names; nullptr for those without rules of their own.
const TokenizerClass* configured_class(const JsonObject& config, const Path& folder) {
  const std::string name = config.text("tokenizer_class", "");
  if (!name.empty()) return find_class(name);
  const std::string model_type = open_optional(folder / "config.json").text("model_type", "");
  for (const TokenizerClass& candidate : kClasses) {
    if (!model_type.empty() && candidate.model_type == model_type) return &candidate;
  }
  return nullptr;
}

TokenId next_id(const TokenizerData& data) {
  auto next = static_cast<TokenId>(data.vocabulary.size());
  for (const AddedToken& token : data.added_tokens) next = std::max(next, token.id + 1);
  return next;
}

/// The id of the token, which becomes an added one unless it is already.
TokenId add_token(TokenizerData& data, AddedToken token) {
  for (const AddedToken& known : data.added_tokens) {
    if (known.content == token.content) return known.id;
  }
  const auto known = data.vocabulary.find(token.content);
  token.id = known != data.vocabulary.end() ? known->second : next_id(data);
  data.added_tokens.push_back(token);
  return token.id;
}

/// "added_tokens_decoder" of tokenizer_config.json: tokens by id, which stand before those of tokenizer.json.
void read_added_decoder(const JsonObject& config, TokenizerData& data) {
  const Json* values = config.find("added_tokens_decoder");
  if (values == nullptr) return;
  const JsonObject tokens = config.inner("added_tokens_decoder", *values);
  for (const auto& [id, value] : values->items()) {
    const AddedToken token = read_added_token(tokens.inner(id, value));
    std::erase_if(data.added_tokens, [&](const AddedToken& known) { return known.content == token.content; });
    add_token(data, token);
  }
}

void read_extra_tokens(const JsonObject& config, TokenizerData& data) {
  for (const char* key : {"additional_special_tokens", "extra_special_tokens"}) {
    const Json* values = config.find(key);
    if (values == nullptr || !values->is_array()) continue;
    for (const Json& value : *values) {
      AddedToken token;
      token = value.is_object() ? read_added_token(config.inner(key, value)) : token;
      if (value.is_string()) token.content = value.get<std::string>();
      if (!token.content.empty()) add_token(data, token);
    }
  }
}

void read_special_tokens(const JsonObject& config, const TokenizerClass* rules, TokenizerData& data) {
  read_added_decoder(config, data);
  std::optional<TokenId> ids[kSpecialCount];
  for (std::size_t i = 0; i < kSpecialCount; ++i) {
    const auto token = read_special(config, kSpecialKeys[i], rules != nullptr ? rules->specials[i] : "");
    if (token) ids[i] = add_token(data, *token);
  }
  read_extra_tokens(config, data);

  const auto side = [](bool on, const std::optional<TokenId>& id) {
    return on && id ? std::vector<TokenId>{*id} : std::vector<TokenId>();
  };
  if (rules != nullptr && rules->kind == TokenizerData::Kind::kWordPiece) {
    data.prefix = side(true, ids[kClass]);
    data.suffix = side(true, ids[kSeparator]);
  } else if (config.find("add_bos_token") != nullptr || config.find("add_eos_token") != nullptr || !data.has_template) {
    data.prefix = side(config.flag("add_bos_token", false), ids[kBos]);
    data.suffix = side(config.flag("add_eos_token", false), ids[kEos]);
  }
}

struct Files {
  TokenizerData data;
  std::string_view class_name;  // that the files imply; empty for tokenizer.json
};

Files read_files(const Path& folder) {
  if (is_there(folder / "tokenizer.json")) return {read_tokenizer_json(folder / "tokenizer.json"), ""};
  if (is_there(folder / "vocab.json") && is_there(folder / "merges.txt")) {
    return {read_gpt2_files(folder / "vocab.json", folder / "merges.txt"), "GPT2Tokenizer"};
  }
  if (is_there(folder / "vocab.txt")) return {read_vocab_txt(folder / "vocab.txt"), "BertTokenizer"};
  if (is_there(folder / "tokenizer.model")) return {read_sentencepiece(folder / "tokenizer.model"), "LlamaTokenizer"};
  throw Error(ErrorKind::kIo, folder.string() + ": no tokenizer",
              "Expected tokenizer.json, vocab.json with merges.txt, vocab.txt or tokenizer.model.");
}

Files read_path(const Path& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return read_files(path);
  if (path.extension() == ".model") return {read_sentencepiece(path), "LlamaTokenizer"};
  return {read_tokenizer_json(path), ""};
}

std::unique_ptr<Tokenizer> build(TokenizerData data) {
  TokenizerParts parts;
  try {
    parts.model = data.kind == TokenizerData::Kind::kBpe ? make_bpe(std::move(data.vocabulary), data.merges, data.bpe)
                                                         : make_word_piece(std::move(data.vocabulary), data.word_piece);
  } catch (const Error& error) {
    throw Error(error.kind(), fmt::format("{}: {}", data.source, error.what()));
  }
  parts.added_tokens = std::move(data.added_tokens);
  parts.normalizer = std::move(data.normalizer);
  parts.pre_tokenizer = std::move(data.pre_tokenizer);
  parts.prefix = std::move(data.prefix);
  parts.suffix = std::move(data.suffix);
  return std::make_unique<Tokenizer>(std::move(parts));
}

}  // namespace

std::unique_ptr<Tokenizer> open_tokenizer(const std::filesystem::path& path) {
  Files files = read_path(path);
  TokenizerData& data = files.data;
  std::error_code ignored;
  const Path folder = std::filesystem::is_directory(path, ignored) ? path : path.parent_path();
  const JsonObject config = open_optional(folder / "tokenizer_config.json");
  const TokenizerClass* rules =
      files.class_name.empty() ? configured_class(config, folder) : find_class(files.class_name);
  if (rules != nullptr) {
    if (rules->kind != data.kind) {
      throw Error(ErrorKind::kBadInput, fmt::format("{}: the model is not what {} needs", data.source, rules->name));
    }
    rules->rebuild(config, data);
  }
  read_special_tokens(config, rules, data);
  return build(std::move(data));
}

}  // namespace nongemm::data
