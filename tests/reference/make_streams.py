"""Writes operator streams: what PyTorch eager dispatches for one inference, outermost calls only, in order.

    python make_streams.py OUTPUT [NAME ...]        NAME from stream_models.MODELS; all when none is given

torch.profiler on the CPU, under no_grad, eval mode: every `aten::`/`torchvision::` event without such an event around it,
in order of start. A file holds {"model", ..., "config", "operators", "scopes"}: operators as
[operator, input shapes, composite module type where there is one], scopes[i] the module path and type that operator i ran in.
"""

import json
import pathlib
import sys
import time
import warnings

import torch
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


def stream(model, run):
    """[operator, shapes, composite], and the scopes, of one call of `run`."""
    with torch.no_grad():
        run()
        handles = mark_modules(model)
        with profile(activities=[ProfilerActivity.CPU], record_shapes=True) as recorded:
            run()
    for handle in handles:
        handle.remove()
    operators, scopes = [], []
    for event in sorted(recorded.events(), key=lambda e: (e.time_range.start, -e.time_range.end, e.id)):
        around = list(ancestors(event))
        if not is_operator(event) or any(is_operator(a) for a in around):
            continue
        inside = [a.name[len(SCOPE) :] for a in around if a.name.startswith(SCOPE)]
        composite = next((s.split(": ")[1] for s in inside if s.split(": ")[1] in COMPOSITES), None)
        operators.append([event.name, event.input_shapes] + ([composite] if composite else []))
        scopes.append(inside[0] if inside else "")
    return operators, scopes


def write(name, output):
    started = time.time()
    model, run, config = stream_models.MODELS[name]()
    operators, scopes = stream(model, run)
    head = {
        "model": name,
        "torch": torch.__version__,
        "device": "cpu",
        "dtype": str(next(model.parameters()).dtype).removeprefix("torch."),
        "parameters": sum(p.numel() for p in model.parameters()),
        "config": config,
    }
    lines = ",\n".join(json.dumps(o, separators=(",", ":")) for o in operators)
    text = json.dumps(head)[:-1] + ', "operators": [\n' + lines + '\n],\n"scopes": ' + json.dumps(scopes) + "}\n"
    (output / (name.replace(":", "-") + ".json")).write_text(text)
    print(f"{name}: {len(operators)} operators, {time.time() - started:.0f} s", flush=True)


def main(arguments):
    output = pathlib.Path(arguments[0])
    output.mkdir(parents=True, exist_ok=True)
    for name in arguments[1:] or stream_models.MODELS:
        try:
            write(name, output)
        except Exception as error:  # one model's failure does not end the run
            print(f"{name}: FAILED: {type(error).__name__}: {error}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
