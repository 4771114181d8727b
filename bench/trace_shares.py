#!/usr/bin/env python3
"""The groups' shares of kernel time, from a trace of torch.profiler and from `nongemm run`: same model, same machine.

    python3 bench/trace_shares.py --program PROGRAM [--dtype fp16] [--folder FOLDER] [MODEL...]

Records one trace of each model in eager PyTorch (with_stack, record_shapes), runs `nongemm analyze` on it and `nongemm run` on the
model, and prints both shares, their largest difference, and the kernels' time of both. Goal: 2 points. Exit code 1 when missed.
"""
import argparse
import json
import pathlib
import subprocess
import sys

import python_models


def record(name, dtype, path):
    import torch
    from torch.profiler import ProfilerActivity, profile

    _, call = python_models.make(name, 1, dtype, "cuda", "sdpa")
    for _ in range(10):
        call()
    torch.cuda.synchronize()
    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA], record_shapes=True, with_stack=True) as records:
        for _ in range(3):
            call()
        torch.cuda.synchronize()
    records.export_chrome_trace(str(path))
    return 3


def report(command, folder):
    subprocess.run([*command, "--format", "json", "--output", str(folder)], check=True, stdout=subprocess.DEVNULL)
    return json.loads((folder / "report.json").read_text())["points"][0]["sections"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=["gpt2", "swin-t", "bert", "detr"])
    parser.add_argument("--program", required=True)
    parser.add_argument("--dtype", default="fp16")
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path("trace-shares"))
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    missed = False
    for name in args.models:
        trace = args.folder / f"{name}.json"
        runs = record(name, args.dtype, trace)
        theirs = report([args.program, "analyze", str(trace)], args.folder / f"{name}-trace")
        ours = report([args.program, "run", name, "--device", "cuda", "--dtype", args.dtype, "--max-seconds", "1",
                       "--no-limits"], args.folder / f"{name}-run")
        times = [{row["group"]: row["time"] for row in sections["groups"] if row["time"]} for sections in (theirs, ours)]
        sums = [sum(group.values()) for group in times]
        print(f"{name}: kernels {sums[0] / runs * 1e3:.3f} ms of an inference in the trace, {sums[1] * 1e3:.3f} ms in the run")
        largest = 0.0
        for group in sorted(set(times[0]) | set(times[1]), key=lambda g: -times[1].get(g, 0)):
            shares = [100 * side.get(group, 0) / total for side, total in zip(times, sums)]
            largest = max(largest, abs(shares[0] - shares[1]))
            print(f"  {group:28} trace {shares[0]:5.1f} %  run {shares[1]:5.1f} %")
        print(f"  largest difference {largest:.2f} points (goal: at most 2{', MISSED' if largest > 2 else ''})")
        missed |= largest > 2
        trace.unlink()
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
