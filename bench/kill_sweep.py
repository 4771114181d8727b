#!/usr/bin/env python3
"""A sweep of 40 points that is killed with SIGKILL at random moments and resumed each time: no point may be lost, repeated or
half-written. The same on a disk that fills up and is emptied (a tmpfs; needs root). A point that is killed for memory is a row.

    bench/kill_sweep.py [--kills 100] [--build build/release]
"""
import argparse
import collections
import json
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
CONFIG = {"model_type": "gpt2", "vocab_size": 50, "n_positions": 16, "n_embd": 8, "n_layer": 1, "n_head": 2}
FNV_BASIS, FNV_PRIME, MASK = 0xCBF29CE484222325, 0x100000001B3, (1 << 64) - 1


def fnv(data):
    value = FNV_BASIS
    for byte in data:
        value = ((value ^ byte) * FNV_PRIME) & MASK
    return value


def keys_of(journal, check_sums=False):
    """Keys of the complete lines, in order; a torn last line is left out."""
    keys = []
    lines = journal.read_bytes().split(b"\n") if journal.exists() else [b""]
    for line in lines[:-1]:
        parsed = json.loads(line)
        if check_sums and int(parsed["sum"], 16) != fnv(line[len(b'{"sum":"') + 16 + len(b'","line":'):-1]):
            sys.exit(f"a line's sum is wrong: {line[:80]}")
        if "point" in parsed["line"]:
            keys.append(parsed["line"]["point"]["key"])
    return keys


def check_complete(out, wanted):
    keys = keys_of(out / "journal.jsonl", check_sums=True)
    twice = [key for key, count in collections.Counter(keys).items() if count > 1]
    report = json.loads((out / "report.json").read_text())
    reported = [point["key"] for point in report["points"]]
    if sorted(keys) != sorted(wanted) or twice or reported != wanted:
        sys.exit(f"lost {set(wanted) - set(keys)}, repeated {twice}, report {len(reported)} points")
    bad = [point["reason"] for point in report["points"] if point["status"] != "ok"]
    if bad:
        sys.exit(f"points failed: {bad}")


def kill_often(words, out, wanted, kills, seconds):
    done = sweeps = 0
    while done < kills:
        shutil.rmtree(out, ignore_errors=True)
        while True:
            before = keys_of(out / "journal.jsonl")
            process = subprocess.Popen([*words, "--output", str(out), "--resume"], stdout=subprocess.DEVNULL,
                                       stderr=subprocess.PIPE)
            try:
                _, words_said = process.communicate(timeout=random.uniform(0, seconds) if done < kills else None)
                if process.returncode:
                    sys.exit(f"exit code {process.returncode}: {words_said.decode()}")
                break
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.communicate()
                done += 1
                after = keys_of(out / "journal.jsonl")
                if after[:len(before)] != before:
                    sys.exit("a point that was on the disk is gone")
        check_complete(out, wanted)
        sweeps += 1
    print(f"{done} kills in {sweeps} sweeps of {len(wanted)} points: none lost, none repeated, none half-written")


def fill_disk(words, folder, wanted):
    disk = folder / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(disk)], check=True)
    try:
        filler = disk / "filler"
        full = 0
        for free in (96, 160, 256, 512):  # KiB
            filler.write_bytes(b"")
            filler.write_bytes(bytes(max(0, shutil.disk_usage(disk).free - free * 1024)))
            done = subprocess.run([*words, "--output", str(disk / "out"), "--resume"], capture_output=True, text=True)
            full += done.returncode != 0 and "No space left" in done.stderr
        filler.unlink()
        subprocess.run([*words, "--output", str(disk / "out"), "--resume"], check=True, capture_output=True)
        check_complete(disk / "out", wanted)
        print(f"the disk was full {full} times, then emptied: none lost, none repeated, none half-written")
        return full > 0
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def kill_for_memory(program, model, library, folder):
    """A point that takes more than a control group has is a row, and the point after it runs."""
    group = next((pathlib.Path(p) for p in ("/sys/fs/cgroup/memory", "/sys/fs/cgroup") if pathlib.Path(p).is_dir()), None)
    limit = group / "nongemm-bench" / ("memory.limit_in_bytes" if group.name == "memory" else "memory.max")
    limit.parent.mkdir(exist_ok=True)
    try:
        limit.write_text(str(1 << 30))
        plan = folder / "memory.toml"
        plan.write_text(f"model = '{model}'\niterations = 2\nwarmup = 0\nno-limits = true\n[[sweep]]\nload-library = '{library}'\n"
                        "[[sweep]]\nseq-len = 4\n")
        join = f"echo $$ > {limit.parent}/cgroup.procs && exec \"$@\""
        subprocess.run(["sh", "-c", join, "-", program, "run", str(plan), "--isolate", "--output", str(folder / "memory")],
                       capture_output=True, check=False)
        points = json.loads((folder / "memory/report.json").read_text())["points"]
        print("killed for memory:", points[0]["status"], "--", points[0]["reason"], "-- then", points[1]["status"])
        return [point["status"] for point in points] == ["out-of-memory", "ok"]
    finally:
        limit.parent.rmdir()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=3.0, help="the latest moment of a kill")
    parser.add_argument("--build", default=ROOT / "build/release", type=pathlib.Path)
    options = parser.parse_args()
    program = str(options.build.absolute() / "bin/nongemm")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "model").mkdir()
        (folder / "model/config.json").write_text(json.dumps(CONFIG))
        words = [program, "run", str(folder / "model"), "--seq-len", "2,4,6,8,10,12,14,16", "--batch", "1,2,3,4,5",
                 "--iterations", "2", "--warmup", "0", "--no-limits"]
        listed = subprocess.run([*words, "--list"], check=True, capture_output=True, text=True).stdout
        wanted = [line.split("\t")[0] for line in listed.splitlines()]
        begin = time.monotonic()
        kill_often(words, folder / "out", wanted, options.kills, options.seconds)
        print(f"{time.monotonic() - begin:.0f} s")
        fine = fill_disk(words, folder, wanted)
        library = options.build.absolute() / "tests/libdoomed_memory.so"
        if library.exists():
            fine = kill_for_memory(program, folder / "model", library, folder) and fine
        return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
