#!/usr/bin/env python3
"""Markdown tables from reports of `nongemm run MODEL... --flow torch,ort --check`, beside the paper's Figure 6.

  bench/ort_table.py REPORT.json... > tables.md
"""
import json
import sys

# Models of the paper's Figure 6 that a report may hold.
FIGURE_6 = ("gpt2", "gpt2-large", "gpt2-xl", "llama2-7b")
# Shares of non-GEMM and of memory operators there, by flow.
PAPER = {"torch": ("52.6 %", "3.2 %"), "ort": ("80.75 %", "66.8 %")}


def ms(seconds):
    return f"{seconds * 1e3:.3f}"


def percent(share):
    return "-" if share is None else f"{share * 100:.1f}"


def rows_by_model(paths):
    """For each model that ran in both flows: its rows of the flow table and the largest differences of its outputs."""
    models = {}
    for path in paths:
        with open(path, encoding="utf-8") as file:
            points = json.load(file)["points"]
        for point in points:
            sections = point.get("sections", {})
            if point["settings"]["flow"] == "ort" and "flows" in sections:
                models[point["settings"]["model"]] = (sections["flows"], sections.get("check", []), sections["fusion"])
    return models


def main():
    models = rows_by_model(sys.argv[1:])
    print("| model | flow | latency ms | GEMM ms | non-GEMM ms | non-GEMM % of operators | memory % | copies | waits % | steps | "
          "fusion rate % | time mapped % | difference |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for model, (flows, check, fusion) in models.items():
        for row in flows:
            ort = row["flow"] == "ort"
            copies = str(fusion["copies_to_device"] + fusion["copies_to_host"]) if ort else "-"
            difference = f"{max((output['relative'] or 0 for output in check), default=0):.1e}" if ort and check else "-"
            mapped = percent(fusion["mapped_time"]) if ort else "-"
            print(f"| {model} | {row['flow']} | {ms(row['latency'])} | {ms(row['gemm'])} | {ms(row['nongemm'])} | "
                  f"{percent(row['nongemm_share'])} | {percent(row['memory_share'])} | {copies} | {percent(row['idle_share'])} | "
                  f"{row['steps']} | {percent(row['fusion_rate'])} | {mapped} | {difference} |")

    chosen = [models[model][0] for model in FIGURE_6 if model in models]
    if not chosen:
        return
    print(f"\nFigure 6: means of {', '.join(model for model in FIGURE_6 if model in models)}\n")
    print("| | non-GEMM, paper | non-GEMM % | memory, paper | memory % |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for flow, (nongemm, memory) in PAPER.items():
        rows = [row for flows in chosen for row in flows if row["flow"] == flow]
        mean = {key: sum(row[key] for row in rows) / len(rows) for key in ("nongemm_share", "memory_share")}
        print(f"| {flow} | {nongemm} | {percent(mean['nongemm_share'])} | {memory} | {percent(mean['memory_share'])} |")


if __name__ == "__main__":
    main()
