// tokenizer.json, the tokenizers library's own format.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "data/text/tokenizer_data.h"

namespace nongemm::data {
namespace {

constexpr TokenId kMaxId = 1 << 24;

TokenId read_id(const JsonObject& config, std::string_view key, const Json& value) {
  if (!value.is_number_integer() || value < 0 || value > kMaxId) config.fail(key, "holds an id that cannot be");
  return value.get<TokenId>();
}

/// "a b", or ["a", "b"] where tokens may hold spaces.
std::pair<std::string, std::string> read_merge(const JsonObject& model, const Json& value) {
  if (value.is_array() && value.size() == 2 && value[0].is_string() && value[1].is_string()) {
    return {value[0].get<std::string>(), value[1].get<std::string>()};
  }
  if (value.is_string()) {
    const auto text = value.get<std::string>();
    const std::size_t space = text.find(' ');
    if (space != std::string::npos && text.find(' ', space + 1) == std::string::npos) {
      return {text.substr(0, space), text.substr(space + 1)};
    }
  }
  model.fail("merges", "holds an entry that is no pair: " + value.dump(-1, ' ', true).substr(0, 100));
}

void read_bpe(const JsonObject& model, TokenizerData& data) {
  data.kind = TokenizerData::Kind::kBpe;
  data.bpe.unknown = model.text("unk_token", "");
  data.bpe.continuing_prefix = model.text("continuing_subword_prefix", "");
  data.bpe.word_suffix = model.text("end_of_word_suffix", "");
  data.bpe.fuse_unknown = model.flag("fuse_unk", false);
  data.bpe.byte_fallback = model.flag("byte_fallback", false);
  data.bpe.ignore_merges = model.flag("ignore_merges", false);
  if (model.number("dropout", 0) != 0) model.fail("dropout", "has to be 0: ids would be random");
  const Json& merges = model.need("merges");
  if (!merges.is_array()) model.fail("merges", "has to be a list");
  for (const Json& merge : merges) data.merges.push_back(read_merge(model, merge));
}

void read_word_piece(const JsonObject& model, TokenizerData& data) {
  data.kind = TokenizerData::Kind::kWordPiece;
  data.word_piece.unknown = model.text("unk_token", "[UNK]");
  data.word_piece.continuing_prefix = model.text("continuing_subword_prefix", "##");
  const double most = model.number("max_input_chars_per_word", 100);
  if (!(most >= 0 && most <= 10'000)) model.fail("max_input_chars_per_word", "cannot be");
  data.word_piece.max_characters = static_cast<std::size_t>(most);
}

struct ModelReader {
  std::string_view type;
  void (*read)(const JsonObject& model, TokenizerData& data);
};
constexpr ModelReader kModels[] = {{"BPE", read_bpe}, {"WordPiece", read_word_piece}};

/// Older files have no type: merges tell.
std::string type_of(const JsonObject& model) {
  return model.text("type", model.find("merges") != nullptr ? "BPE" : "WordPiece");
}

void read_model(const JsonObject& file, TokenizerData& data) {
  const JsonObject model = file.inner("model", file.need("model"));
  const std::string type = type_of(model);
  for (const ModelReader& reader : kModels) {
    if (reader.type != type) continue;
    data.vocabulary = read_vocabulary(model, "vocab", model.need("vocab"));
    return reader.read(model, data);
  }
  refuse_type(file, "model", type);
}

void read_added_tokens(const JsonObject& file, TokenizerData& data) {
  const Json* tokens = file.find("added_tokens");
  if (tokens == nullptr) return;
  if (!tokens->is_array()) file.fail("added_tokens", "has to be a list");
  for (std::size_t i = 0; i < tokens->size(); ++i) {
    const JsonObject entry = file.inner(fmt::format("added_tokens[{}]", i), (*tokens)[i]);
    AddedToken token = read_added_token(entry);
    token.id = read_id(entry, "id", entry.need("id"));
    // The model's own id wins, as in the library.
    const auto known = data.vocabulary.find(token.content);
    if (known != data.vocabulary.end()) token.id = known->second;
    data.added_tokens.push_back(std::move(token));
  }
}

/// "single": special tokens around {"Sequence": {"id": "A"}}.
void read_template(const JsonObject& processor, TokenizerData& data) {
  static const Json kNone = Json::object();
  const Json* special_tokens = processor.find("special_tokens");
  const JsonObject tokens = processor.inner("special_tokens", special_tokens != nullptr ? *special_tokens : kNone);
  const Json& single = processor.need("single");
  if (!single.is_array()) processor.fail("single", "has to be a list");
  std::vector<TokenId>* side = &data.prefix;
  for (const Json& part : single) {
    if (part.contains("Sequence")) {
      if (side == &data.suffix) processor.fail("single", "holds the text twice");
      side = &data.suffix;
      continue;
    }
    if (!part.contains("SpecialToken")) processor.fail("single", "holds an unknown part");
    const std::string name = processor.inner("single", part["SpecialToken"]).text("id", "");
    const JsonObject token = tokens.inner(name, tokens.need(name));
    for (const Json& id : token.need("ids")) side->push_back(read_id(token, "ids", id));
  }
  if (side == &data.prefix) processor.fail("single", "does not hold the text");
}

/// BertProcessing and RobertaProcessing: "cls" and "sep" are [token, id].
void read_cls_sep(const JsonObject& processor, TokenizerData& data) {
  const auto id = [&](std::string_view key) {
    const Json& value = processor.need(key);
    if (!value.is_array() || value.size() != 2) processor.fail(key, "has to be a token and its id");
    return read_id(processor, key, value[1]);
  };
  data.prefix.push_back(id("cls"));
  data.suffix.push_back(id("sep"));
}

void read_post_processor(const JsonObject& processor, TokenizerData& data, int depth = 0) {
  const std::string type = processor.text("type", "");
  if (type == "ByteLevel") return;  // changes offsets only
  if (type == "TemplateProcessing") return read_template(processor, data);
  if (type == "BertProcessing" || type == "RobertaProcessing") return read_cls_sep(processor, data);
  if (type != "Sequence" || depth >= kMaxDepth) refuse_type(processor, "post-processor", type);
  const Json& parts = processor.need("processors");
  if (!parts.is_array()) processor.fail("processors", "has to be a list");
  for (const Json& part : parts) read_post_processor(processor.inner("processors", part), data, depth + 1);
}

}  // namespace

void refuse_type(const JsonObject& config, std::string_view kind, std::string_view type) {
  throw Error(ErrorKind::kUnsupported, fmt::format("{}: {} '{}' is not supported", config.origin(), kind, type));
}

Vocabulary read_vocabulary(const JsonObject& config, std::string_view key, const Json& values) {
  if (!values.is_object()) config.fail(key, "has to be an object of ids by token");
  Vocabulary vocabulary;
  vocabulary.reserve(values.size());
  for (const auto& [token, id] : values.items()) vocabulary.emplace(token, read_id(config, key, id));
  return vocabulary;
}

AddedToken read_added_token(const JsonObject& config) {
  AddedToken token;
  token.content = config.text("content", "");
  token.single_word = config.flag("single_word", false);
  token.lstrip = config.flag("lstrip", false);
  token.rstrip = config.flag("rstrip", false);
  token.normalized = config.flag("normalized", false);
  return token;
}

TokenizerData read_tokenizer_json(const std::filesystem::path& path) {
  const JsonObject file(path, kMaxTokenizerBytes);
  TokenizerData data;
  data.source = path.string();
  read_model(file, data);
  read_added_tokens(file, data);
  if (const Json* value = file.find("normalizer")) data.normalizer = read_normalizer(file.inner("normalizer", *value));
  if (const Json* value = file.find("pre_tokenizer")) {
    data.pre_tokenizer = read_pre_tokenizer(file.inner("pre_tokenizer", *value));
  }
  if (const Json* value = file.find("post_processor")) {
    read_post_processor(file.inner("post_processor", *value), data);
    data.has_template = true;
  }
  return data;
}

}  // namespace nongemm::data
