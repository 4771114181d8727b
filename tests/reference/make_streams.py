"""Writes operator streams: what PyTorch eager dispatches for one inference, outermost calls only, in order.

    python make_streams.py OUTPUT [NAME ...]           NAME from stream_models.MODELS; all when none is given
    python make_streams.py --cases FOLDER ...          the streams of numerics cases, FOLDER/operators.json

torch.profiler on the CPU, under no_grad, eval mode: every `aten::`/`torchvision::` event without such an event around
it, in order of start. A file holds {"model", ..., "config", "operators", "scopes", "calls"}: operators as
[operator, input shapes, composite module type where there is one]; scopes[i] is the module path and type that operator
i ran in; calls[i] is the call in words: overload, dtypes and shapes of tensors, values of scalars ("?" where the
profiler gives none).
"""

import functools
import json
import pathlib
import sys
import tempfile
import time
import warnings

import torch
from torch._C._profiler import _ExperimentalConfig
from torch.profiler import ProfilerActivity, profile, record_function

import stream_models

warnings.filterwarnings("ignore")

# Modules of several ATen operators that count as one operation.
COMPOSITES = {"Conv1D", "NewGELUActivation", "LlamaRMSNorm", "DetrFrozenBatchNorm2d", "FrozenBatchNorm2d"}
SCOPE = "scope|"


def mark_modules(model):
    """Opens a profiler range around every module's forward; returns the hooks."""
    handles = []
    for path, module in model.named_modules():
        ranges, label = [], f"{SCOPE}{path}: {type(module).__name__}"

        def enter(module, arguments, ranges=ranges, label=label):
            ranges.append(record_function(label))
            ranges[-1].__enter__()

        def leave(module, arguments, output, ranges=ranges):
            ranges.pop().__exit__(None, None, None)

        handles += [module.register_forward_pre_hook(enter, prepend=True), module.register_forward_hook(leave)]
    return handles


def is_operator(event):
    return event.name.startswith(("aten::", "torchvision::"))


def ancestors(event):
    while event.cpu_parent is not None:
        event = event.cpu_parent
        yield event


def traced_arguments(recorded):
    """Per event id the arguments as the trace file has them: dtypes, shapes (of lists too), values."""
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        recorded.export_chrome_trace(file.name)
        events = json.load(open(file.name))["traceEvents"]
    return {
        e["args"]["External id"]: e["args"] for e in events if e.get("cat") == "cpu_op" and "Input Dims" in e["args"]
    }


DTYPES = {
    "long int": "int64",
    "int": "int32",
    "unsigned char": "uint8",
    "c10::Half": "float16",
    "c10::BFloat16": "bfloat16",
    "float": "float32",
    "double": "float64",
    "bool": "bool",
}


def call_in_words(event, traced):
    def argument(kind, dims, value):
        if kind == "TensorList":
            return "[" + ", ".join(f"T{d}".replace(" ", "") for d in dims) + "]"
        if kind in DTYPES:
            return f"{DTYPES[kind]}{dims}".replace(" ", "")
        return str(value) if value != "" else "None" if kind == "" else "?"

    words = [argument(*three) for three in zip(traced["Input type"], traced["Input Dims"], traced["Concrete Inputs"])]
    name = event.name.split("::")[1] + (f".{event.overload_name}" if event.overload_name else "")
    return f"{name}({', '.join(words)})"


def stream(model, run):
    """Operators [name, shapes, composite], scopes and calls of one call of `run`."""
    overloads = _ExperimentalConfig(capture_overload_names=True)
    with torch.no_grad():
        run()
        handles = mark_modules(model)
        with profile(activities=[ProfilerActivity.CPU], record_shapes=True, experimental_config=overloads) as recorded:
            run()
    for handle in handles:
        handle.remove()
    traced = traced_arguments(recorded)
    operators, scopes, calls = [], [], []
    for event in sorted(recorded.events(), key=lambda e: (e.time_range.start, -e.time_range.end, e.id)):
        around = list(ancestors(event))
        if not is_operator(event) or any(is_operator(a) for a in around):
            continue
        inside = [a.name[len(SCOPE) :] for a in around if a.name.startswith(SCOPE)]
        composite = next((s.split(": ")[1] for s in inside if s.split(": ")[1] in COMPOSITES), None)
        operators.append([event.name, event.input_shapes] + ([composite] if composite else []))
        scopes.append(inside[0] if inside else "")
        calls.append(call_in_words(event, traced[event.id]))
    return operators, scopes, calls


def write(name, path, maker):
    started = time.time()
    model, run, config = maker()
    operators, scopes, calls = stream(model, run)
    head = {
        "model": name,
        "torch": torch.__version__,
        "device": "cpu",
        "dtype": str(next(model.parameters()).dtype).removeprefix("torch."),
        "parameters": sum(p.numel() for p in model.parameters()),
        "config": config,
    }
    lines = ",\n".join(json.dumps(o, separators=(",", ":")) for o in operators)
    text = (
        json.dumps(head)[:-1]
        + ', "operators": [\n'
        + lines
        + '\n],\n"scopes": '
        + json.dumps(scopes)
        + ',\n"calls": '
        + json.dumps(calls)
        + "}\n"
    )
    path.write_text(text)
    print(f"{name}: {len(operators)} operators, {time.time() - started:.0f} s", flush=True)


def main(arguments):
    if arguments[0] == "--cases":
        folders = [pathlib.Path(folder) for folder in arguments[1:]]
        jobs = [(f.name, f / "operators.json", functools.partial(stream_models.numerics_case, f)) for f in folders]
    else:
        output = pathlib.Path(arguments[0])
        output.mkdir(parents=True, exist_ok=True)
        names = arguments[1:] or stream_models.MODELS
        jobs = [(name, output / (name.replace(":", "-") + ".json"), stream_models.MODELS[name]) for name in names]
    for name, path, maker in jobs:
        try:
            write(name, path, maker)
        except Exception as error:  # one model's failure does not end the run
            print(f"{name}: FAILED: {type(error).__name__}: {error}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
