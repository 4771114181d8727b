#!/usr/bin/env python3
"""How often `nongemm compare` is wrong, on this machine as it is.

Compares a run with itself (at most 2 % may be called faster or slower at a tolerance of 3 %), then with one in which a custom
library (examples/slowed_operator) makes an operator slower, so that the model takes 10 % longer (at least 95 % have to be found).

    bench/compare_trials.py [--same 200] [--changed 100] [--turns 13] [--build build/release]
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
# A BERT that takes about a millisecond; its GELUs are what the library slows.
CONFIG = {"model_type": "bert", "vocab_size": 100, "hidden_size": 128, "num_hidden_layers": 4, "num_attention_heads": 2,
          "intermediate_size": 256, "max_position_embeddings": 64}
RUN = "--no-limits --seq-len 64 --threads 1 --warmup 20 --iterations 60"


def report_of(words, folder, environment):
    out = pathlib.Path(folder) / "out"
    done = subprocess.run([*words, "--output", str(out)], env=environment, capture_output=True, text=True)
    try:
        return json.loads((out / "report.json").read_text())
    except FileNotFoundError:
        sys.exit(f"{' '.join(words)}:\n{done.stdout}{done.stderr}")


def verdicts(program, base, new, count, turns, folder, environment):
    found = []
    used = []
    begin = time.monotonic()
    for trial in range(count):
        words = [program, "compare", "--run", base, "--run", new, "--processes", str(turns)]
        row = report_of(words, folder, environment)["points"][0]["sections"]["comparison"][0]
        found.append(row["verdict"])
        used.append(row["processes"])
        print(f"\r{trial + 1}/{count} {row['verdict']} {row['ratio']:.3f} [{row['low']:.3f}, {row['high']:.3f}], "
              f"{row['processes']} turns    ", end="", file=sys.stderr)
    print(file=sys.stderr)
    shares = {verdict: found.count(verdict) / count for verdict in sorted(set(found))}
    print(f"{count} trials, {statistics.median(used):.0f} turns (median), {time.monotonic() - begin:.0f} s: "
          + ", ".join(f"{verdict} {share:.1%}" for verdict, share in shares.items()), flush=True)
    return shares


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--same", type=int, default=200)
    parser.add_argument("--changed", type=int, default=100)
    parser.add_argument("--turns", type=int, default=13)
    parser.add_argument("--build", default=ROOT / "build/release", type=pathlib.Path)
    options = parser.parse_args()
    program = str(options.build.absolute() / "bin/nongemm")
    library = options.build.absolute() / "lib/nongemm/examples/libexample_slowed_gelu.so"
    environment = dict(os.environ)
    fine = True
    with tempfile.TemporaryDirectory() as folder:
        model = pathlib.Path(folder) / "model"
        model.mkdir()
        (model / "config.json").write_text(json.dumps(CONFIG))
        base = f"{model} {RUN}"
        if options.same:
            print("a run with itself: ", end="", flush=True)
            shares = verdicts(program, base, base, options.same, options.turns, folder, environment)
            wrong = shares.get("faster", 0) + shares.get("slower", 0)
            print(f"false alarms {wrong:.1%} (at most 2 %)")
            fine = fine and wrong <= 0.02
        if options.changed:
            report = report_of([program, "run", *base.split(), "--processes", "5"], folder, environment)
            latency = statistics.median(p["sections"]["performance"]["latency"] for p in report["points"])
            calls = CONFIG["num_hidden_layers"]
            environment["EXAMPLE_SLOW_US"] = str(0.1 * latency / calls * 1e6)
            print(f"latency {latency * 1e3:.2f} ms, GELU slower by {environment['EXAMPLE_SLOW_US']} us: ", end="", flush=True)
            shares = verdicts(program, base, f"{base} --load-library {library}", options.changed, options.turns, folder,
                              environment)
            print(f"found {shares.get('slower', 0):.1%} (at least 95 %)")
            fine = fine and shares.get("slower", 0) >= 0.95
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
