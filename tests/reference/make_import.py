"""Writes import cases: tiny models exported with torch.export, their inputs and outputs.

    python make_import.py OUTPUT [CASE ...]      writes OUTPUT/<case>/{model.pt2, inputs.safetensors, outputs.safetensors}

A case whose name ends in "@old" is written in the layout of torch 2.5 to 2.7: one JSON file beside two state dicts, with
symbolic sizes as plain expressions. The case "custom_operator" needs a library of operators and lies elsewhere:
    python make_import.py tests/data custom_operator
"""

import io
import json
import pathlib
import re
import sys
import warnings
import zipfile

import torch
from safetensors.torch import save_file
from torch._export.serde.serialize import serialize
from torch.utils import _pytree as pytree

import import_models

warnings.filterwarnings("ignore")


def forget_sources(program):
    """Stack traces are most of a file's size and nothing that is read."""
    for module in program.graph_module.modules():
        if not hasattr(module, "graph"):
            continue
        for node in module.graph.nodes:
            for key in ("stack_trace", "from_node", "torch_fn", "source_fn_stack"):
                node.meta.pop(key, None)


def plain_expression(text):
    """`Mul(Integer(2), Symbol('s0', ...))` as torch 2.5 wrote it: `2*s0`."""
    import sympy
    from torch.utils._sympy import functions

    names = {name: getattr(functions, name) for name in functions.__all__}
    return str(sympy.sympify(text, locals=names))


def in_old_layout(program, path):
    artifact = serialize(program)
    document = json.loads(artifact.exported_program)

    def downgrade(value):
        if isinstance(value, list):
            for item in value:
                downgrade(item)
        elif isinstance(value, dict):
            if "expr_str" in value:
                value["expr_str"] = plain_expression(value["expr_str"])
            for key in ("kind", "is_hop_single_tensor_return"):
                value.pop(key, None)
            for item in value.values():
                downgrade(item)

    downgrade(document)
    for node in document["graph_module"]["graph"]["nodes"]:
        node.pop("name", None)
    document["schema_version"] = {"major": 7, "minor": 3}
    document.pop("guards_code", None)
    document.pop("torch_version", None)
    document.pop("verifiers", None)
    document["dialect"] = "TRAINING"
    state, constants = io.BytesIO(), io.BytesIO()
    torch.save(dict(program.state_dict), state)
    torch.save(dict(program.constants), constants)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("version", "7.3")
        archive.writestr("serialized_exported_program.json", json.dumps(document))
        archive.writestr("serialized_state_dict.pt", state.getvalue())
        archive.writestr("serialized_constants.pt", constants.getvalue())
        archive.writestr("serialized_example_inputs.pt", b"")


def as_tensors(values):
    named = {}
    for path, value in pytree.tree_flatten_with_path(values)[0]:
        if value is None or isinstance(value, str):
            continue
        name = ".".join(str(getattr(key, "key", getattr(key, "idx", key))) for key in path) or "output"
        named[name] = torch.as_tensor(value).detach().clone().contiguous()
    return named


def input_tensors(program, args, kwargs):
    """By the names of the program's placeholders."""
    flat = pytree.tree_leaves((args, kwargs))
    specs = [s for s in program.graph_signature.input_specs if s.kind.name == "USER_INPUT"]
    assert len(flat) == len(specs), (len(flat), len(specs))
    return {s.arg.name: v.clone().contiguous() for s, v in zip(specs, flat) if isinstance(v, torch.Tensor)}


def write_case(name, folder):
    torch.manual_seed(0)
    base, _, layout = name.partition("@")
    case = import_models.CASES[base]()
    case.model.eval()
    import_models.random_weights(case.model)
    program = torch.export.export(
        case.model, case.args, case.kwargs, dynamic_shapes=case.dynamic_shapes, strict=False
    )
    if case.decompose:
        program = program.run_decompositions()
    forget_sources(program)
    folder.mkdir(parents=True, exist_ok=True)
    if layout == "old":
        in_old_layout(program, folder / "model.pt2")
    else:
        torch.export.save(program, folder / "model.pt2")
    args = case.run_args if case.run_args is not None else case.args
    kwargs = case.run_kwargs if case.run_kwargs is not None else case.kwargs
    save_file(input_tensors(program, args, kwargs), folder / "inputs.safetensors")
    with torch.no_grad():
        outputs = case.model(*args, **kwargs)
    save_file(as_tensors(outputs), folder / "outputs.safetensors")
    print(name, sum(f.stat().st_size for f in folder.iterdir()) // 1024, "KiB", flush=True)


def main():
    output = pathlib.Path(sys.argv[1])
    names = sys.argv[2:] or [n for n in import_models.CASES if n not in ("custom_operator", "llama_masked")] + ["everything@old"]
    for name in names:
        write_case(name, output / re.sub("@", "_", name))


if __name__ == "__main__":
    main()
