// The files that the models were published with, before tokenizer.json.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <protozero/exception.hpp>
#include <protozero/pbf_reader.hpp>

#include "base/error.h"
#include "base/file.h"
#include "data/text/tokenizer_data.h"
#include "data/text/unicode.h"

namespace nongemm::data {
namespace {

constexpr std::size_t kMaxPieceBytes = 1024;

/// Without the end of the line.
std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.push_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string read_text(const std::filesystem::path& path) {
  std::size_t replaced = 0;
  std::string text = sanitize_utf8(read_file(path, kMaxTokenizerBytes), replaced);
  if (replaced > 0) throw Error(ErrorKind::kBadInput, path.string() + ": not UTF-8");
  return text;
}

std::string_view without_trailing_space(std::string_view line) {
  std::size_t keep = 0;
  for (std::size_t position = 0; position < line.size();) {
    if (!is_whitespace(next_code_point(line, position))) keep = position;
  }
  return line.substr(0, keep);
}

/// What a SentencePiece model's file holds of a piece (sentencepiece_model.proto, ModelProto.SentencePiece).
struct SentencePiece {
  enum Type { kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5, kByte = 6 };
  std::string text;
  int type = kNormal;
};

struct SentencePieceModel {
  std::vector<SentencePiece> pieces;
  int type = 1;  // TrainerSpec.ModelType: 1 unigram, 2 BPE
};

SentencePiece read_piece(protozero::pbf_reader message) {
  SentencePiece piece;
  while (message.next()) {
    if (message.tag() == 1 && message.wire_type() == protozero::pbf_wire_type::length_delimited) {
      piece.text = message.get_string();
    } else if (message.tag() == 3 && message.wire_type() == protozero::pbf_wire_type::varint) {
      piece.type = message.get_enum();
    } else {
      message.skip();
    }
  }
  return piece;
}

/// Read as protobuf, without libsentencepiece: that library brings symbols of its own protobuf into the process, where
/// libtorch_cpu has another version of the same names.
SentencePieceModel parse_sentencepiece(const std::string& bytes) {
  SentencePieceModel model;
  protozero::pbf_reader message(bytes);
  while (message.next()) {
    const bool is_message = message.wire_type() == protozero::pbf_wire_type::length_delimited;
    if (message.tag() == 1 && is_message) {
      model.pieces.push_back(read_piece(message.get_message()));
    } else if (message.tag() == 2 && is_message) {
      protozero::pbf_reader trainer = message.get_message();
      while (trainer.next(3, protozero::pbf_wire_type::varint)) model.type = trainer.get_enum();
    } else {
      message.skip();
    }
  }
  return model;
}

/// All ways to put a token together from two others, by the result's id: transformers' generate_merges.
Merges merges_of(const std::vector<SentencePiece>& pieces, const Vocabulary& vocabulary) {
  struct Candidate {
    TokenId result;
    std::size_t left_characters;
    std::size_t right_characters;
    TokenId left;
    TokenId right;
    auto key() const { return std::tuple(result, left_characters, right_characters, left, right); }
  };
  std::vector<Candidate> candidates;
  for (std::size_t id = 0; id < pieces.size(); ++id) {
    const std::string_view text = pieces[id].text;
    // Python's dict keeps the last id of a piece that is there twice.
    if (vocabulary.find(text)->second != static_cast<TokenId>(id)) continue;
    std::vector<std::size_t> cuts;
    for (std::size_t position = 0; position < text.size(); position += utf8_length(text[position])) {
      if (position > 0) cuts.push_back(position);
    }
    for (std::size_t i = 0; i < cuts.size(); ++i) {
      const auto left = vocabulary.find(text.substr(0, cuts[i]));
      if (left == vocabulary.end()) continue;
      const auto right = vocabulary.find(text.substr(cuts[i]));
      if (right == vocabulary.end()) continue;
      candidates.push_back({static_cast<TokenId>(id), i + 1, cuts.size() - i, left->second, right->second});
    }
  }
  std::sort(candidates.begin(), candidates.end(), [](const auto& a, const auto& b) { return a.key() < b.key(); });
  Merges merges;
  for (const Candidate& candidate : candidates) {
    merges.emplace_back(pieces[static_cast<std::size_t>(candidate.left)].text,
                        pieces[static_cast<std::size_t>(candidate.right)].text);
  }
  return merges;
}

}  // namespace

TokenizerData read_gpt2_files(const std::filesystem::path& vocabulary, const std::filesystem::path& merges) {
  TokenizerData data;
  data.source = vocabulary.string();
  const JsonObject file(vocabulary, kMaxTokenizerBytes);
  data.vocabulary = read_vocabulary(file, "", file.values());
  const std::string text = read_text(merges);
  const std::vector<std::string_view> lines = lines_of(text);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].starts_with("#version")) continue;
    const std::size_t space = lines[i].find(' ');
    if (space == std::string_view::npos || lines[i].find(' ', space + 1) != std::string_view::npos) {
      throw Error(ErrorKind::kBadInput, fmt::format("{}: line {} is no pair of tokens", merges.string(), i + 1));
    }
    data.merges.emplace_back(lines[i].substr(0, space), lines[i].substr(space + 1));
  }
  return data;
}

TokenizerData read_vocab_txt(const std::filesystem::path& path) {
  TokenizerData data;
  data.source = path.string();
  data.kind = TokenizerData::Kind::kWordPiece;
  const std::string text = read_text(path);
  const std::vector<std::string_view> lines = lines_of(text);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    data.vocabulary[std::string(without_trailing_space(lines[i]))] = static_cast<TokenId>(i);
  }
  return data;
}

TokenizerData read_sentencepiece(const std::filesystem::path& path) {
  TokenizerData data;
  data.source = path.string();
  SentencePieceModel model;
  try {
    model = parse_sentencepiece(read_file(path, kMaxTokenizerBytes));
  } catch (const protozero::exception& error) {
    throw Error(ErrorKind::kBadInput, fmt::format("{}: no SentencePiece model: {}", path.string(), error.what()));
  }
  if (model.pieces.empty()) throw Error(ErrorKind::kBadInput, path.string() + ": no SentencePiece model: no pieces");
  if (model.type != 2) {
    throw Error(ErrorKind::kUnsupported, path.string() + ": a SentencePiece model that is not of type BPE",
                "Use the checkpoint's tokenizer.json.");
  }
  for (std::size_t id = 0; id < model.pieces.size(); ++id) {
    const SentencePiece& piece = model.pieces[id];
    std::size_t replaced = 0;
    sanitize_utf8(piece.text, replaced);
    if (replaced > 0) throw Error(ErrorKind::kBadInput, fmt::format("{}: piece {} is not UTF-8", path.string(), id));
    // Every way to cut a piece in two is looked up.
    if (piece.text.size() > kMaxPieceBytes) {
      throw Error(ErrorKind::kBadInput, fmt::format("{}: piece {} has {} bytes", path.string(), id, piece.text.size()));
    }
    data.vocabulary[piece.text] = static_cast<TokenId>(id);
    if (piece.type == SentencePiece::kControl || piece.type == SentencePiece::kUserDefined) {
      AddedToken token;
      token.id = static_cast<TokenId>(id);
      token.content = piece.text;
      data.added_tokens.push_back(std::move(token));
    }
  }
  data.merges = merges_of(model.pieces, data.vocabulary);
  return data;
}

}  // namespace nongemm::data
