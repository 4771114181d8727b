#!/usr/bin/env python3
"""Tables of docs/results/ from JSON reports (nongemm run ... --output DIR).

    python3 bench/results_table.py REPORT.json... > table.md
"""
import json
import sys


def ms(seconds):
    return "not measured" if seconds is None else f"{seconds * 1e3:.3g}"


def percent(share):
    return "-" if share is None else f"{share * 100:.1f}"


def main():
    print("| model | device | dtype | batch | latency ms | GEMM % | non-GEMM % | waits % | dominant non-GEMM | busy ms | "
          "replay ms | replay non-GEMM % | node pass / plain | peak GB |")
    print("| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: |")
    for path in sys.argv[1:]:
        with open(path) as file:
            report = json.load(file)
        for point in report["points"]:
            settings, sections = point["settings"], point["sections"]
            head = [settings["model"], settings["device"], settings["dtype"], settings["batch"]]
            if settings.get("sequence"):
                head[0] += f" ({settings['sequence']} tokens)"
            if "performance" not in sections:
                print("| " + " | ".join([*head, point["status"], *["-"] * 9]) + " |")
                continue
            p, replay = sections["performance"], sections.get("replay", {})
            print("| " + " | ".join([
                *head, ms(p["latency"]), percent(p["gemm_share"]), percent(p["nongemm_share"]), percent(p["gap_share"]),
                p["dominant_group"] or "-", ms(p["device_busy"]) if p["device_busy"] else "-",
                ms(replay["latency"]) if replay else "-", percent(replay.get("nongemm_share")), f"{p['overhead']:.3f}",
                f"{p['peak_memory'] / 1e9:.2f}" if p["peak_memory"] else "-"]) + " |")


main()
