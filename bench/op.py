#!/usr/bin/env python3
"""Holds `nongemm op` against bare loops around the same ATen calls, and its medians against each other.

    op.py [--nongemm build/release/bin/nongemm] [--reference build/release/bin/operator_benchmark] [--turns 5] [OPERATOR/SHAPE...]

Both take turns, so that a host whose speed drifts slows both alike. Per operator: the bare loop's time over ours (goal 0.9: what a bandwidth-bound
operator reaches of what a bare loop shows), and how far the medians of two of our runs that follow one another differ (goal 5 %, on a machine on
which the bare loop's own medians do not differ by as much). The exit code is 1 when a goal is missed.
"""
import argparse
import json
import statistics
import subprocess
import sys

MOST_APART = 0.05


def reference(program, name, seconds):
    """Seconds of one call: the median over repetitions."""
    answer = subprocess.run([program, f"--benchmark_filter=^{name}/real_time$", f"--benchmark_min_time={seconds / 5}",
                             "--benchmark_repetitions=5", "--benchmark_format=json"],
                            check=True, capture_output=True, text=True)
    rows = json.loads(answer.stdout)["benchmarks"]
    scale = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}
    return statistics.median(row["real_time"] * scale[row["time_unit"]] for row in rows if row["run_type"] == "iteration")


def ours(program, name, seconds):
    operator, shape = name.split("/")
    answer = subprocess.run([program, "op", operator, "--shape", shape, "--no-limits", "--max-seconds", str(seconds), "--format", "json"],
                            check=True, capture_output=True, text=True)
    return json.loads(answer.stdout)["points"][0]["sections"]["op"]["time"]


def apart(medians):
    """By how much medians that follow one another differ: the median of that."""
    return statistics.median([max(a, b) / min(a, b) - 1 for a, b in zip(medians, medians[1:])] or [0.0])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("operators", nargs="*", default=["layer_norm/1x2048x4096", "softmax/1x12x1024x1024", "add/4096x4096", "gelu/1x2048x4096",
                                                         "relu/1x64x112x112", "mul/1x256x3072", "add/1x256x768"])
    parser.add_argument("--nongemm", default="build/release/bin/nongemm")
    parser.add_argument("--reference", default="build/release/bin/operator_benchmark")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each side in each turn")
    args = parser.parse_args()
    missed = False
    for name in args.operators:
        bare, medians = [], []
        for _ in range(args.turns):
            bare.append(reference(args.reference, name, args.seconds))
            medians.append(ours(args.nongemm, name, args.seconds))
        ratios = [theirs / own for theirs, own in zip(bare, medians)]
        ratio = statistics.median(ratios)
        quiet = apart(bare) < MOST_APART
        repeatable = apart(medians) < MOST_APART
        missed |= ratio < 0.9 or (quiet and not repeatable)
        label = f"op {name}: bare loop / ours"
        print(f"{label:<58} {ratio:8.3f}   goal >= 0.9   {'ok' if ratio >= 0.9 else 'MISSED'}   ({min(ratios):.2f} to {max(ratios):.2f}; "
              f"{statistics.median(medians) * 1e6:.1f} us)")
        verdict = "ok" if repeatable else "MISSED" if quiet else "not judged: this machine is not quiet"
        print(f"{'':<40}two runs differ by {apart(medians):8.1%}   goal < {MOST_APART:.0%}     {verdict}   (bare loops by {apart(bare):.1%})", flush=True)
    sys.exit(1 if missed else 0)


main()
