#include "import/pt2/program.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.h"
#include "base/json.h"
#include "import/common/describe_inputs.h"
#include "import/common/output_names.h"
#include "import/common/protect_state.h"
#include "import/pt2/nodes.h"
#include "import/pt2/symbols.h"
#include "pt2/format.h"
#include "pt2/types.h"

namespace nongemm::pt2 {
namespace {

/// One of the user's inputs, as the signature has it.
struct UserInput {
  std::string name;
  const Json* tensor_meta = nullptr;  // null for a number
  const Json* number = nullptr;
};

class ProgramReader {
 public:
  ProgramReader(const Json& root, const Pt2Archive& archive, const ImportOptions& options)
      : module_(object_at(root, "graph_module")),
        body_(object_at(module_, "graph")),
        signature_(object_at(module_, "signature")),
        archive_(archive),
        options_(options),
        symbols_(object_at(root, "range_constraints")) {
    const std::int64_t version = integer_at(object_at(root, "schema_version"), "major");
    if (version > kSchemaMajor) {
      throw Error(ErrorKind::kUnsupported,
                  fmt::format("is of schema version {}, versions up to {} are known", version, kSchemaMajor),
                  "export it with a torch up to 2.11");
    }
    if (const Json* torch = find_member(root, "torch_version"))
      graph_.attributes["exported by"] = "torch " + as_text(*torch);
  }

  Graph read() {
    const std::vector<UserInput> inputs = within("its signature", [&] { return user_inputs(); });
    bind(inputs);
    add_inputs(inputs);
    within("its signature", [&] { add_state(); });
    NodeReader nodes(graph_, symbols_, names_);
    nodes.read(body_);
    within("its outputs", [&] { add_outputs(nodes); });
    protect_state(graph_);
    describe_inputs(graph_);
    return std::move(graph_);
  }

 private:
  const Json& meta_of(const std::string& name) const {
    const Json& metas = object_at(body_, "tensor_values");
    const Json* meta = find_member(metas, name.c_str());
    if (meta == nullptr) throw Error(ErrorKind::kBadInput, "nothing says what tensor '" + name + "' is");
    return *meta;
  }

  // --- inputs ---

  /// Also notes inputs that are constants of the export (None, True, "sum").
  std::vector<UserInput> user_inputs() {
    std::vector<UserInput> inputs;
    const Json& placeholders = array_at(body_, "inputs");
    std::size_t position = 0;
    for (const Json& spec : array_at(signature_, "input_specs")) {
      const auto [kind, content] = union_of(spec);
      if (position >= placeholders.size()) throw Error(ErrorKind::kBadInput, "its signature is longer than its inputs");
      const auto [tag, placeholder] = union_of(placeholders[position++]);
      if (kind != "user_input") continue;  // state, or a constant that the nodes have in place of the name
      UserInput input;
      if (tag == "as_tensor") {
        input.name = text_at(*placeholder, "name");
        input.tensor_meta = &meta_of(input.name);
      } else if (tag == "as_sym_int") {
        input.name = text_at(*placeholder, "as_name");
        input.number = &member(object_at(body_, "sym_int_values"), input.name.c_str());
      } else if (tag == "as_custom_obj") {
        throw Error(ErrorKind::kUnsupported, "takes an object of a class as input");
      } else {
        continue;  // a number, text or None of the export
      }
      inputs.push_back(input);
    }
    return inputs;
  }

  const InputBinding* binding_of(const std::string& name) const {
    for (const InputBinding& binding : options_.inputs) {
      if (binding.name == name) return &binding;
    }
    return nullptr;
  }

  void check_bindings(const std::vector<UserInput>& inputs) const {
    std::vector<std::string> names;
    for (const UserInput& input : inputs) names.push_back(input.name);
    check_binding_names(options_.inputs, names);
    for (const UserInput& input : inputs) {
      const InputBinding* binding = binding_of(input.name);
      if (binding == nullptr || !binding->dtype || input.tensor_meta == nullptr) continue;
      const DType dtype = dtype_of(member(*input.tensor_meta, "dtype"));
      if (*binding->dtype == dtype) continue;
      throw Error(
          ErrorKind::kUsage,
          fmt::format("input '{}' is {}, {} is asked for", input.name, name_of(dtype), name_of(*binding->dtype)),
          "types are fixed in the file: export the model in the type that is wanted");
    }
  }

  /// The shape that the user wants; --batch stands for the first dimension where it is free.
  std::optional<Shape> wanted_shape(const UserInput& input) const {
    if (const InputBinding* binding = binding_of(input.name)) return binding->shape;
    return std::nullopt;
  }

  void bind(const std::vector<UserInput>& inputs) {
    check_bindings(inputs);
    std::vector<SizedInput> sized;
    for (const UserInput& input : inputs) {
      if (input.tensor_meta == nullptr) continue;
      sized.push_back({input.name, &array_at(*input.tensor_meta, "sizes"), wanted_shape(input)});
    }
    if (options_.batch) symbols_.bind_batch(sized, *options_.batch);
    symbols_.bind(sized);
    for (const UserInput& input : inputs) {
      if (input.number == nullptr) continue;
      const InputBinding* binding = binding_of(input.name);
      if (binding != nullptr && binding->shape.size() != 1) {
        throw Error(ErrorKind::kUsage, "input '" + input.name + "' is one number, not a shape");
      }
      symbols_.bind_number(input.name, *input.number,
                           binding == nullptr ? std::nullopt : std::optional(binding->shape[0]));
    }
  }

  ValueId add_tensor(const Json& meta) {
    Type type;
    type.dtype = dtype_of(member(meta, "dtype"));
    type.shape = symbols_.shape(array_at(meta, "sizes"));
    graph_.values.push_back({type, kNoId});
    return static_cast<ValueId>(graph_.values.size() - 1);
  }

  void add_inputs(const std::vector<UserInput>& inputs) {
    for (const UserInput& input : inputs) {
      if (input.tensor_meta == nullptr) {
        names_[input.name] = symbols_.size(*input.number);
        continue;
      }
      const ValueId value = within("input '" + input.name + "'", [&] { return add_tensor(*input.tensor_meta); });
      names_[input.name] = Use{value};
      graph_.inputs.push_back({value, input.name, {}});
    }
  }

  // --- parameters, buffers and constants ---

  void add_state() {
    for (const Json& spec : array_at(signature_, "input_specs")) {
      const auto [kind, content] = union_of(spec);
      if (kind == "parameter") {
        add_weight(*content, text_at(*content, "parameter_name"), /*buffer=*/false);
      } else if (kind == "buffer") {
        add_weight(*content, text_at(*content, "buffer_name"), /*buffer=*/true);
      } else if (kind == "tensor_constant") {
        const std::string& name = text_at(*content, "tensor_constant_name");
        const ValueId value = add_state_value(*content, name);
        graph_.constants.push_back({value, *archive_.find(name)});
      } else if (kind == "custom_obj") {
        throw Error(ErrorKind::kUnsupported,
                    "holds an object of a class, '" + text_at(*content, "custom_obj_name") + "'");
      }
    }
  }

  ValueId add_state_value(const Json& spec, const std::string& name) {
    const std::string& placeholder = text_at(object_at(spec, "arg"), "name");
    const ValueId value = within("tensor '" + name + "'", [&] { return add_tensor(meta_of(placeholder)); });
    const Type& type = graph_.values[value].type;
    const HostTensor* tensor = archive_.find(name);
    if (tensor == nullptr) throw Error(ErrorKind::kBadInput, "tensor '" + name + "' is missing");
    if (tensor->shape != type.shape || tensor->dtype != type.dtype) {
      throw Error(ErrorKind::kBadInput, "tensor '" + name + "' is not what the program says it is");
    }
    names_[placeholder] = Use{value};
    return value;
  }

  void add_weight(const Json& spec, const std::string& name, bool buffer) {
    Weight weight;
    weight.value = add_state_value(spec, name);
    weight.name = name;
    weight.buffer = buffer;
    graph_.weights.push_back(std::move(weight));
  }

  // --- outputs ---

  void add_outputs(NodeReader& nodes) {
    const std::vector<std::string> names = output_names(module_);
    const Json& outputs = array_at(body_, "outputs");
    const Json& specs = array_at(signature_, "output_specs");
    if (outputs.size() != specs.size()) throw Error(ErrorKind::kBadInput, "its signature does not fit its outputs");
    std::size_t user_output = 0;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      if (union_of(specs[i]).first != "user_output") continue;  // state, which the next inference does not see
      std::string name = user_output < names.size() ? names[user_output] : "output_" + std::to_string(user_output);
      ++user_output;
      const std::optional<ValueId> value = nodes.output_value(read_argument(outputs[i], nullptr, names_));
      if (value) graph_.outputs.push_back({*value, std::move(name)});
    }
    if (graph_.outputs.empty()) throw Error(ErrorKind::kUnsupported, "gives no tensor");
  }

  const Json& module_;
  const Json& body_;
  const Json& signature_;
  const Pt2Archive& archive_;
  const ImportOptions& options_;
  Symbols symbols_;
  Names names_;
  Graph graph_;
};

}  // namespace

Graph read_program(const Json& root, const Pt2Archive& archive, const ImportOptions& options) {
  return ProgramReader(root, archive, options).read();
}

}  // namespace nongemm::pt2
