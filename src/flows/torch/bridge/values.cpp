#include "flows/torch/bridge/values.h"

#include <ATen/ScalarOps.h>
#include <ATen/ops/empty_strided.h>
#include <ATen/ops/from_blob.h>

#include "base/error.h"

namespace nongemm::torch_flow {
namespace {

c10::IValue memory_format(const std::string& name) {
  if (name == "channels_last_3d") return static_cast<std::int64_t>(c10::MemoryFormat::ChannelsLast3d);
  if (name == "channels_last") return static_cast<std::int64_t>(c10::MemoryFormat::ChannelsLast);
  if (name == "preserve_format") return static_cast<std::int64_t>(c10::MemoryFormat::Preserve);
  return static_cast<std::int64_t>(c10::MemoryFormat::Contiguous);
}

c10::IValue none_for(const SchemaArg& schema, c10::Device device) {
  if (schema.kind == ArgKind::kDevice) return device;
  return {};
}

}  // namespace

c10::ScalarType to_torch(DType dtype) {
  const std::int32_t number = info(dtype).torch;
  if (number >= 0) return static_cast<c10::ScalarType>(number);
  throw Error(ErrorKind::kUnsupported, "dtype " + std::string(name_of(dtype)) + " is not known to LibTorch");
}

DType from_torch(c10::ScalarType type) {
  return dtype_by(&DTypeInfo::torch, static_cast<std::int32_t>(type)).value_or(DType::kUndefined);
}

at::Tensor to_torch(const HostTensor& tensor, c10::Device device) {
  // from_blob wants a mutable pointer; weights are never written: in-place operators work on activations.
  void* bytes = const_cast<std::byte*>(tensor.data.get());
  const auto options = at::TensorOptions().dtype(to_torch(tensor.dtype));
  at::Tensor host = at::from_blob(
      bytes, tensor.shape, [owner = tensor.data](void*) mutable { owner.reset(); }, options);
  return device.is_cpu() ? host : host.to(device);
}

at::Tensor laid_out(const at::Tensor& input, const Type& type) {
  if (type.strides.empty() || is_contiguous(type)) return input;
  at::Tensor source = input;
  for (std::size_t dim = 0; dim < type.strides.size(); ++dim) {
    if (type.strides[dim] == 0 && type.shape[dim] > 1) source = source.narrow(static_cast<std::int64_t>(dim), 0, 1);
  }
  at::Tensor laid = at::empty_strided(source.sizes(), type.strides, input.options());
  laid.copy_(source);
  return laid.expand(type.shape);
}

HostTensor from_torch(const at::Tensor& tensor) {
  // A conjugate or a negative may be a mark on other values.
  const at::Tensor host = tensor.to(c10::kCPU).contiguous().resolve_conj().resolve_neg();
  HostTensor result;
  result.dtype = from_torch(host.scalar_type());
  if (result.dtype == DType::kUndefined) {
    throw Error(ErrorKind::kUnsupported, std::string("an output has dtype ") + c10::toString(host.scalar_type()));
  }
  result.shape = host.sizes().vec();
  const auto owner = std::make_shared<at::Tensor>(host);
  result.data = std::shared_ptr<const std::byte>(owner, static_cast<const std::byte*>(owner->const_data_ptr()));
  return result;
}

Type type_of(const c10::IValue& value) {
  Type type;
  if (value.isTensor()) {
    const at::Tensor& tensor = value.toTensor();
    if (!tensor.defined()) return type;
    type.dtype = from_torch(tensor.scalar_type());
    type.shape = tensor.sizes().vec();
    type.strides = tensor.strides().vec();
    if (is_contiguous(type)) type.strides.clear();
  } else if (value.isInt()) {
    type.kind = Type::Kind::kInt;
    type.dtype = DType::kInt64;
  } else if (value.isDouble()) {
    type.kind = Type::Kind::kFloat;
    type.dtype = DType::kFloat64;
  } else if (value.isBool()) {
    type.kind = Type::Kind::kBool;
    type.dtype = DType::kBool;
  }
  return type;
}

at::Tensor wrapped_number(const c10::Scalar& number) {
  at::Tensor tensor = c10::scalar_to_tensor(number);
  tensor.unsafeGetTensorImpl()->set_wrapped_number(true);
  return tensor;
}

c10::IValue constant_argument(const Argument& argument, const SchemaArg& schema, c10::Device device) {
  struct Visitor {
    const SchemaArg& schema;
    c10::Device device;

    c10::IValue operator()(std::monostate) const { return none_for(schema, device); }
    c10::IValue operator()(const Use&) const { return {}; }               // filled in at run time
    c10::IValue operator()(const std::vector<Use>&) const { return {}; }  // filled in at run time
    c10::IValue operator()(std::int64_t value) const {
      if (schema.kind == ArgKind::kTensor) return wrapped_number(value);
      return value;
    }
    c10::IValue operator()(double value) const {
      if (schema.kind == ArgKind::kTensor) return wrapped_number(value);
      return value;
    }
    c10::IValue operator()(bool value) const {
      if (schema.kind == ArgKind::kTensor) return wrapped_number(value);
      return value;
    }
    c10::IValue operator()(const std::vector<Int>& values) const {
      c10::List<std::int64_t> list;
      for (const Int& value : values) list.push_back(value.value);
      return list;
    }
    c10::IValue operator()(const std::string& value) const {
      if (schema.kind == ArgKind::kDevice) return c10::Device(value);
      if (schema.kind == ArgKind::kMemoryFormat) return memory_format(value);
      if (schema.kind == ArgKind::kLayout) return static_cast<std::int64_t>(c10::Layout::Strided);
      return value;
    }
    c10::IValue operator()(DType value) const { return static_cast<std::int64_t>(to_torch(value)); }
    c10::IValue operator()(const std::vector<double>& values) const { return c10::List<double>(values); }
    c10::IValue operator()(const std::vector<bool>& values) const {
      c10::List<bool> list;
      for (const bool value : values) list.push_back(value);
      return list;
    }
  };
  return std::visit(Visitor{schema, device}, argument);
}

}  // namespace nongemm::torch_flow
