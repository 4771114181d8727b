#!/usr/bin/env python3
"""`--launcher slurm` on a real Slurm of one node: all points there once, what the driver costs, and what is killed goes on.

    bench/slurm_sweep.py [--points 1000] [--per-task 100] [--build build/release]

Exit code 77 where there is no Slurm, or no right to start one (root): Debian's slurm-wlm and munge.
"""
import argparse
import collections
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import slurm_here

ROOT = pathlib.Path(__file__).resolve().parent.parent
CONFIG = {"model_type": "gpt2", "vocab_size": 50, "n_positions": 64, "n_embd": 8, "n_layer": 1, "n_head": 2}


def check(out, wanted):
    keys = collections.Counter()
    for line in (out / "journal.jsonl").read_text().splitlines():
        line = json.loads(line)["line"]
        if "point" in line:
            keys[line["point"]["key"]] += 1
    report = json.loads((out / "report.json").read_text())["points"]
    bad = [point["reason"] for point in report if point["status"] != "ok"]
    if bad or sorted(keys) != sorted(wanted) or max(keys.values()) > 1 or [p["key"] for p in report] != wanted:
        sys.exit(f"lost {len(set(wanted) - set(keys))}, repeated {sum(n > 1 for n in keys.values())}, failed: {bad[:3]}")


def journaled(out):
    return sum(text.read_text().count('"point":{') for text in (out / "slurm").glob("journal.*"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=1000)
    parser.add_argument("--per-task", type=int, default=100)
    parser.add_argument("--largest-array", type=int, default=6)
    parser.add_argument("--build", default=ROOT / "build/release", type=pathlib.Path)
    options = parser.parse_args()
    if not slurm_here.is_there():
        print("no Slurm here, or no right to start one")
        return 77
    program = str(options.build.absolute() / "bin/nongemm")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "model").mkdir()
        (folder / "model/config.json").write_text(json.dumps(CONFIG))
        lengths = min(64, options.points)
        batches = -(-options.points // lengths)
        words = [program, "run", str(folder / "model"), "--seq-len", ",".join(map(str, range(1, lengths + 1))), "--batch",
                 ",".join(map(str, range(1, batches + 1))), "--iterations", "1", "--warmup", "0", "--threads", "1", "--no-limits"]
        listed = subprocess.run([*words, "--list"], check=True, capture_output=True, text=True).stdout
        wanted = [line.split("\t")[0] for line in listed.splitlines()]
        with slurm_here.Slurm(folder / "here", max_array_size=options.largest_array) as slurm:
            launched = [*words, "--launcher", "slurm", "--points-per-task", str(options.per_task)]
            begin = time.monotonic()
            subprocess.run([*words, "--output", str(folder / "plain")], check=True, capture_output=True)
            plain = time.monotonic() - begin
            begin = time.monotonic()
            done = subprocess.run([*launched, "--output", str(folder / "out")], env=slurm.environment, capture_output=True,
                                  text=True)
            if done.returncode:
                sys.exit(done.stdout + done.stderr)
            whole = time.monotonic() - begin
            check(folder / "out", wanted)
            overhead = (whole - plain) / len(wanted)
            print(f"{len(wanted)} points: {whole:.1f} s, in one process {plain:.1f} s: {overhead * 1e3:+.1f} ms a point more "
                  "(at most 50)")

            # The driver is killed, then a task; the same command with --resume has all points.
            out = folder / "killed"
            driver = subprocess.Popen([*launched, "--output", str(out)], env=slurm.environment, stdout=subprocess.DEVNULL,
                                      stderr=subprocess.DEVNULL)
            while not (out / "slurm").is_dir() or journaled(out) < min(5, len(wanted) // 2):
                time.sleep(0.05)
            driver.send_signal(signal.SIGKILL)
            driver.wait()
            tasks = [int(pid) for pid in os.listdir("/proc") if pid.isdigit() and
                     f"{out}/slurm/journal" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode().replace("\0", " ")]
            for pid in tasks[:1]:
                os.kill(pid, signal.SIGKILL)
            done = subprocess.run([*launched, "--output", str(out), "--resume"], env=slurm.environment, capture_output=True,
                                  text=True)
            if done.returncode:
                sys.exit(done.stdout + done.stderr)
            check(out, wanted)
            print(f"driver and {len(tasks[:1])} task killed, resumed: none lost, none repeated")

            refused = subprocess.run([*launched, "--output", str(folder / "refused"), "--slurm-options", "--partition=none"],
                                     env=slurm.environment, capture_output=True, text=True)
            if refused.returncode != 1 or "invalid partition" not in refused.stderr.lower():
                sys.exit(f"Slurm's words are not kept: {refused.stderr}")
            print("a partition that is not there:", refused.stderr.strip().splitlines()[0])
    # Of few points most is what a job takes to begin.
    return 0 if overhead <= 0.05 or options.points < 500 else 1


if __name__ == "__main__":
    sys.exit(main())
