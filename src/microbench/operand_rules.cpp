#include "microbench/operand_rules.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "microbench/operand_nature.h"
#include "microbench/operand_text.h"
#include "microbench/rule_table.h"

namespace nongemm::microbench {
namespace {

[[noreturn]] void refuse(const OperatorInfo& info, const std::string& what, const std::string& way_out) {
  throw Error(ErrorKind::kUsage, fmt::format("operator {}: {}\n  {}", info.name, what, info.schema_text), way_out);
}

class Filler {
 public:
  Filler(const OperatorInfo& info, const Given& given) : given_(given) {
    call_.info = info;
    call_.operands.resize(info.schema.args.size());
    known_.resize(info.schema.args.size(), false);
  }

  Call fill() {
    check_names();
    take_arguments();
    take_named_shapes();
    take_positional_shapes();
    for (std::size_t i = 0; i < args().size(); ++i) {
      if (!known_[i]) fill_in(i);
    }
    check_missing();
    finish_tensors();
    limit_indices(call_);
    return std::move(call_);
  }

 private:
  const std::vector<SchemaArg>& args() const { return call_.info.schema.args; }

  /// "tensors.1" is an element of a list.
  bool is_element(const std::string& name) const {
    const std::size_t dot = name.find('.');
    const int at = call_.info.schema.find_arg(name.substr(0, dot));
    return dot != std::string::npos && at >= 0 && args()[static_cast<std::size_t>(at)].list;
  }

  void check_name(const std::string& name, const std::string& option) const {
    if (call_.info.schema.find_arg(name) >= 0) return;
    if (is_element(name) && option != "--arg" && option != "--shape") return;
    std::vector<std::string> names;
    for (const SchemaArg& arg : args()) names.push_back(arg.name);
    refuse(call_.info, fmt::format("{} names '{}', which it has not", option, name), did_you_mean(name, names));
  }

  void check_names() const {
    for (const auto& [name, value] : given_.arguments) check_name(name, "--arg");
    for (const auto& [name, value] : given_.named_shapes) check_name(name, "--shape");
    for (const auto& [name, value] : given_.dtypes) check_name(name, "--dtype");
    for (const auto& [name, value] : given_.layouts) check_name(name, "--layout");
    for (const auto& [name, value] : given_.contents) check_name(name, "--values");
  }

  void set(std::size_t i, Operand operand) {
    call_.operands[i] = std::move(operand);
    known_[i] = true;
  }

  std::size_t position(const std::string& name) const {
    return static_cast<std::size_t>(call_.info.schema.find_arg(name));
  }

  void take_arguments() {
    for (const auto& [name, text] : given_.arguments) {
      const std::size_t i = position(name);
      try {
        set(i, parse_argument(args()[i], text));
      } catch (const Error& error) {
        refuse(call_.info, fmt::format("--arg {}={} does not fit", name, text), error.way_out());
      }
    }
  }

  TensorSpec tensor(std::size_t i, const Shape& shape) const {
    const Nature nature = nature_of(call_.info, args()[i].name);
    TensorSpec spec;
    spec.shape = shape;
    spec.dtype = nature.dtype == DType::kUndefined ? given_.dtype : nature.dtype;
    // As exact as the call.
    if (is_complex(nature.dtype)) spec.dtype = is_complex(given_.dtype) ? given_.dtype : complex_of(given_.dtype);
    spec.content.kind = nature.content;
    spec.parameter = nature.parameter;
    return spec;
  }

  void take_named_shapes() {
    for (const auto& [name, shapes] : given_.named_shapes) {
      const std::size_t i = position(name);
      if (args()[i].kind != ArgKind::kTensor) {
        // A factory's size is a shape, too.
        const bool sizes = args()[i].kind == ArgKind::kInt && args()[i].list && shapes.size() == 1 && shapes[0];
        if (!sizes) refuse(call_.info, fmt::format("'{}' is no tensor", name), fmt::format("give --arg {}=...", name));
        set(i, Argument(std::vector<Int>(shapes[0]->begin(), shapes[0]->end())));
      } else if (args()[i].list) {
        TensorList list;
        for (const auto& shape : shapes) {
          list.push_back(shape ? std::optional<TensorSpec>(tensor(i, *shape)) : std::nullopt);
        }
        set(i, std::move(list));
      } else if (shapes.size() != 1) {
        refuse(call_.info, fmt::format("'{}' is one tensor, {} shapes are given", name, shapes.size()), "give one");
      } else {
        set(i, shapes[0] ? Operand(tensor(i, *shapes[0])) : Operand(Argument{}));
      }
    }
  }

  Operand tensor_or_none(std::size_t i, const std::optional<Shape>& shape) const {
    if (shape) return tensor(i, *shape);
    if (args()[i].optional) return Argument{};
    refuse(call_.info, fmt::format("'{}' cannot be none", args()[i].name), "give it a shape");
  }

  void take_positional_shapes() {
    std::size_t next = 0;
    for (std::size_t i = 0; i < args().size() && next < given_.shapes.size(); ++i) {
      if (known_[i] || args()[i].kind != ArgKind::kTensor) continue;
      if (!args()[i].list) {
        set(i, tensor_or_none(i, given_.shapes[next++]));
        continue;
      }
      TensorList list;
      for (; next < given_.shapes.size(); ++next) {
        const auto& shape = given_.shapes[next];
        list.push_back(shape ? std::optional<TensorSpec>(tensor(i, *shape)) : std::nullopt);
      }
      // Joining takes two.
      if (list.size() == 1 && is_one_of("cat stack", base_of(call_.info.name))) list.push_back(list.front());
      set(i, std::move(list));
    }
    const int size = call_.info.schema.find_arg("size");
    const bool tensors =
        std::any_of(args().begin(), args().end(), [](const SchemaArg& arg) { return arg.kind == ArgKind::kTensor; });
    if (!tensors && next < given_.shapes.size() && given_.shapes[next]) {  // zeros, full: the shape of what they make
      const Shape& shape = *given_.shapes[next++];
      if (size >= 0) {
        set(static_cast<std::size_t>(size), Argument(std::vector<Int>(shape.begin(), shape.end())));
      } else if (const int end = call_.info.schema.find_arg("end"); end >= 0) {
        set(static_cast<std::size_t>(end), Argument(element_count(shape)));
      }
    }
    if (next < given_.shapes.size()) {
      const auto& shape = given_.shapes[next];
      refuse(call_.info, fmt::format("--shape {} is one more than it has tensors", shape ? shape_text(*shape) : "none"),
             "give fewer");
    }
  }

  void fill_in(std::size_t i) {
    const SchemaArg& arg = args()[i];
    const bool required = !arg.has_default && !arg.optional;
    const Filling filling(call_, known_);
    if (const std::optional<Made> made = rule_value(filling, arg, required)) {
      if (const auto* shape = std::get_if<Shape>(&*made)) {
        Operand made_tensor = tensor(i, *shape);
        set(i, arg.list ? Operand(TensorList{std::get<TensorSpec>(made_tensor)}) : std::move(made_tensor));
      } else {
        set(i, std::get<Argument>(*made));
      }
    } else if (arg.has_default) {
      set(i, arg.default_value);
    } else if (accepts(arg, Argument{})) {
      set(i, Argument{});
    }
  }

  void check_missing() const {
    std::string missing;
    std::string way_out;
    for (std::size_t i = 0; i < args().size(); ++i) {
      if (known_[i]) continue;
      const bool tensor = args()[i].kind == ArgKind::kTensor;
      missing += (missing.empty() ? "'" : "', '") + args()[i].name;
      way_out +=
          fmt::format("{}--{} {}=...", way_out.empty() ? "give " : " ", tensor ? "shape" : "arg", args()[i].name);
    }
    if (!missing.empty()) refuse(call_.info, fmt::format("nothing says what {}' is", missing), way_out);
  }

  /// What is said of a tensor by its name, or of an element of a list by its own or the list's.
  template <typename Map>
  const typename Map::mapped_type* said_of(const Map& map, const std::string& name, const std::string& element) const {
    if (const auto at = map.find(element); at != map.end()) return &at->second;
    const auto at = map.find(name);
    return at != map.end() ? &at->second : nullptr;
  }

  void finish_tensor(TensorSpec& spec, const std::string& name, const std::string& element, bool first) const {
    if (const DType* dtype = said_of(given_.dtypes, name, element)) spec.dtype = *dtype;
    if (const std::string* layout = said_of(given_.layouts, name, element)) {
      apply_layout(spec, *layout);
    } else if (first) {
      apply_layout(spec, given_.layout);
    }
    if (const Content* content = said_of(given_.contents, name, element)) {
      spec.content = *content;
    } else if (spec.content.kind == Content::Kind::kNormal && is_floating(spec.dtype)) {
      spec.content = given_.content;
    }
    const bool boxes = spec.content.kind == Content::Kind::kBoxes || spec.content.kind == Content::Kind::kRois;
    if (boxes && !is_floating(spec.dtype)) spec.content.kind = Content::Kind::kUniform;
  }

  void finish_tensors() {
    bool first = true;
    for (std::size_t i = 0; i < args().size(); ++i) {
      const std::string& name = args()[i].name;
      if (auto* spec = std::get_if<TensorSpec>(&call_.operands[i])) finish_tensor(*spec, name, name, first);
      auto* list = std::get_if<TensorList>(&call_.operands[i]);
      for (std::size_t k = 0; list != nullptr && k < list->size(); ++k) {
        if ((*list)[k]) finish_tensor(*(*list)[k], name, fmt::format("{}.{}", name, k), first);
      }
      if (args()[i].kind == ArgKind::kTensor) first = false;
    }
  }

  const Given& given_;
  Call call_;
  std::vector<bool> known_;
};

}  // namespace

Call fill_operands(const OperatorInfo& info, const Given& given) { return Filler(info, given).fill(); }

void describe_tensors(Call& call) {
  for (std::size_t i = 0; i < call.operands.size(); ++i) {
    const Nature nature = nature_of(call.info, call.info.schema.args[i].name);
    const auto describe = [&](TensorSpec& tensor) {
      const bool floating = is_floating(tensor.dtype);
      const bool fits =
          floating ? nature.content != Content::Kind::kIndices : nature.content == Content::Kind::kIndices;
      if (fits && tensor.dtype != DType::kBool) tensor.content.kind = nature.content;
    };
    if (auto* tensor = std::get_if<TensorSpec>(&call.operands[i])) describe(*tensor);
    auto* list = std::get_if<TensorList>(&call.operands[i]);
    for (std::size_t k = 0; list != nullptr && k < list->size(); ++k) {
      if ((*list)[k]) describe(*(*list)[k]);
    }
  }
  limit_indices(call);
}

}  // namespace nongemm::microbench
