"""Writes import cases: tiny models exported with torch.export, their inputs and outputs.

    python make_import.py OUTPUT [CASE ...]      writes OUTPUT/<case>/{model.pt2, inputs.safetensors, outputs.safetensors}

Archives differ from torch to torch, so some cases are written by older ones, which have no transformers; what follows the
"@" is only put into the folder's name:
    python-with-torch-2.5 make_import.py tests/data/import everything_core@torch25
The case "custom_operator" needs a library of operators and lies elsewhere:
    python make_import.py tests/data custom_operator
"""

import pathlib
import sys
import warnings

import torch
from safetensors.torch import save_file
from torch.utils import _pytree as pytree

try:
    import import_models
except ImportError:  # no transformers for this torch
    import import_parts as import_models

warnings.filterwarnings("ignore")


def forget_sources(program):
    """Stack traces are most of a file's size and nothing that is read."""
    for module in program.graph_module.modules():
        if not hasattr(module, "graph"):
            continue
        for node in module.graph.nodes:
            for key in ("stack_trace", "from_node", "torch_fn", "source_fn_stack"):
                node.meta.pop(key, None)


def key_of(key):
    """Of a dictionary, a list or a class."""
    return next(str(getattr(key, kind)) for kind in ("key", "idx", "name") if hasattr(key, kind))


def as_tensors(values):
    named = {}
    for path, value in pytree.tree_flatten_with_path(values)[0]:
        if value is None or isinstance(value, str):
            continue
        name = ".".join(key_of(key) for key in path) or "output"
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
    case = import_models.CASES[name.partition("@")[0]]()
    case.model.eval()
    import_models.random_weights(case.model)
    program = torch.export.export(
        case.model, case.args, case.kwargs, dynamic_shapes=case.dynamic_shapes, strict=False
    )
    if case.decompose:
        program = program.run_decompositions()
    forget_sources(program)
    folder.mkdir(parents=True, exist_ok=True)
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
    names = sys.argv[2:] or [n for n in import_models.CASES if n not in ("custom_operator", "llama_masked")]
    for name in names:
        write_case(name, output / name.replace("@", "_"))


if __name__ == "__main__":
    main()
