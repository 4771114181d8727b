#!/usr/bin/env python3
"""Markdown tables from reports of `nongemm run MODEL --flow torch,tensorrt`, beside the paper's Table V.

  bench/tensorrt_table.py REPORT.json... > tables.md
"""
import json
import sys

# Table V of the paper: fusion rate, non-GEMM latency and its share before and after fusion.
PAPER = {
    "swin-t": ("8.75 %", "7.53 ms (56.4 %)", "0.97 ms (39 %)"),
    "swin-b": ("7 %", "14.59 ms (58 %)", "1.65 ms (32.25 %)"),
    "detr": ("30 %", "32.17 ms (66.4 %)", "2.38 ms (18.5 %)"),
    "segformer": ("27 %", "5.57 ms (41 %)", "2.33 ms (41 %)"),
}


def row_of(point, section):
    """The figures of a section with one row, by id; empty when the report has none."""
    table = point.get("sections", {}).get(section)
    if not table:
        return {}
    rows = table if isinstance(table, list) else table.get("rows", [table])
    return rows[0] if rows else {}


def rows_of(point, section):
    table = point.get("sections", {}).get(section) or []
    return table if isinstance(table, list) else table.get("rows", [table])


def milliseconds(seconds):
    return "-" if seconds is None else f"{seconds * 1e3:.3f}"


def percent(share):
    return "-" if share is None else f"{share * 100:.1f} %"


def figures(point):
    latency = row_of(point, "performance").get("latency")
    groups = rows_of(point, "groups")
    gemm = sum(row["time"] or 0 for row in groups if row["group"] in ("GEMM", "Attention"))
    rest = sum(row["time"] or 0 for row in groups if row["group"] not in ("GEMM", "Attention"))
    return latency, gemm, rest


def main():
    models = {}
    for path in sys.argv[1:]:
        with open(path, encoding="utf-8") as file:
            for point in json.load(file)["points"]:
                settings = point["settings"]
                models.setdefault(settings["model"].split("/")[-1], {})[settings["flow"]] = point

    print("| model | torch, ms | TensorRT, ms | speed-up | non-GEMM torch, ms | non-GEMM TensorRT, ms | fusion rate | "
          "time mapped | inside fused blocks | layer clock over latency |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    for model, flows in models.items():
        torch, engine = flows.get("torch"), flows.get("tensorrt")
        if engine is None or engine["status"] != "ok":
            reason = engine["reason"] if engine else "not run"
            print(f"| {model} | {engine['status'] if engine else '-'}: {reason} |")
            continue
        before = figures(torch) if torch and torch["status"] == "ok" else (None, None, None)
        after = figures(engine)
        fusion, clock = row_of(engine, "fusion"), row_of(engine, "step_clock")
        speedup = f"{before[0] / after[0]:.1f}" if before[0] else "-"
        print(f"| {model} | {milliseconds(before[0])} | {milliseconds(after[0])} | {speedup} | {milliseconds(before[2])} | "
              f"{milliseconds(after[2])} | {percent(fusion.get('rate'))} | {percent(fusion.get('mapped_time'))} | "
              f"{percent(fusion.get('opaque_share'))} | {percent(clock.get('excess'))} |")

    print("\n| model | | fusion rate | non-GEMM before fusion | after fusion |\n|---|---|---:|---:|---:|")
    for model, paper in PAPER.items():
        flows = models.get(model, {})
        parts = []
        for flow in ("torch", "tensorrt"):
            point = flows.get(flow)
            _, gemm, rest = figures(point) if point and point["status"] == "ok" else (None, 0, 0)
            parts.append(f"{milliseconds(rest)} ms ({percent(rest / (gemm + rest))})" if gemm + rest else "-")
        rate = row_of(flows["tensorrt"], "fusion").get("rate") if "tensorrt" in flows else None
        print(f"| {model} | paper | {paper[0]} | {paper[1]} | {paper[2]} |")
        print(f"| | here | {percent(rate)} | {parts[0]} | {parts[1]} |")

    for model, flows in models.items():
        inside = rows_of(flows.get("tensorrt", {}), "opaque_kernels")
        if inside:
            parts = ", ".join(f"{row['kind']} {percent(row['share'])}" for row in inside)
            print(f"\n- {model}, inside fused blocks: {parts}")


if __name__ == "__main__":
    main()
