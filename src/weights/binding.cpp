#include "weights/binding.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/half.h"
#include "base/host_memory.h"
#include "base/parallel.h"
#include "base/text.h"
#include "weights/name_rules.h"
#include "weights/pieces.h"

namespace nongemm::weights {
namespace {

constexpr std::size_t kNamesShown = 10;
constexpr std::string_view kDataParallel = "module.";

/// "3 missing: a, b, c", shortened.
std::string list_of(std::string_view what, const std::vector<std::string>& names) {
  const std::size_t shown = std::min(names.size(), kNamesShown);
  const std::string more = names.size() > shown ? fmt::format(" and {} more", names.size() - shown) : "";
  return fmt::format("\n  {} {}: {}{}", names.size(), what, fmt::join(names.begin(), names.begin() + shown, ", "),
                     more);
}

/// Which spec a checkpoint's entry is for.
class NameMatcher {
 public:
  NameMatcher(const std::vector<WeightSpec>& specs, const CheckpointRules& rules) : rules_(rules) {
    for (std::size_t i = 0; i < specs.size(); ++i) {
      spec_of_.emplace(specs[i].name, i);
      for (const std::string& alias : specs[i].aliases) spec_of_.emplace(alias, i);
      const std::vector<std::string> pieces = piece_names(specs[i], rules);
      for (std::size_t n = 0; n < pieces.size(); ++n) piece_of_.emplace(pieces[n], Match{i, pieces[n], n});
    }
  }

  struct Match {
    std::size_t spec;
    std::string name;                                 // the spec's name or the alias under which it was found
    std::optional<std::size_t> piece = std::nullopt;  // its number, of a spec that comes in pieces
  };

  std::optional<Match> match(std::string_view entry) {
    for (const std::string_view name : variants(entry)) {
      for (const std::string& candidate : {std::string(name), apply_renames(name, rules_)}) {
        if (const std::optional<Match> found = match_with_prefixes(candidate)) return found;
      }
    }
    return std::nullopt;
  }

  bool is_ignored(std::string_view entry) const {
    for (const std::string_view name : variants(entry)) {
      for (const std::string& candidate : {std::string(name), apply_renames(name, rules_)}) {
        if (is_ignored_as(candidate)) return true;
        for (const std::string& prefix : rules_.optional_prefixes) {
          if (is_ignored_as(prefix + candidate)) return true;
          if (candidate.starts_with(prefix) && is_ignored_as(candidate.substr(prefix.size()))) return true;
        }
      }
    }
    // What lies beside the base model, when only the base model is wanted, is a head of some task.
    const std::vector<std::string_view> names = variants(entry);
    return std::any_of(stripped_.begin(), stripped_.end(), [&](const std::string& prefix) {
      return std::none_of(names.begin(), names.end(), [&](std::string_view name) { return name.starts_with(prefix); });
    });
  }

 private:
  static std::vector<std::string_view> variants(std::string_view entry) {
    std::vector<std::string_view> names = {entry};
    if (entry.starts_with(kDataParallel)) names.push_back(entry.substr(kDataParallel.size()));
    return names;
  }

  bool is_ignored_as(std::string_view name) const {
    return std::any_of(rules_.ignored.begin(), rules_.ignored.end(),
                       [&](const std::string& pattern) { return matches_glob(pattern, name); });
  }

  std::optional<Match> exact(const std::string& name) const {
    if (const auto found = spec_of_.find(name); found != spec_of_.end()) return Match{found->second, name};
    const auto piece = piece_of_.find(name);
    return piece == piece_of_.end() ? std::nullopt : std::optional(piece->second);
  }

  std::optional<Match> match_with_prefixes(const std::string& name) {
    if (const std::optional<Match> found = exact(name)) return found;
    for (const std::string& prefix : rules_.optional_prefixes) {
      if (const std::optional<Match> found = exact(prefix + name)) return found;
      if (!name.starts_with(prefix)) continue;
      const std::optional<Match> found = exact(name.substr(prefix.size()));
      if (!found) continue;
      if (std::find(stripped_.begin(), stripped_.end(), prefix) == stripped_.end()) stripped_.push_back(prefix);
      return found;
    }
    return std::nullopt;
  }

  const CheckpointRules& rules_;
  std::map<std::string, std::size_t, std::less<>> spec_of_;
  std::map<std::string, Match, std::less<>> piece_of_;
  std::vector<std::string> stripped_;  // prefixes that the checkpoint has and the model has not
};

/// Everything that does not fit, collected before anything is said.
struct Misfits {
  std::vector<std::string> missing;
  std::vector<std::string> unexpected;
  std::vector<std::string> wrong;
  std::vector<std::string> ambiguous;
  std::vector<std::string> untied;

  bool any_but_untied() const {
    return !missing.empty() || !unexpected.empty() || !wrong.empty() || !ambiguous.empty();
  }
  bool any() const { return any_but_untied() || !untied.empty(); }
};

[[noreturn]] void refuse(const Misfits& misfits, const Checkpoint& checkpoint, std::string_view model,
                         bool none_found) {
  const std::string path = checkpoint.path().string();
  const std::string way_out =
      misfits.any_but_untied()
          ? fmt::format("name a checkpoint of {}, or leave the weights out to use synthetic ones", model)
          : std::string(
                "transformers keeps them apart; so does a folder of the checkpoint and its config.json with "
                "\"tie_word_embeddings\": false");
  if (none_found) {
    throw Error(ErrorKind::kBadInput,
                fmt::format("{}: none of its {} tensors belongs to {}, it is a checkpoint of another architecture{}{}",
                            path, checkpoint.names().size(), model, list_of("missing", misfits.missing),
                            misfits.unexpected.empty() ? "" : list_of("unexpected", misfits.unexpected)),
                way_out);
  }
  std::string text = fmt::format("{}: does not fit {}", path, model);
  if (!misfits.missing.empty()) text += list_of("missing", misfits.missing);
  if (!misfits.unexpected.empty()) text += list_of("unexpected", misfits.unexpected);
  if (!misfits.wrong.empty()) text += list_of("of wrong shape or type", misfits.wrong);
  if (!misfits.ambiguous.empty()) text += list_of("under two names", misfits.ambiguous);
  if (!misfits.untied.empty()) text += list_of("tied by the configuration, of different values here", misfits.untied);
  throw Error(ErrorKind::kBadInput, text, way_out);
}

/// One entry of the checkpoint that serves a spec.
struct Source {
  std::string matched;  // the spec's name or an alias
  std::string entry;    // its name in the checkpoint
};

/// Every entry that serves the spec has to fit, those of tied weights under other names too.
void check_fit(const WeightSpec& spec, const std::string& entry, const HostTensor& tensor, Misfits& misfits) {
  if (tensor.shape != spec.shape) {
    misfits.wrong.push_back(
        fmt::format("{} is {}, {} is wanted", entry, to_string(tensor.shape), to_string(spec.shape)));
  } else if (tensor.dtype != spec.dtype && !(is_floating(tensor.dtype) && is_floating(spec.dtype))) {
    misfits.wrong.push_back(fmt::format("{} is {}, {} is wanted", entry, name_of(tensor.dtype), name_of(spec.dtype)));
  }
}

/// Whether two entries of one shape hold the same numbers, in whatever floating-point types.
bool same_values(const HostTensor& a, const HostTensor& b) {
  if (a.dtype == b.dtype && std::memcmp(a.data.get(), b.data.get(), a.byte_size()) == 0) return true;
  if (!is_floating(a.dtype) || !is_floating(b.dtype)) return false;
  constexpr std::size_t kPiece = std::size_t{1} << 14;
  std::vector<float> left(kPiece);
  std::vector<float> right(kPiece);
  const auto elements = static_cast<std::size_t>(element_count(a.shape));
  for (std::size_t begin = 0; begin < elements; begin += kPiece) {
    const std::size_t count = std::min(kPiece, elements - begin);
    const auto read = [&](const HostTensor& tensor, std::vector<float>& numbers) {
      convert_floating(tensor.dtype, tensor.data.get() + begin * size_of(tensor.dtype), DType::kFloat32,
                       reinterpret_cast<std::byte*>(numbers.data()), count);
    };
    read(a, left);
    read(b, right);
    if (!std::equal(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(count), right.begin())) return false;
  }
  return true;
}

/// The entry to use: the one under the spec's own name, else under the first alias. Two entries that come out under one
/// and the same name (an old and a new name) leave it open.
std::optional<Source> choose(const WeightSpec& spec, const std::vector<Source>& sources, Misfits& misfits) {
  std::vector<std::string> names = {spec.name};
  names.insert(names.end(), spec.aliases.begin(), spec.aliases.end());
  for (const std::string& name : names) {
    const auto has_name = [&](const Source& source) { return source.matched == name; };
    const auto first = std::find_if(sources.begin(), sources.end(), has_name);
    if (first == sources.end()) continue;
    const auto second = std::find_if(first + 1, sources.end(), has_name);
    if (second != sources.end()) {
      misfits.ambiguous.push_back(fmt::format("{} ({} and {})", spec.name, first->entry, second->entry));
    }
    return *first;
  }
  misfits.missing.push_back(spec.name);
  return std::nullopt;
}

/// Converts in place of the list those tensors that are not of their spec's dtype. Returns their number.
std::size_t convert_all(const std::vector<WeightSpec>& specs, NamedTensors& tensors, int threads) {
  struct Piece {
    const HostTensor* source;
    DType dtype;
    std::byte* target;
    std::size_t begin;
    std::size_t count;
  };
  constexpr std::size_t kPieceElements = std::size_t{1} << 20;
  double needed = 0;
  for (std::size_t i = 0; i < specs.size(); ++i) {
    if (tensors[i].second.dtype == specs[i].dtype) continue;
    needed += static_cast<double>(element_count(specs[i].shape)) * static_cast<double>(size_of(specs[i].dtype));
  }
  require_memory("converting the checkpoint's weights to the model's type", needed,
                 "run in the checkpoint's own type (--dtype)");
  NamedTensors converted;
  std::vector<std::size_t> positions;
  std::vector<Piece> pieces;
  for (std::size_t i = 0; i < specs.size(); ++i) {
    const HostTensor& source = tensors[i].second;
    if (source.dtype == specs[i].dtype) continue;
    auto [target, bytes] = HostTensor::allocate(specs[i].dtype, source.shape);
    const auto elements = static_cast<std::size_t>(element_count(source.shape));
    for (std::size_t begin = 0; begin < elements; begin += kPieceElements) {
      pieces.push_back({&source, specs[i].dtype, bytes, begin, std::min(kPieceElements, elements - begin)});
    }
    positions.push_back(i);
    converted.emplace_back(specs[i].name, std::move(target));
  }
  parallel_for(pieces.size(), threads, [&](std::size_t i) {
    const Piece& piece = pieces[i];
    const DType from = piece.source->dtype;
    convert_floating(from, piece.source->data.get() + piece.begin * size_of(from), piece.dtype,
                     piece.target + piece.begin * size_of(piece.dtype), piece.count);
  });
  for (std::size_t i = 0; i < positions.size(); ++i) tensors[positions[i]] = std::move(converted[i]);
  return positions.size();
}

}  // namespace

BoundWeights bind_weights(const std::vector<WeightSpec>& specs, const CheckpointRules& rules,
                          const Checkpoint& checkpoint, std::string_view model, int threads) {
  NameMatcher matcher(specs, rules);
  std::vector<std::vector<Source>> sources(specs.size());
  std::vector<Pieces> pieces(specs.size());
  std::vector<std::string> unmatched;
  for (const std::string& entry : checkpoint.names()) {
    const auto match = matcher.match(entry);
    if (match && match->piece) {
      pieces[match->spec].emplace(*match->piece, entry);
    } else if (match) {
      sources[match->spec].push_back({match->name, entry});
    } else {
      unmatched.push_back(entry);
    }
  }

  BoundWeights bound;
  Misfits misfits;
  for (const std::string& entry : unmatched) {
    (matcher.is_ignored(entry) ? bound.ignored : misfits.unexpected).push_back(entry);
  }
  for (std::size_t i = 0; i < specs.size(); ++i) {
    if (!pieces[i].empty() && sources[i].empty()) {
      check_pieces(specs[i], piece_names(specs[i], rules), pieces[i], checkpoint, misfits.missing, misfits.wrong);
      bound.tensors.emplace_back(specs[i].name, HostTensor());
      continue;
    }
    if (!pieces[i].empty()) misfits.ambiguous.push_back(specs[i].name + ", whole and in pieces");
    const std::optional<Source> source = choose(specs[i], sources[i], misfits);
    if (!source) continue;
    const HostTensor& chosen = *checkpoint.find(source->entry);
    for (const Source& each : sources[i]) {
      const HostTensor& tensor = *checkpoint.find(each.entry);
      check_fit(specs[i], each.entry, tensor, misfits);
      // transformers leaves such weights apart, which makes another model.
      const bool tied = each.matched != source->matched && tensor.shape == chosen.shape;
      if (tied && !same_values(chosen, tensor)) misfits.untied.push_back(source->entry + " and " + each.entry);
    }
    bound.tensors.emplace_back(specs[i].name, chosen);
  }
  if (misfits.any()) refuse(misfits, checkpoint, model, bound.tensors.empty());
  bound.converted = join_pieces(specs, pieces, checkpoint, bound.tensors, threads);
  bound.converted += convert_all(specs, bound.tensors, threads);
  return bound;
}

}  // namespace nongemm::weights
