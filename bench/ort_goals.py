#!/usr/bin/env python3
"""Holds reports of `run --flow torch,ort --check` on a GPU against what was promised: ort_goals.py REPORT.json...

For each model: kernel time told to graph nodes >= 99 %, and the largest difference to the torch flow: 1e-3 in fp32 (boxes
1e-2 pixels), 2 % of the output's magnitude in half types. A missed goal makes the exit code 1.
"""
import json
import sys

LEAST_MAPPED = 0.99
MOST_DIFFERENCE = 1e-3
MOST_BOX_DIFFERENCE = 1e-2
MOST_HALF_RELATIVE = 2e-2


def difference(rows, half):
    """What is shown, and whether it is within the bounds."""
    worst, ok = 0.0, True
    for row in rows:
        if row.get("mismatch"):
            return f"{row['output']}: {row['mismatch']}", False
        value = row["relative"] if half else row["absolute"]
        bound = MOST_HALF_RELATIVE if half else MOST_BOX_DIFFERENCE if row["output"].endswith(".boxes") else MOST_DIFFERENCE
        ok = ok and value <= bound
        worst = max(worst, value)
    return f"{worst:.1e}" + (" of the magnitude" if half else ""), ok


def main():
    missed = False
    seen = 0
    for path in sys.argv[1:]:
        with open(path, encoding="utf-8") as file:
            points = json.load(file)["points"]
        for point in points:
            settings, sections = point["settings"], point.get("sections", {})
            if settings.get("flow") != "ort":
                continue
            seen += 1
            name = f"{settings['model']} {settings.get('dtype', 'fp32')}"
            if "fusion" not in sections:
                print(f"{name:<20} {point['status']}: {point['reason']}   MISSED")
                missed = True
                continue
            performance, fusion = sections["performance"], sections["fusion"]
            mapped = performance.get("attributed", 0) * fusion["mapped_time"]
            text, close = difference(sections.get("check", []), settings.get("dtype", "fp32") != "fp32")
            ok = mapped >= LEAST_MAPPED and close and "check" in sections
            missed = missed or not ok
            print(f"{name:<20} latency {performance['latency'] * 1e3:9.3f} ms   kernel time mapped {mapped:8.3%}   "
                  f"difference {text}   fusion rate {fusion['rate']:.1%}   {'ok' if ok else 'MISSED'}   {performance.get('how', '')}")
    if seen == 0:
        print("no point of the ort flow in these reports")
    sys.exit(1 if missed or seen == 0 else 0)


main()
