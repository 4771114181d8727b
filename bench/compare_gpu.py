"""A report of `nongemm run --device cuda --format json` beside gpu_reference.py's figures of the same session.

    python3 bench/compare_gpu.py report.json reference.json

Prints, per model, the latency ratios that the project promises and the operators over 20 us whose device times differ by
more than 10 %. The exit code is 1 when a promise is not kept.
"""

import json
import sys

SMALLEST_US = 20.0
MOST_DIFFERENT = 0.10
TIMES_FASTER = {"swin-t": 2.0, "gpt2": 2.0, "bert": 2.0, "detr": 2.0}


def by_operator(point):
    """Our device microseconds by the profiler's operator name: overloads are one."""
    times = {}
    for row in point["sections"]["operators"]:
        name = "::".join(row["operator"].split(".")[:2])
        times[name] = times.get(name, 0.0) + (row["time"] or 0.0) * 1e6
    return times


def compare(point, reference):
    kept = True
    model = point["settings"]["model"]
    figures = point["sections"]["performance"]
    ours_ms = figures["latency"] * 1e3
    ratio = reference["python_eager_median_ms"] / ours_ms
    wanted = TIMES_FASTER.get(model, 1.0)
    verdict = "ok" if ratio >= wanted else f"LESS THAN {wanted}"
    kept &= ratio >= wanted
    print(f"{model}: ours {ours_ms:.3f} ms, Python {reference['python_eager_median_ms']:.3f} ms, ratio {ratio:.2f} {verdict}")
    if figures.get("device_busy") is None:
        print("  device times were not measured:", figures.get("how"))
        return False
    overhead, attributed = figures["overhead"], figures["attributed"]
    print(
        f"  timing pass / plain {overhead:.3f}, kernel time in nodes {100 * attributed:.2f} %, "
        f"busy {figures['device_busy'] * 1e3:.3f} ms (profiler {reference.get('device_busy_ms', float('nan')):.3f} ms)"
    )
    kept &= overhead <= 1.15 and attributed >= 0.995
    theirs = {name: row["device_us"] for name, row in reference.get("operators", {}).items()}
    ours = by_operator(point)
    for name in sorted(theirs, key=theirs.get, reverse=True):
        if max(theirs[name], ours.get(name, 0.0)) < SMALLEST_US:
            continue
        difference = ours.get(name, 0.0) / theirs[name] - 1.0 if theirs[name] else float("inf")
        mark = "" if abs(difference) <= MOST_DIFFERENT else "  DIFFERS"
        kept &= not mark
        print(f"  {name:44} ours {ours.get(name, 0.0):9.1f} us, profiler {theirs[name]:9.1f} us, {100 * difference:+.1f} %{mark}")
    return kept


def main():
    with open(sys.argv[1]) as file:
        report = json.load(file)
    with open(sys.argv[2]) as file:
        references = json.load(file)["models"]
    kept = True
    for point in report["points"]:
        reference = references.get(point["settings"]["model"])
        if point["status"] != "ok" or reference is None or "error" in reference:
            print(point["settings"]["model"], point["status"], point["reason"], (reference or {}).get("error", ""))
            kept = False
            continue
        kept &= compare(point, reference)
    sys.exit(0 if kept else 1)


if __name__ == "__main__":
    main()
