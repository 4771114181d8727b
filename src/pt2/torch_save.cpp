#include "pt2/torch_save.h"

#include <cstdint>
#include <span>
#include <string_view>

#include "base/error.h"
#include "base/zip_writer.h"

namespace nongemm::pt2 {
namespace {

/// Pickle's opcodes, protocol 2 (Python's pickletools.py).
class Pickle {
 public:
  Pickle() { text_ = "\x80\x02"; }

  Pickle& op(char code) {
    text_ += code;
    return *this;
  }
  Pickle& text(std::string_view value) {
    op('X');
    put(value.size(), 4);
    text_ += value;
    return *this;
  }
  Pickle& integer(std::int64_t value) {
    op('\x8a').put(8, 1).put(static_cast<std::uint64_t>(value), 8);  // LONG1
    return *this;
  }
  Pickle& global(std::string_view module, std::string_view name) {
    op('c');
    text_ += std::string(module) + "\n" + std::string(name) + "\n";
    return *this;
  }
  Pickle& integers(const Shape& values) {
    op('(');
    for (const std::int64_t value : values) integer(value);
    return op('t');
  }
  std::string finish() { return op('.').text_; }

 private:
  Pickle& put(std::uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) text_ += static_cast<char>((value >> (8 * i)) & 0xff);
    return *this;
  }

  std::string text_;
};

Shape row_major(const Shape& shape) {
  Shape strides(shape.size(), 1);
  for (std::size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * std::max<std::int64_t>(shape[i], 1);
  return strides;
}

/// torch._utils._rebuild_tensor_v2(storage, 0, size, stride, False, OrderedDict()).
void add_tensor(Pickle& pickle, const HostTensor& tensor, const std::string& key) {
  const std::string_view storage = info(tensor.dtype).storage;
  if (storage.empty()) {
    throw Error(ErrorKind::kUnsupported, "torch.save has no storage of " + std::string(name_of(tensor.dtype)));
  }
  pickle.global("torch._utils", "_rebuild_tensor_v2").op('(');
  pickle.op('(').text("storage").global("torch", storage).text(key).text("cpu");
  pickle.integer(element_count(tensor.shape)).op('t').op('Q');
  pickle.integer(0).integers(tensor.shape).integers(row_major(tensor.shape)).op('\x89');
  pickle.global("collections", "OrderedDict").op(')').op('R').op('t').op('R');
}

}  // namespace

std::string save_inputs(const std::vector<ProgramInput>& inputs, const std::vector<HostTensor>& tensors) {
  Pickle pickle;
  pickle.op('(');
  std::size_t i = 0;
  for (; i < inputs.size() && inputs[i].positional; ++i) add_tensor(pickle, tensors[i], std::to_string(i));
  pickle.op('t').op('}').op('(');
  for (; i < inputs.size(); ++i) {
    pickle.text(inputs[i].name);
    add_tensor(pickle, tensors[i], std::to_string(i));
  }
  const std::string program = pickle.op('u').op('\x86').finish();

  std::string bytes;
  ZipWriter zip(
      [&](std::span<const std::byte> part) { bytes.append(reinterpret_cast<const char*>(part.data()), part.size()); });
  zip.add("inputs/data.pkl", program);
  zip.add("inputs/byteorder", "little");
  for (i = 0; i < tensors.size(); ++i) {
    zip.add("inputs/data/" + std::to_string(i), std::span(tensors[i].data.get(), tensors[i].byte_size()));
  }
  zip.add("inputs/version", "3\n");
  zip.finish();
  return bytes;
}

}  // namespace nongemm::pt2
