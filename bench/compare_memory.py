"""Peak memory and latency of `nongemm run --device cuda --format json` beside gpu_reference.py's of the same call.

    python3 bench/compare_memory.py report.json reference.json [--most 0.03]

The exit code is 1 when a peak differs by more than `--most` from torch.cuda.max_memory_allocated().
"""

import argparse
import json
import sys


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("report")
    parser.add_argument("reference")
    parser.add_argument("--most", type=float, default=0.03)
    args = parser.parse_args()
    with open(args.reference) as file:
        reference = json.load(file)
    with open(args.report) as file:
        points = json.load(file)["points"]
    kept = True
    for point in points:
        settings = point["settings"]
        row = reference["models"].get(settings["model"])
        if int(settings["batch"]) != reference["batch"] or row is None:
            continue
        if point["status"] != "ok" or "error" in row:
            print(settings["model"], point["status"], point["reason"], row.get("error", ""))
            kept = False
            continue
        figures = point["sections"]["performance"]
        ours, theirs = figures["peak_memory"], row["peak_bytes"]
        difference = ours / theirs - 1
        kept &= abs(difference) <= args.most
        mark = "" if abs(difference) <= args.most else f"  MORE THAN {args.most:.0%}"
        print(f"{settings['model']} batch {settings['batch']}: peak {ours / 1e9:.3f} GB, PyTorch {theirs / 1e9:.3f} GB, "
              f"{difference:+.1%}{mark}; latency {figures['latency'] * 1e3:.2f} ms, Python {row['python_eager_median_ms']:.2f} ms")
    sys.exit(0 if kept else 1)


if __name__ == "__main__":
    main()
