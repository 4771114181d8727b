#!/usr/bin/env python3
"""Takes turns between Python eager and nongemm, so that a host whose speed drifts slows both alike.

    turns.py MODEL... --nongemm build/release/bin/nongemm [--device cuda] [--dtype fp16] [--turns 5] [--goal 1.0]

Prints, per model, Python's latency over ours: the median over turns of the ratio of both sides' medians, and beside it the ratio
of the fastest turns, which a host of two speeds disturbs least. A model whose Python side
is not installed is skipped with the reason. The exit code is 1 when a ratio is below the goal.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile


class Python:
    """python_eager.py, answering."""

    def __init__(self, python, model, options):
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "python_eager.py")
        self.process = subprocess.Popen([python, script, model, *options], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def latencies(self, count):
        """None when it has ended."""
        try:
            self.process.stdin.write(f"{count}\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            return None
        line = self.process.stdout.readline()
        return json.loads(line) if line else None

    def end(self):
        """What it said last."""
        _, errors = self.process.communicate()
        lines = errors.strip().splitlines()
        return lines[-1] if lines else f"exit code {self.process.returncode}"


def ours(nongemm, model, options, count, warmup):
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([nongemm, "run", model, *options, "--no-limits", "--iterations", str(count), "--warmup",
                        str(warmup), "--format", "json", "--output", folder],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with open(os.path.join(folder, "report.json"), encoding="utf-8") as file:
            return json.load(file)["points"][0]


def compare(model, args, options):
    python = Python(args.python, model, [*options, "--mode", args.mode])
    if python.latencies(args.warmup) is None:
        return python.end(), None
    ratios, python_ms, our_ms = [], [], []
    for _ in range(args.turns):
        theirs = python.latencies(args.iterations)
        point = ours(args.nongemm, model, options, args.iterations, args.warmup)
        if theirs is None or point["status"] != "ok":
            return f"{python.end()}; ours: {point['status']} {point['reason']}", None
        python_ms.append(statistics.median(theirs) * 1e3)
        our_ms.append(statistics.median(point["samples"]["latency"]) * 1e3)
        ratios.append(python_ms[-1] / our_ms[-1])
    python.end()
    row = {"ratio": statistics.median(ratios), "least": min(ratios), "most": max(ratios),
           "python_ms": statistics.median(python_ms), "our_ms": statistics.median(our_ms), "turns": len(ratios),
           "fastest": min(python_ms) / min(our_ms), "python_turns_ms": python_ms, "our_turns_ms": our_ms}
    return "", row


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+")
    parser.add_argument("--nongemm", default="build/release/bin/nongemm")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="fp32")
    parser.add_argument("--batch", default="1")
    parser.add_argument("--mode", default="no_grad", choices=["no_grad", "inference_mode"], help="of Python's side")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--iterations", type=int, default=8)
    parser.add_argument("--warmup", type=int, default=3)
    parser.add_argument("--goal", type=float, default=1.0)
    parser.add_argument("--output", help="JSON of all ratios")
    args = parser.parse_args()
    options = ["--device", args.device, "--dtype", args.dtype, "--batch", args.batch]
    rows, missed = {}, False
    for model in args.models:
        reason, row = compare(model, args, options)
        name = f"{model}: Python eager ({args.mode}) / ours"
        if row is None:
            print(f"{name}: skipped, {reason}")
            continue
        rows[model] = row
        kept = row["ratio"] >= args.goal
        missed |= not kept
        print(f"{name:<58} {row['ratio']:8.3f}   goal >= {args.goal:g}   {'ok' if kept else 'MISSED'}   "
              f"({row['python_ms']:.2f} ms against {row['our_ms']:.2f} ms; {row['least']:.2f} to {row['most']:.2f} in {row['turns']} turns, "
              f"fastest {row['fastest']:.2f})",
              flush=True)
    if args.output:
        with open(args.output, "w", encoding="utf-8") as file:
            json.dump(rows, file, indent=1)
    sys.exit(1 if missed else 0)


main()
