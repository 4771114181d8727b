#!/usr/bin/env python3
"""Every model of the registry in ONNX Runtime on the CPU, as a table: does it lower, load and run, how far are its outputs from
the torch flow's, and how much of the runtime's time is told to graph nodes at each optimisation level.

    python3 bench/ort_on_cpu.py [--program PROGRAM] [--seq-len N] [--levels all,none] [--json FILE] [MODEL ...] > table.md

Exit code 1 when a model that fits is not within the promised bounds: 1e-3 (boxes 1e-2 pixels), 95 % of the time at level all,
100 % at level none. A model that is refused in fp32 is tried in bf16 and fp16, and its row says why each was refused.
Times are those of one inference: no measurements.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time

LEVELS = ["none", "basic", "extended", "all"]
MOST_DIFFERENCE = 1e-3
MOST_BOX_DIFFERENCE = 1e-2  # pixels
LEAST_MAPPED = {"none": 1.0, "all": 0.95}


def registry(program):
    """Name and whether it takes tokens, for each line of `list models`."""
    lines = subprocess.run([program, "list", "models"], check=True, text=True, capture_output=True).stdout.splitlines()
    return {line.split()[0]: line.endswith("tokens") for line in lines[1:]}


def run(program, model, options):
    with tempfile.TemporaryDirectory() as folder:
        command = [program, "run", model, "--flow", "ort", "--iterations", "1", "--warmup", "0", "--no-limits", "--format",
                   "json", "--output", folder, *options]
        done = subprocess.run(command, text=True, capture_output=True)
        report = pathlib.Path(folder, "report.json")
        if not report.exists():
            return {"status": f"exit code {done.returncode}", "reason": done.stderr.strip(), "sections": {}}
        return json.loads(report.read_text())["points"][0]


def is_refused(point):
    return "fusion" not in point.get("sections", {})


def difference(rows, boxes):
    """Largest difference of the outputs that are boxes, or of the others; None without any."""
    values = [row["absolute"] for row in rows if row["output"].endswith(".boxes") == boxes and row.get("absolute") is not None]
    return max(values) if values else None


def number(value, form):
    return "-" if value is None else form.format(value)


def measure(program, model, dtype, levels, options):
    """Cells, and what is wrong."""
    wrong = []
    first = run(program, model, [*options, "--dtype", dtype, "--check", "--set", "ort.level=" + levels[0]])
    if is_refused(first):
        return None, first
    shares = {}
    for level in levels:
        point = first if level == levels[0] else run(program, model, [*options, "--dtype", dtype, "--set", "ort.level=" + level])
        if is_refused(point):
            wrong.append(f"level {level}: {point['status']}: {point['reason']}")
            continue
        fusion = point["sections"]["fusion"]
        shares[level] = (fusion["mapped_time"], fusion["mapped_steps"], fusion["steps"])
        if fusion["mapped_time"] < LEAST_MAPPED.get(level, 0.0):
            wrong.append(f"{fusion['mapped_time']:.2%} mapped at level {level}")
    sections = first["sections"]
    performance = sections["performance"]
    others, boxes = difference(sections["check"], False), difference(sections["check"], True)
    wrong += [row["mismatch"] for row in sections["check"] if row.get("mismatch")]
    if dtype == "fp32" and ((others or 0) > MOST_DIFFERENCE or (boxes or 0) > MOST_BOX_DIFFERENCE):
        wrong.append(f"outputs differ by {others:.1e}" + (f", boxes by {boxes:.1e} pixels" if boxes else ""))
    cells = [f"{performance['setup']:.1f}", f"{performance['latency']:.2f}", number(others, "{:.1e}"), number(boxes, "{:.1e}")]
    cells += [f"{shares[level][0]:.2%} ({shares[level][2]})" if level in shares else "-" for level in LEVELS]
    cells.append(f"{sections['fusion']['rate']:.1%}")
    return cells, wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/release/bin/nongemm")
    parser.add_argument("--seq-len", help="tokens of language models (default: the registry's)")
    parser.add_argument("--levels", default="all,none,basic,extended", help="the first is the one whose outputs are checked")
    parser.add_argument("models", nargs="*", help="default: all")
    arguments = parser.parse_args()
    models = registry(arguments.program)
    failed = False
    print("| model | dtype | load s | run s | max difference | boxes, pixels | none | basic | extended | all | fusion rate |\n"
          "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|", flush=True)
    for model in arguments.models or models:
        options = ["--seq-len", arguments.seq_len] if arguments.seq_len and models.get(model) else []
        begin = time.time()
        for dtype in ("fp32", "bf16", "fp16"):
            cells, rest = measure(arguments.program, model, dtype, arguments.levels.split(","), options)
            if cells is not None:
                print("| " + " | ".join([model, dtype, *cells]) + " |", flush=True)
                if rest:
                    failed = True
                    print(f"{model} {dtype}: {'; '.join(rest)}", file=sys.stderr, flush=True)
                break
            reason = rest["reason"].splitlines()[0] if rest["reason"] else ""
            print(f"| {model} | {dtype} | {rest['status']}: {reason} |" + " |" * 8, flush=True)
            if rest["status"] not in ("out-of-memory", "unsupported"):
                failed = True
                break
        print(f"{model}: {time.time() - begin:.0f} s", file=sys.stderr, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
