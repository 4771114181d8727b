#include "weights/pickle.h"

#include <fmt/format.h>

#include <bit>

#include "base/error.h"
#include "weights/pickle_input.h"
#include "weights/pickle_opcodes.h"
#include "weights/pickle_stack.h"

namespace nongemm::weights::pickle {
namespace {

// A state dict of a thousand tensors has 200 kB.
constexpr std::size_t kMaxBytes = std::size_t{32} << 20;
constexpr std::size_t kMaxShown = 100;

class Machine {
 public:
  Machine(std::span<const std::byte> bytes, AllowGlobal allow, std::string_view file_name)
      : in_(bytes, file_name), allow_(allow), stack_(in_) {}

  Document run(std::size_t* consumed) {
    if (in_.size() > kMaxBytes) in_.refuse(fmt::format("it has {} bytes, too many for tensors", in_.size()));
    while (!step(static_cast<unsigned char>(in_.take_number(1)))) {
    }
    Document document = stack_.finish();
    if (consumed != nullptr) *consumed = in_.position();
    return document;
  }

 private:
  // ---- containers

  void append(Value* target, const std::vector<const Value*>& items) const {
    auto* list = std::get_if<List>(&target->data);
    if (list == nullptr) in_.refuse("items are appended to what is no list");
    list->items.insert(list->items.end(), items.begin(), items.end());
  }

  void set_items(Value* target, const std::vector<const Value*>& items) const {
    auto* dict = std::get_if<Dict>(&target->data);
    if (dict == nullptr) in_.refuse("items are set in what is no dictionary");
    if (items.size() % 2 != 0) in_.refuse("a dictionary's key has no value");
    for (std::size_t i = 0; i < items.size(); i += 2) dict->items.emplace_back(items[i], items[i + 1]);
  }

  void push_dict(const std::vector<const Value*>& items) {
    stack_.push(Dict{});
    set_items(stack_.top(), items);
  }

  // ---- globals

  void push_global(std::string_view module, std::string_view name) {
    std::string full = fmt::format("{}.{}", module.substr(0, kMaxShown), name.substr(0, kMaxShown));
    if (module.size() > kMaxShown || name.size() > kMaxShown || !allow_(full)) {
      for (char& c : full) {
        if (c >= 0 && c < ' ') c = '?';  // the name goes to a terminal
      }
      throw Error(
          ErrorKind::kUnsupported,
          fmt::format(
              "{}: the pickle names '{}', which is not needed for tensors: it may run code, so the file is refused",
              in_.file_name(), full),
          "save the state dict alone (torch.save(model.state_dict(), path)), or as safetensors");
    }
    stack_.push(Global{std::move(full)});
  }

  void push_stack_global() {
    const auto* name = stack_.pop()->get<std::string>();
    const auto* module = stack_.pop()->get<std::string>();
    if (name == nullptr || module == nullptr) in_.refuse("a global's name is no string");
    push_global(*module, *name);
  }

  void reduce() {
    const Value* arguments = stack_.pop();
    const auto* callee = stack_.pop()->get<Global>();
    if (callee == nullptr) in_.refuse("something is called that is no global");
    const auto* tuple = arguments->get<Tuple>();
    if (tuple == nullptr) in_.refuse("the arguments of a call are no tuple");
    if (callee->name == "collections.OrderedDict") {
      push_ordered_dict(*tuple);
    } else {
      stack_.push(Call{callee->name, arguments});
    }
  }

  /// OrderedDict() or, by Python 2, OrderedDict([[key, value], ...]).
  void push_ordered_dict(const Tuple& arguments) {
    Dict dict;
    if (arguments.items.size() > 1) in_.refuse("an OrderedDict is given more than one argument");
    if (arguments.items.size() == 1) {
      const auto* pairs = arguments.items[0]->get<List>();
      if (pairs == nullptr) in_.refuse("an OrderedDict is made of what is no list");
      for (const Value* pair : pairs->items) {
        const auto* list = pair->get<List>();
        const auto* tuple = pair->get<Tuple>();
        const std::vector<const Value*>* items = list != nullptr    ? &list->items
                                                 : tuple != nullptr ? &tuple->items
                                                                    : nullptr;
        if (items == nullptr || items->size() != 2) in_.refuse("an OrderedDict is made of what are no pairs");
        dict.items.emplace_back((*items)[0], (*items)[1]);
      }
    }
    stack_.push(std::move(dict));
  }

  void build() {
    stack_.pop();  // attributes of the object, such as a state dict's _metadata
    const Value* target = stack_.top();
    if (target->get<Dict>() == nullptr && target->get<Call>() == nullptr)
      in_.refuse("state is given to what is no object");
  }

  // ---- one opcode each; true at the end of the pickle

  bool step(unsigned char opcode) {
    if (opcode == kStop) return true;
    if (!step_container(opcode) && !step_scalar(opcode) && !step_other(opcode)) {
      in_.refuse(fmt::format("opcode 0x{:02x} is not data", opcode));
    }
    return false;
  }

  bool step_container(unsigned char opcode) {
    switch (opcode) {
      case kMark:
        stack_.push_mark();
        break;
      case kEmptyList:
      case kEmptySet:
        stack_.push(List{});
        break;
      case kList:
      case kFrozenSet:
        stack_.push(List{stack_.pop_to_mark()});
        break;
      case kAppend: {
        const Value* item = stack_.pop();
        append(stack_.top(), {item});
        break;
      }
      case kAppends:
      case kAddItems: {
        const std::vector<const Value*> items = stack_.pop_to_mark();
        append(stack_.top(), items);
        break;
      }
      case kEmptyTuple:
        stack_.push(Tuple{});
        break;
      case kTuple:
        stack_.push(Tuple{stack_.pop_to_mark()});
        break;
      case kTuple1:
      case kTuple2:
      case kTuple3:
        stack_.push_tuple(std::size_t{opcode} - kTuple1 + 1);
        break;
      case kEmptyDict:
        stack_.push(Dict{});
        break;
      case kDict:
        push_dict(stack_.pop_to_mark());
        break;
      case kSetItem: {
        const Value* value = stack_.pop();
        const Value* key = stack_.pop();
        set_items(stack_.top(), {key, value});
        break;
      }
      case kSetItems: {
        const std::vector<const Value*> items = stack_.pop_to_mark();
        set_items(stack_.top(), items);
        break;
      }
      default:
        return false;
    }
    return true;
  }

  bool step_scalar(unsigned char opcode) {
    switch (opcode) {
      case kNone:
        stack_.push(None{});
        break;
      case kNewTrue:
      case kNewFalse:
        stack_.push(opcode == kNewTrue);
        break;
      case kBinInt:
        stack_.push(static_cast<std::int64_t>(static_cast<std::int32_t>(in_.take_number(4))));
        break;
      case kBinInt1:
        stack_.push(static_cast<std::int64_t>(in_.take_number(1)));
        break;
      case kBinInt2:
        stack_.push(static_cast<std::int64_t>(in_.take_number(2)));
        break;
      case kLong1:
        stack_.push(in_.take_long(in_.take_number(1)));
        break;
      case kLong4:
        stack_.push(in_.take_long(in_.take_number(4)));
        break;
      case kInt:
        push_decimal_or_bool(in_.take_line());
        break;
      case kLong: {
        std::string_view line = in_.take_line();
        if (line.ends_with('L')) line.remove_suffix(1);
        stack_.push(in_.parse_decimal(line));
        break;
      }
      case kFloat:
        stack_.push(in_.parse_fraction(in_.take_line()));
        break;
      case kBinFloat:
        stack_.push(std::bit_cast<double>(__builtin_bswap64(in_.take_number(8))));
        break;
      case kBinUnicode:
        stack_.push(std::string(in_.take(in_.take_number(4))));
        break;
      case kShortBinUnicode:
        stack_.push(std::string(in_.take(in_.take_number(1))));
        break;
      case kBinUnicode8:
        stack_.push(std::string(in_.take(in_.take_number(8))));
        break;
      case kBinString:
        stack_.push(std::string(in_.take(in_.take_number(4))));
        break;
      case kShortBinString:
        stack_.push(std::string(in_.take(in_.take_number(1))));
        break;
      case kString:
      case kUnicode:
        push_line_string(opcode);
        break;
      case kBinBytes:
        stack_.push(Bytes{std::string(in_.take(in_.take_number(4)))});
        break;
      case kShortBinBytes:
        stack_.push(Bytes{std::string(in_.take(in_.take_number(1)))});
        break;
      case kBinBytes8:
        stack_.push(Bytes{std::string(in_.take(in_.take_number(8)))});
        break;
      default:
        return false;
    }
    return true;
  }

  bool step_other(unsigned char opcode) {
    switch (opcode) {
      case kProto:
        if (in_.take_number(1) > 5) in_.refuse("its protocol is newer than 5");
        break;
      case kFrame:
        in_.take_number(8);  // a hint for readers that buffer
        break;
      case kPop:
        stack_.pop_value_or_mark();
        break;
      case kPopMark:
        stack_.pop_to_mark();
        break;
      case kDup:
        stack_.push_again(stack_.top());
        break;
      case kGet:
        stack_.get(static_cast<std::uint64_t>(in_.parse_decimal(in_.take_line())));
        break;
      case kBinGet:
        stack_.get(in_.take_number(1));
        break;
      case kLongBinGet:
        stack_.get(in_.take_number(4));
        break;
      case kPut:
        stack_.put(static_cast<std::uint64_t>(in_.parse_decimal(in_.take_line())));
        break;
      case kBinPut:
        stack_.put(in_.take_number(1));
        break;
      case kLongBinPut:
        stack_.put(in_.take_number(4));
        break;
      case kMemoize:
        stack_.memoize();
        break;
      case kGlobal: {
        const std::string_view module = in_.take_line();
        push_global(module, in_.take_line());
        break;
      }
      case kStackGlobal:
        push_stack_global();
        break;
      case kReduce:
      case kNewObj:
        reduce();
        break;
      case kBuild:
        build();
        break;
      case kBinPersId: {
        const Value* id = stack_.pop();
        stack_.push(Persistent{id});
        break;
      }
      default:
        return false;
    }
    return true;
  }

  void push_decimal_or_bool(std::string_view line) {
    if (line == "00" || line == "01") {
      stack_.push(line == "01");
    } else {
      stack_.push(in_.parse_decimal(line));
    }
  }

  /// Protocol 0 writes strings in quotes and with escapes; names of tensors have none.
  void push_line_string(unsigned char opcode) {
    std::string_view line = in_.take_line();
    if (line.find('\\') != std::string_view::npos) in_.refuse("a string with escapes");
    if (opcode == kString) {
      if (line.size() < 2 || line.front() != line.back()) in_.refuse("a string without quotes");
      line = line.substr(1, line.size() - 2);
    }
    stack_.push(std::string(line));
  }

  PickleInput in_;
  AllowGlobal allow_;
  Stack stack_;
};

}  // namespace

Document parse(std::span<const std::byte> bytes, AllowGlobal allow, std::string_view file_name, std::size_t* consumed) {
  return Machine(bytes, allow, file_name).run(consumed);
}

}  // namespace nongemm::weights::pickle
