#!/usr/bin/env python3
"""How fast `nongemm analyze` reads a large trace of torch.profiler, and with how much memory.

    python3 bench/traces.py [--program PROGRAM] [--fixture FILE.json.gz] [--megabytes N] [--folder FOLDER] [--rounds N]

Makes a file of N MB from a fixture, whose events come again with times and ids of their own, and reads it from a warm page
cache on two processors. Prints MB/s, peak memory over the file's size, the time compressed over that of inflating alone,
and what a file ten times as long takes for each MB (--linear). Goals stand beside them; exit code 1 when one is missed.
Other readers are measured on the same file where they are named: TRACE_PROCESSOR (Perfetto's trace_processor_shell), and
PYTHON, a Python that has HolisticTraceAnalysis or TraceLens.
"""
import argparse
import gzip
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
FIXTURE = ROOT / "../shared/fixtures/traces/kineto_gpt2_eager.json.gz"
TIMES_APART = 50_000  # microseconds between the copies; longer than the fixture
IDS_APART = 20_000
MOVED = re.compile(r'("(?:External id|correlation|id)": |"ts": )(\d+)')


def write_large(path, text, size):
    begin = text.index('"traceEvents": [') + len('"traceEvents": [')
    end = text.rindex("]")
    pieces = MOVED.split(text[begin:end])
    with open(path, "w", encoding="utf-8") as file:
        file.write(text[:begin])
        copy = 0
        while file.tell() < size:
            moved = list(pieces)
            for i in range(1, len(pieces), 3):
                apart = TIMES_APART if pieces[i].startswith('"ts') else IDS_APART
                moved[i + 1] = str(int(pieces[i + 1]) + copy * apart)
            file.write(("," if copy else "") + "".join(moved))
            copy += 1
        file.write(text[end:])
    return path.stat().st_size


def run(command):
    """Seconds and the most memory in bytes, on two processors."""
    processors = sorted(os.sched_getaffinity(0))[:2]
    begin = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                               preexec_fn=lambda: os.sched_setaffinity(0, processors))
    error = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - begin
    if status != 0:
        sys.exit(f"{command[0]} failed: {error.decode(errors='replace')}")
    return seconds, usage.ru_maxrss * 1024


def best(command, rounds):
    runs = [run(command) for _ in range(rounds)]
    return statistics.median(seconds for seconds, _ in runs), max(memory for _, memory in runs)


# How many times faster than these tools the project promises to be.
FASTER = {"HolisticTraceAnalysis": 20, "TraceLens": 60, "Perfetto": 1}


def others(path, size):
    """Other readers of the same file, those that are here: seconds by name."""
    taken = {}
    commands = {}
    if processor := os.environ.get("TRACE_PROCESSOR"):
        commands["Perfetto"] = [processor, "-Q", "select count(*) from slice", str(path)]
    if python := os.environ.get("PYTHON"):
        tools = {"HolisticTraceAnalysis": "from hta.trace_analysis import TraceAnalysis; import sys; "
                                          "TraceAnalysis(trace_files={0: sys.argv[1]}).get_gpu_kernel_breakdown()",
                 "TraceLens": "from TraceLens import TreePerfAnalyzer; import sys; "
                              "tree = TreePerfAnalyzer.from_file(sys.argv[1]); tree.get_df_gpu_timeline(); "
                              "tree.get_df_kernel_launchers_summary(tree.get_df_kernel_launchers())"}
        for name, code in tools.items():
            if subprocess.run([python, "-c", code.split(";")[0]], capture_output=True, check=False).returncode == 0:
                commands[name] = [python, "-c", code, str(path)]
    for name, command in commands.items():
        taken[name], memory = run(command)
        print(f"{name}: {size / taken[name] / 1e6:.1f} MB/s, memory {memory / size:.2f} of the file")
    return taken


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=str(ROOT / "build/release/bin/nongemm"))
    parser.add_argument("--fixture", type=pathlib.Path, default=FIXTURE)
    parser.add_argument("--megabytes", type=int, default=300)
    parser.add_argument("--folder", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--linear", action="store_true")
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(dir=options.folder))
    missed = False

    def goal(text, value, least, most):
        nonlocal missed
        held = least <= value <= most
        missed = missed or not held
        bound = f"at least {least:g}" if most == float("inf") else f"at most {most:g}"
        print(f"{text}: {value:.3g} (goal: {bound}{'' if held else ', MISSED'})")

    try:
        text = gzip.open(options.fixture, "rt", encoding="utf-8").read()
        large = folder / "large.json"
        size = write_large(large, text, options.megabytes * 1_000_000)
        analyze = [options.program, "analyze", "--format", "json"]
        run(["cat", str(large)])
        seconds, memory = best([*analyze, str(large)], options.rounds)
        goal("MB/s", size / seconds / 1e6, 400, float("inf"))
        goal("peak memory over the file", memory / size, 0, 0.25)
        packed = folder / "large.json.gz"
        with open(packed, "wb") as file:
            subprocess.run(["gzip", "-6", "-c", str(large)], stdout=file, check=True)
        inflating, _ = best(["gzip", "-dc", str(packed)], options.rounds)
        whole, _ = best([*analyze, str(packed)], options.rounds)
        goal("inflating alone over reading what is compressed", inflating / whole, 0.8, float("inf"))
        for name, taken in others(large, size).items():
            goal(f"times as fast as {name}", taken / seconds, FASTER[name], float("inf"))
        if options.linear:
            longer = write_large(large, text, options.megabytes * 10_000_000)
            more, _ = best([*analyze, str(large)], 1)
            goal("time for each MB, of ten times as much", more / longer / (seconds / size), 0, 1.2)
    finally:
        shutil.rmtree(folder)
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
