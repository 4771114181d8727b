#!/usr/bin/env python3
"""Damages the .pt2 files of the tests in their meaning and looks for crashes in what reads them.

  tools/damage_pt2.py [--nongemm build/asan/bin/nongemm] [--seconds 60] [--seed 0] [--keep FOLDER]

A fuzzer of bytes seldom gets past a zip's checksums and JSON's syntax. This changes shapes, integers and operands of a valid
program, one to three at a time, and has `inspect` and `export` read it: shape, cost and lowering rules see what no exporter writes. An
error is the right answer; a signal, a sanitizer's message or 60 seconds without an answer is a finding, kept in FOLDER
(default: build/damaged). Use a build with sanitizers (cmake --preset asan). The exit code is 1 when there are findings.
"""
import argparse
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent


def damaged_integer(rng, value):
    return rng.choice([0, -1, 1, 2, -2, 7, 2**31, 2**62, -2**63, value + 1, value - 1])


def damage_shape(rng, tensor):
    sizes, strides = tensor["sizes"], tensor["strides"]
    kind = rng.choice(["shorter", "longer", "other"])
    if kind == "shorter":
        place = rng.randrange(len(sizes) + 1)
        del sizes[place:]
        del strides[place:]
    elif kind == "longer":
        sizes.insert(0, {"as_int": rng.choice([1, 2, 3])})
        strides.insert(0, {"as_int": 1})
    elif sizes:
        place = rng.randrange(len(sizes))
        old = sizes[place].get("as_int", 3) if isinstance(sizes[place], dict) else 3
        sizes[place] = {"as_int": damaged_integer(rng, old)}


def damage_list(rng, values, new):
    if values and rng.random() < 0.5:
        values[rng.randrange(len(values))] = new
    elif rng.random() < 0.5:
        del values[rng.randrange(len(values) + 1):]
    else:
        values.append(new)


def damage_argument(rng, argument, tensors):
    kind = next(iter(argument))
    if kind == "as_int":
        argument[kind] = damaged_integer(rng, argument[kind])
    elif kind == "as_float":
        argument[kind] = rng.choice([0, -1.0, 1e300, "Infinity"])
    elif kind == "as_ints":
        damage_list(rng, argument[kind], damaged_integer(rng, 1))
    elif kind == "as_tensor":
        argument[kind] = {"name": rng.choice(tensors)}
    elif kind == "as_tensors":
        damage_list(rng, argument[kind], {"name": rng.choice(tensors)})


def damage(rng, program):
    graph = program["graph_module"]["graph"]
    tensors = list(graph["tensor_values"])
    for _ in range(rng.choice([1, 1, 2, 3])):
        if rng.random() < 0.6:
            damage_shape(rng, graph["tensor_values"][rng.choice(tensors)])
        else:
            node = rng.choice([node for node in graph["nodes"] if node["inputs"]])
            damage_argument(rng, rng.choice(node["inputs"])["arg"], tensors)


def members_of(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def program_in(members):
    """The member that holds the program: newer archives have several JSON files."""
    named = [name for name in members if name.endswith("models/model.json")]
    return (named or [name for name in members if name.endswith(".json") and b"graph_module" in members[name]])[0]


def finding_of(command, limit):
    """What is wrong with how the command ended; empty when nothing is."""
    environment = dict(os.environ, ASAN_OPTIONS="detect_leaks=0:allocator_may_return_null=1", UBSAN_OPTIONS="print_stacktrace=1")
    try:
        answer = subprocess.run(command, capture_output=True, text=True, errors="replace", env=environment, timeout=limit)
    except subprocess.TimeoutExpired:
        return f"no answer in {limit} s"
    messages = [line for line in answer.stderr.splitlines() if "runtime error" in line or "Sanitizer" in line]
    if messages:
        return messages[0]
    return f"signal {-answer.returncode}" if answer.returncode < 0 else ""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nongemm", default=str(ROOT / "build/asan/bin/nongemm"))
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=pathlib.Path, default=ROOT / "build/damaged")
    args = parser.parse_args()
    if not os.access(args.nongemm, os.X_OK):
        sys.exit(f"{args.nongemm} is no program: cmake --preset asan && cmake --build build/asan, or name one with --nongemm")
    sources = sorted((ROOT / "tests/data/import").glob("*/model.pt2"))
    archives = {path: members_of(path) for path in sources}
    rng = random.Random(args.seed)
    end = time.monotonic() + args.seconds
    tried = findings = 0
    with tempfile.TemporaryDirectory() as folder:
        victim = pathlib.Path(folder, "damaged.pt2")
        while time.monotonic() < end:
            source = rng.choice(sources)
            members = dict(archives[source])
            name = program_in(members)
            program = json.loads(members[name])
            damage(rng, program)
            members[name] = json.dumps(program).encode()
            with zipfile.ZipFile(victim, "w", zipfile.ZIP_STORED) as archive:
                for member, content in members.items():
                    archive.writestr(member, content)
            for command in (["inspect", str(victim), "--format", "json"], ["export", str(victim), str(victim.with_suffix(".onnx"))]):
                tried += 1
                finding = finding_of([args.nongemm, *command], limit=60)
                if not finding:
                    continue
                findings += 1
                args.keep.mkdir(parents=True, exist_ok=True)
                kept = args.keep / f"{args.seed}_{tried}.pt2"
                kept.write_bytes(victim.read_bytes())
                print(f"{kept} ({source.parent.name}), {command[0]}: {finding}", flush=True)
    print(f"{tried} commands on damaged files, {findings} findings (seed {args.seed})")
    sys.exit(1 if findings else 0)


if __name__ == "__main__":
    main()
