#include "weights/pickle.h"

#include <fmt/format.h>

#include <bit>
#include <unordered_map>

#include "base/error.h"
#include "weights/pickle_input.h"
#include "weights/pickle_opcodes.h"

namespace nongemm::weights::pickle {
namespace {

// A state dict of a thousand tensors has 200 kB and 20 000 values.
constexpr std::size_t kMaxBytes = std::size_t{32} << 20;
constexpr std::size_t kMaxValues = 2'000'000;
constexpr std::size_t kMaxShown = 100;

class Machine {
 public:
  Machine(std::span<const std::byte> bytes, AllowGlobal allow, std::string_view file_name)
      : in_(bytes, file_name), allow_(allow) {}

  Document run(std::size_t* consumed) {
    if (in_.size() > kMaxBytes) in_.refuse(fmt::format("it has {} bytes, too many for tensors", in_.size()));
    while (!step(static_cast<unsigned char>(in_.take_number(1)))) {
    }
    if (stack_.size() != 1 || !marks_.empty()) in_.refuse("ends with other than one value");
    document_.root = stack_.back();
    if (consumed != nullptr) *consumed = in_.position();
    return std::move(document_);
  }

 private:
  // ---- the stack

  template <typename T>
  Value* make(T data) {
    check_room(document_.values.size());
    document_.values.push_back(Value{std::move(data)});
    return &document_.values.back();
  }

  template <typename T>
  void push(T data) {
    stack_.push_back(make(std::move(data)));
  }

  /// The values on the stack and in the memo are few; pointers to them could be many.
  void check_room(std::size_t size) const {
    if (size >= kMaxValues) in_.refuse(fmt::format("holds more than {} values", kMaxValues));
  }

  void push_again(Value* value) {
    check_room(stack_.size());
    stack_.push_back(value);
  }

  std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }

  Value* pop() {
    if (stack_.size() <= floor()) in_.refuse("its stack is empty");
    Value* top = stack_.back();
    stack_.pop_back();
    return top;
  }

  Value* top() const {
    if (stack_.size() <= floor()) in_.refuse("its stack is empty");
    return stack_.back();
  }

  std::vector<const Value*> pop_to_mark() {
    if (marks_.empty()) in_.refuse("a mark is missing");
    const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<const Value*> items(begin, stack_.end());
    stack_.erase(begin, stack_.end());
    marks_.pop_back();
    return items;
  }

  void push_tuple(std::size_t size) {
    Tuple tuple;
    tuple.items.resize(size);
    for (std::size_t i = size; i-- > 0;) tuple.items[i] = pop();
    push(std::move(tuple));
  }

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
    push(Dict{});
    set_items(stack_.back(), items);
  }

  // ---- the memo

  void put(std::uint64_t index) {
    check_room(memo_.size());
    memo_[index] = top();
  }

  void get(std::uint64_t index) {
    const auto found = memo_.find(index);
    if (found == memo_.end()) in_.refuse(fmt::format("memo entry {} does not exist", index));
    push_again(found->second);
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
    push(Global{std::move(full)});
  }

  void push_stack_global() {
    const auto* name = pop()->get<std::string>();
    const auto* module = pop()->get<std::string>();
    if (name == nullptr || module == nullptr) in_.refuse("a global's name is no string");
    push_global(*module, *name);
  }

  void reduce() {
    const Value* arguments = pop();
    const auto* callee = pop()->get<Global>();
    if (callee == nullptr) in_.refuse("something is called that is no global");
    const auto* tuple = arguments->get<Tuple>();
    if (tuple == nullptr) in_.refuse("the arguments of a call are no tuple");
    if (callee->name == "collections.OrderedDict") {
      push_ordered_dict(*tuple);
    } else {
      push(Call{callee->name, arguments});
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
    push(std::move(dict));
  }

  void build() {
    pop();  // attributes of the object, such as a state dict's _metadata
    const Value* target = top();
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
        check_room(marks_.size());
        marks_.push_back(stack_.size());
        break;
      case kEmptyList:
      case kEmptySet:
        push(List{});
        break;
      case kList:
      case kFrozenSet:
        push(List{pop_to_mark()});
        break;
      case kAppend: {
        const Value* item = pop();
        append(top(), {item});
        break;
      }
      case kAppends:
      case kAddItems: {
        const std::vector<const Value*> items = pop_to_mark();
        append(top(), items);
        break;
      }
      case kEmptyTuple:
        push(Tuple{});
        break;
      case kTuple:
        push(Tuple{pop_to_mark()});
        break;
      case kTuple1:
      case kTuple2:
      case kTuple3:
        push_tuple(std::size_t{opcode} - kTuple1 + 1);
        break;
      case kEmptyDict:
        push(Dict{});
        break;
      case kDict:
        push_dict(pop_to_mark());
        break;
      case kSetItem: {
        const Value* value = pop();
        const Value* key = pop();
        set_items(top(), {key, value});
        break;
      }
      case kSetItems: {
        const std::vector<const Value*> items = pop_to_mark();
        set_items(top(), items);
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
        push(None{});
        break;
      case kNewTrue:
      case kNewFalse:
        push(opcode == kNewTrue);
        break;
      case kBinInt:
        push(static_cast<std::int64_t>(static_cast<std::int32_t>(in_.take_number(4))));
        break;
      case kBinInt1:
        push(static_cast<std::int64_t>(in_.take_number(1)));
        break;
      case kBinInt2:
        push(static_cast<std::int64_t>(in_.take_number(2)));
        break;
      case kLong1:
        push(in_.take_long(in_.take_number(1)));
        break;
      case kLong4:
        push(in_.take_long(in_.take_number(4)));
        break;
      case kInt:
        push_decimal_or_bool(in_.take_line());
        break;
      case kLong: {
        std::string_view line = in_.take_line();
        if (line.ends_with('L')) line.remove_suffix(1);
        push(in_.parse_decimal(line));
        break;
      }
      case kFloat:
        push(in_.parse_fraction(in_.take_line()));
        break;
      case kBinFloat:
        push(std::bit_cast<double>(__builtin_bswap64(in_.take_number(8))));
        break;
      case kBinUnicode:
        push(std::string(in_.take(in_.take_number(4))));
        break;
      case kShortBinUnicode:
        push(std::string(in_.take(in_.take_number(1))));
        break;
      case kBinUnicode8:
        push(std::string(in_.take(in_.take_number(8))));
        break;
      case kBinString:
        push(std::string(in_.take(in_.take_number(4))));
        break;
      case kShortBinString:
        push(std::string(in_.take(in_.take_number(1))));
        break;
      case kString:
      case kUnicode:
        push_line_string(opcode);
        break;
      case kBinBytes:
        push(Bytes{std::string(in_.take(in_.take_number(4)))});
        break;
      case kShortBinBytes:
        push(Bytes{std::string(in_.take(in_.take_number(1)))});
        break;
      case kBinBytes8:
        push(Bytes{std::string(in_.take(in_.take_number(8)))});
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
        // Popping a mark is allowed, as in Python.
        if (!marks_.empty() && stack_.size() == marks_.back()) {
          marks_.pop_back();
        } else {
          pop();
        }
        break;
      case kPopMark:
        pop_to_mark();
        break;
      case kDup:
        push_again(top());
        break;
      case kGet:
        get(static_cast<std::uint64_t>(in_.parse_decimal(in_.take_line())));
        break;
      case kBinGet:
        get(in_.take_number(1));
        break;
      case kLongBinGet:
        get(in_.take_number(4));
        break;
      case kPut:
        put(static_cast<std::uint64_t>(in_.parse_decimal(in_.take_line())));
        break;
      case kBinPut:
        put(in_.take_number(1));
        break;
      case kLongBinPut:
        put(in_.take_number(4));
        break;
      case kMemoize:
        put(memo_.size());
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
        const Value* id = pop();
        push(Persistent{id});
        break;
      }
      default:
        return false;
    }
    return true;
  }

  void push_decimal_or_bool(std::string_view line) {
    if (line == "00" || line == "01") {
      push(line == "01");
    } else {
      push(in_.parse_decimal(line));
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
    push(std::string(line));
  }

  PickleInput in_;
  AllowGlobal allow_;
  Document document_;
  std::vector<Value*> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint64_t, Value*> memo_;
};

}  // namespace

Document parse(std::span<const std::byte> bytes, AllowGlobal allow, std::string_view file_name, std::size_t* consumed) {
  return Machine(bytes, allow, file_name).run(consumed);
}

}  // namespace nongemm::weights::pickle
