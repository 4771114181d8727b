#include "flows/torch/foreign.h"

#include <ATen/core/function_schema.h>
#include <ATen/core/jit_type.h>
#include <dlfcn.h>

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "ops/foreign.h"

namespace nongemm::torch_flow {
namespace {

[[noreturn]] void refuse(const std::string& op, const std::string& what) {
  throw Error(ErrorKind::kUnsupported, "operator " + op + " " + what);
}

std::optional<ArgKind> kind_of(const c10::Type& type) {
  switch (type.kind()) {
    case c10::TypeKind::TensorType:
      return ArgKind::kTensor;
    case c10::TypeKind::IntType:
    case c10::TypeKind::SymIntType:
      return ArgKind::kInt;
    case c10::TypeKind::FloatType:
    case c10::TypeKind::SymFloatType:
      return ArgKind::kFloat;
    case c10::TypeKind::BoolType:
    case c10::TypeKind::SymBoolType:
      return ArgKind::kBool;
    case c10::TypeKind::NumberType:
      return ArgKind::kScalar;
    case c10::TypeKind::StringType:
      return ArgKind::kString;
    case c10::TypeKind::DeviceObjType:
      return ArgKind::kDevice;
    case c10::TypeKind::ScalarTypeType:
      return ArgKind::kDType;
    case c10::TypeKind::LayoutType:
      return ArgKind::kLayout;
    case c10::TypeKind::MemoryFormatType:
      return ArgKind::kMemoryFormat;
    case c10::TypeKind::GeneratorType:
      return ArgKind::kGenerator;
    default:
      return std::nullopt;
  }
}

SchemaArg describe(const std::string& op, const c10::Argument& argument) {
  SchemaArg described;
  described.name = argument.name();
  c10::TypePtr type = argument.real_type();
  if (const auto optional = type->cast<c10::OptionalType>()) {
    described.optional = true;
    type = optional->getElementType();
  }
  if (const auto list = type->cast<c10::ListType>()) {
    described.list = true;
    type = list->getElementType();
    if (const auto optional = type->cast<c10::OptionalType>()) {
      described.optional_element = true;
      type = optional->getElementType();
    }
  }
  const std::optional<ArgKind> kind = kind_of(*type);
  if (!kind) refuse(op, "takes or gives a " + argument.real_type()->str() + ", which graphs do not have");
  described.kind = *kind;
  described.written = argument.alias_info() != nullptr && argument.alias_info()->isWrite();
  return described;
}

/// Integers where floats are wanted, and lists without elements, are what the schema says.
Argument adapted(const Argument& argument, const SchemaArg& schema) {
  if (schema.kind == ArgKind::kFloat) {
    if (const auto* integer = std::get_if<std::int64_t>(&argument)) return static_cast<double>(*integer);
  }
  const auto* ints = std::get_if<std::vector<Int>>(&argument);
  if (ints == nullptr || !schema.list) return argument;
  const bool known = std::all_of(ints->begin(), ints->end(), [](const Int& value) { return value.known(); });
  if (schema.kind == ArgKind::kFloat && known) {
    std::vector<double> floats;
    for (const Int& value : *ints) floats.push_back(static_cast<double>(value.value));
    return floats;
  }
  if (schema.kind == ArgKind::kTensor && ints->empty()) return std::vector<Use>();
  if (schema.kind == ArgKind::kBool && ints->empty()) return std::vector<bool>();
  return argument;
}

void check_writes(const Graph& graph, const Node& node, std::size_t given, const SchemaArg& schema) {
  if (!schema.written || foreign_writes(node, given)) return;
  for_each_use(node.args[given], [&](ValueId value) {
    if (graph.values[value].producer != kNoId) return;
    refuse(node.op, "writes into its argument '" + schema.name + "', a weight or an input of the model");
  });
}

}  // namespace

void load_operators(const std::string& path) {
  // A bare name would be searched for in the system's folders.
  const std::string file = std::filesystem::absolute(path).string();
  if (dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL) != nullptr) return;
  throw Error(ErrorKind::kBadInput, std::string("the operator library cannot be loaded: ") + dlerror(),
              "build it against the LibTorch that is used here (nongemm list flows)");
}

std::optional<c10::OperatorHandle> find_foreign(const std::string& op) {
  const std::size_t space = op.find('.');
  const std::size_t dot = op.rfind('.');
  if (space == std::string::npos || dot == space) return std::nullopt;
  const std::string overload = op.substr(dot + 1);
  return c10::Dispatcher::singleton().findSchema(
      {op.substr(0, space) + "::" + op.substr(space + 1, dot - space - 1), overload == "default" ? "" : overload});
}

std::vector<std::string> schemas_of(const std::string& name) {
  std::vector<std::string> texts;
  for (const c10::OperatorName& known : c10::Dispatcher::singleton().getAllOpNames()) {
    if (known.name != name) continue;
    // A name alone may stand for kernels that were registered without a schema.
    const std::optional<c10::OperatorHandle> op = c10::Dispatcher::singleton().findSchema(known);
    if (op) texts.push_back(c10::toString(op->schema()));
  }
  return texts;
}

ForeignCall arrange_foreign(const Graph& graph, const Node& node, const c10::OperatorHandle& op, c10::Device device) {
  const c10::FunctionSchema& theirs = op.schema();
  ForeignCall call;
  call.node = node;
  call.node.args.clear();
  std::size_t used = 0;
  for (const c10::Argument& argument : theirs.arguments()) {
    const SchemaArg schema = describe(node.op, argument);
    const auto name = std::find(node.arg_names.begin(), node.arg_names.end(), schema.name);
    std::optional<c10::IValue> left_out;
    Argument value;
    if (name != node.arg_names.end()) {
      ++used;
      const auto given = static_cast<std::size_t>(name - node.arg_names.begin());
      check_writes(graph, node, given, schema);
      value = adapted(node.args[given], schema);
      if (!accepts(schema, value)) refuse(node.op, "is given something else as '" + schema.name + "' than it takes");
    } else if (schema.kind == ArgKind::kDevice) {
      left_out = device;
    } else if (argument.default_value()) {
      left_out = *argument.default_value();
    } else if (schema.optional) {
      left_out = c10::IValue();
    } else {
      refuse(node.op, "is given no argument '" + schema.name + "'");
    }
    call.node.args.push_back(std::move(value));
    call.defaults.push_back(std::move(left_out));
    call.schema.args.push_back(schema);
  }
  if (used != node.arg_names.size()) refuse(node.op, "has other arguments in this LibTorch than in the model's file");
  for (const c10::Argument& result : theirs.returns()) call.schema.results.push_back(describe(node.op, result));
  const bool list = call.schema.results.size() == 1 && call.schema.results[0].list;
  if (!list && call.schema.results.size() != node.outputs.size()) {
    refuse(node.op, "gives another number of results in this LibTorch than in the model's file");
  }
  return call;
}

}  // namespace nongemm::torch_flow
