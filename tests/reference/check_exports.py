#!/usr/bin/env python3
"""Exports models as .pt2, loads them with torch.export.load and holds the outputs against ours.

  check_exports.py --nongemm build/ci/bin/nongemm [NAME | CASE ...]

NAME is a model of the registry (all without a name, smallest first, up to --parameters): it runs on the sample inputs of the
file, and `nongemm verify` compares what our torch flow makes of the file with what Python did. CASE is a folder of
tests/data/numerics: Python's outputs are compared with the references that stand there. Needs torch 2.11, torchvision for
R-CNN, safetensors.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile
import time
import warnings

import safetensors.torch
import torch

TOLERANCE = 1e-4  # relative to the largest magnitude where that is above 1, as `nongemm verify` has it


def registered(nongemm, most):
    """Names by falling number of parameters, from the table that `list models` prints."""
    units = {"M": 1e6, "B": 1e9, "k": 1e3}
    rows = []
    for line in subprocess.run([nongemm, "list", "models"], capture_output=True, text=True, check=True).stdout.splitlines()[1:]:
        words = line.split()
        size = next((float(a) * units[b] for a, b in zip(words, words[1:]) if b in units and a.replace(".", "").isdigit()), None)
        if size is not None and size <= most:
            rows.append((size, words[0]))
    return [name for _, name in sorted(rows)]


def export(nongemm, model, path, options):
    done = subprocess.run([nongemm, "export", model, str(path), *options], capture_output=True, text=True)
    if done.returncode != 0 and "--seq-len" in done.stderr:
        done = subprocess.run([nongemm, "export", model, str(path)], capture_output=True, text=True)
    return "" if done.returncode == 0 else done.stderr.strip().replace("\n", " ")


def run(path, inputs):
    program = torch.export.load(path)
    with torch.no_grad():
        if inputs is None:
            args, kwargs = program.example_inputs
        else:
            args, kwargs = program.example_inputs
            named = [inputs[key] for key in inputs if key.isdigit()]
            args = tuple(named) if named else args
            kwargs = {key: inputs.get(key, value) for key, value in kwargs.items()}
        outputs = program.module()(*args, **kwargs)
    given = {str(i): value for i, value in enumerate(args)} | kwargs
    return program, given, outputs


def difference(found, wanted):
    scale = max(1.0, wanted.float().abs().max().item()) if wanted.numel() else 1.0
    return (found.float() - wanted.float()).abs().max().item() / scale if wanted.numel() else 0.0


def check_case(nongemm, folder):
    with tempfile.TemporaryDirectory() as scratch:
        path = pathlib.Path(scratch) / "model.pt2"
        if refused := export(nongemm, str(folder), path, ["--inputs", str(folder / "inputs.safetensors")]):
            return "refused", refused
        _, _, outputs = run(path, safetensors.torch.load_file(folder / "inputs.safetensors"))
    wanted = safetensors.torch.load_file(folder / "outputs.safetensors")
    both = wanted.keys() & outputs.keys()
    worst = max((difference(outputs[name], wanted[name]) for name in both), default=float("inf"))
    return ("ok" if worst <= TOLERANCE else "differs"), f"{len(both)} outputs, {worst:.1e}"


def check_model(nongemm, name):
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        if refused := export(nongemm, name, folder / "model.pt2", ["--seq-len", "16"]):
            return "refused", refused
        program, inputs, outputs = run(folder / "model.pt2", None)
        # What the file calls its inputs, positional ones as well.
        names = [spec.arg.name for spec in program.graph_signature.input_specs if spec.kind.name == "USER_INPUT"]
        contiguous = {key: value.contiguous().clone() for key, value in zip(names, inputs.values())}
        safetensors.torch.save_file(contiguous, folder / "inputs.safetensors")
        safetensors.torch.save_file({key: value.contiguous().clone() for key, value in outputs.items()}, folder / "outputs.safetensors")
        del program
        done = subprocess.run([nongemm, "verify", scratch], capture_output=True, text=True)
    last = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    return ("ok" if done.returncode == 0 else "differs"), " | ".join(line.strip() for line in last[-3:])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nongemm", default="build/ci/bin/nongemm")
    parser.add_argument("--parameters", type=float, default=2e8, help="of the largest model taken without names")
    parser.add_argument("names", nargs="*")
    asked = parser.parse_args()
    warnings.filterwarnings("ignore")
    try:
        import torchvision  # noqa: F401  R-CNN's operators
    except ImportError:
        pass
    missed = 0
    for name in asked.names or registered(asked.nongemm, asked.parameters):
        begin = time.monotonic()
        folder = pathlib.Path(name)
        try:
            state, what = check_case(asked.nongemm, folder) if folder.is_dir() else check_model(asked.nongemm, name)
        except Exception as error:  # one model does not end the others
            state, what = "failed", str(error).strip().splitlines()[-1][:300]
        missed += state in ("differs", "failed")
        print(f"{state:8} {name}: {what} ({time.monotonic() - begin:.0f} s)", flush=True)
    sys.exit(missed > 0)


if __name__ == "__main__":
    main()
