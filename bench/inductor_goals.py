"""A report of `nongemm run --flow torch,inductor --check --device cuda --format json` against what is promised of the flow.

    python3 bench/inductor_goals.py report.json reference.json     reference.json of inductor_reference.py, same session

Latency at most 1.02 times torch.compile's in Python, kernel time within 3 % of it, at least 98 % of kernel time mapped to
nodes, outputs checked against the torch flow. The exit code is 1 when a promise is not kept.
"""

import json
import sys

MOST_LATENCY = 1.02
MOST_KERNELS = 0.03
LEAST_MAPPED = 0.98
MOST_DIFFERENCE = {"fp32": 1e-3, "fp16": 2e-2, "bf16": 2e-2}


def judge(point, reference):
    sections = point["sections"]
    performance, fusion = sections["performance"], sections["fusion"]
    mapped = performance.get("attributed", 0) * fusion["mapped_time"]
    latency = performance["latency"] * 1e3
    # Kernels, without copies, fills and gaps: what stands in the steps' rows.
    kernels = sum(row["time"] or 0 for row in sections["operators"]) * 1e3
    differences = [row.get("relative", float("nan")) for row in sections.get("check", [])]
    dtype = point["settings"].get("dtype", "fp32")
    found = {
        "latency": (latency / reference["median_ms"], lambda x: x <= MOST_LATENCY),
        "kernels": (kernels / reference.get("kernel_ms", float("nan")) - 1, lambda x: abs(x) <= MOST_KERNELS),
        "mapped": (mapped, lambda x: x >= LEAST_MAPPED),
        "difference": (max(differences, default=float("nan")), lambda x: x <= MOST_DIFFERENCE[dtype]),
    }
    words = [f"{name} {value:.4f}{'' if fits(value) else ' MISSED'}" for name, (value, fits) in found.items()]
    print(f"{point['settings']['model']:<12} {latency:8.3f} ms, torch.compile {reference['median_ms']:8.3f} ms   " + "   ".join(words))
    return all(fits(value) for value, fits in found.values())


def main():
    with open(sys.argv[1]) as file:
        points = json.load(file)["points"]
    with open(sys.argv[2]) as file:
        references = json.load(file)["models"]
    kept = True
    for point in points:
        if point["settings"].get("flow") != "inductor":
            continue
        model = point["settings"]["model"]
        reference = references.get(model, {"error": "no reference"})
        if point["status"] != "ok" or "error" in reference:
            print(f"{model:<12} {point['status']} {point['reason']} {reference.get('error', '')}")
            kept = False
            continue
        kept &= judge(point, reference)
    sys.exit(0 if kept else 1)


if __name__ == "__main__":
    main()
