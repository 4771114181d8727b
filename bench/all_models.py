#!/usr/bin/env python3
"""Every model of the registry once on the CPU, as a table: does it run in this machine's memory, is every operator in a
group, do the reports have their parts. Exit code 1 when one does not.

    python3 bench/all_models.py [--program PROGRAM] [--seq-len N] [MODEL ...] > table.md

A model that is refused in fp32 for want of memory runs in bf16. Times are those of one inference: no measurements.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

MOST_OTHER = 0.01  # share of the latency that operators without a group may take


def registry(program):
    """Name and whether it takes tokens, for each line of `list models`."""
    lines = subprocess.run([program, "list", "models"], check=True, text=True, capture_output=True).stdout.splitlines()
    return {line.split()[0]: line.endswith("tokens") for line in lines[1:]}


def run(program, model, options):
    with tempfile.TemporaryDirectory() as folder:
        command = [program, "run", model, "--iterations", "1", "--warmup", "0", "--no-limits", "--output", folder, *options]
        done = subprocess.run(command, text=True, capture_output=True)
        report = pathlib.Path(folder, "report.json")
        if not report.exists():
            return {"status": f"exit code {done.returncode}", "reason": done.stderr.strip()}
        return json.loads(report.read_text())["points"][0]


def row_of(point):
    """Cells of a row, and what is wrong with it."""
    if "performance" not in point.get("sections", {}):
        return [point["status"] + ": " + point["reason"].splitlines()[0], *["-"] * 6], None
    sections = point["sections"]
    performance = sections["performance"]
    groups = {group["group"]: group["share"] for group in sections["groups"]}
    other = groups.get("Other", 0.0)
    wrong = [f"{other:.1%} of the time in no group"] if other > MOST_OTHER else []
    wrong += ["no dominant group"] if not performance["dominant_group"] else []
    wrong += ["no traits"] if not sections["variants"] else []
    wrong += [point["status"] + ": " + point["reason"]] if point["status"] != "ok" else []
    dominant = performance["dominant_group"] or "-"
    return [point["status"], f"{performance['latency']:.3f}", f"{performance['nongemm_share']:.1%}", f"{other:.2%}",
            f"{dominant} ({groups.get(dominant, 0):.1%})", str(len(sections["variants"])),
            f"{performance['peak_memory'] / 1e9:.2f}"], "; ".join(wrong) or None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/release/bin/nongemm")
    parser.add_argument("--seq-len", help="tokens of language models (default: the registry's)")
    parser.add_argument("models", nargs="*", help="default: all")
    arguments = parser.parse_args()
    models = registry(arguments.program)
    failed = False
    print("| model | dtype | status | latency s | non-GEMM | Other | dominant non-GEMM group | variants with traits | "
          "peak GB |\n|---|---|---|---:|---:|---:|---|---:|---:|", flush=True)
    for model in arguments.models or models:
        length = ["--seq-len", arguments.seq_len] if arguments.seq_len and models[model] else []
        for dtype in ("fp32", "bf16"):
            point = run(arguments.program, model, ["--dtype", dtype, *length])
            cells, wrong = row_of(point)
            refused = point["status"] == "out-of-memory"
            print("| " + " | ".join([model, dtype, *cells]) + " |", flush=True)
            if not refused:
                break
        if refused or wrong or "performance" not in point["sections"]:
            failed = True
            print(f"{model}: {wrong or point['reason']}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
