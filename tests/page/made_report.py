"""Reports made by hand, for the tests of the page: every section that it draws, any size, names of any kind.

    made_report.py FILE [--models N] [--flows a,b] [--kernels N] [--hostile]

Numbers follow from a fixed seed: the same arguments give the same file.
"""

import argparse
import json
import random

OPERATORS = [
    ("aten.linear.default", "GEMM", "linear"),
    ("aten.layer_norm.default", "Normalization", "LayerNorm"),
    ("aten.gelu.default", "Activation", "gelu"),
    ("aten.add.Tensor", "Element-wise arithmetic", "add"),
    ("aten.contiguous.default", "Memory (movement)", "contiguous"),
    ("aten.view.default", "Memory (layout)", "view"),
    ("aten.softmax.int", "Logit computation", "softmax"),
    ("aten.bmm.default", "GEMM", "bmm"),
]
GROUP_IDS = {
    "GEMM": "gemm",
    "Normalization": "normalization",
    "Activation": "activation",
    "Element-wise arithmetic": "arithmetic",
    "Memory (movement)": "memory-movement",
    "Memory (layout)": "memory-layout",
    "Logit computation": "logit",
}
KERNELS = {"GEMM": "ampere_sgemm_128x64_tn", "Memory (layout)": None}
HOSTILE = [
    "<script>window.broken = true</script>",
    "\"'`&amp;</script><img src=x onerror=window.broken=true>",
    "line\u2028separator\u2029and\nbreak\ttab",
    "n" * 10000,
    "\u202eright \u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627",
    "{{7*7}} ${7*7} __proto__ constructor",
    "<!--",
    "]]>",
    "",
]
BANDWIDTH, RATE = 2.0e12, 60e12


def columns(rows, texts=()):
    """A section by column, as the JSON report has those of many rows."""
    table = {}
    for name in rows[0] if rows else []:
        values = [row[name] for row in rows]
        if name in texts:
            known = sorted({value for value in values if value is not None})
            places = {value: place for place, value in enumerate(known)}
            values = {"texts": known, "index": [None if v is None else places[v] for v in values]}
        table[name] = values
    return {"rows": len(rows), "columns": table}


def bucket(rows, keys):
    sums = {}
    for row in rows:
        key = tuple(row[name] for name in keys)
        into = sums.setdefault(
            key,
            {
                **{name: row[name] for name in keys},
                "nodes": 0,
                "time": 0,
                "gap": 0,
                "host_time": 0,
                "kernels": 0,
                "flops": 0,
                "bytes": 0,
                "limit": 0,
                "wasted": 0,
            },
        )
        into["nodes"] += 1
        for name in ("time", "gap", "host_time", "flops", "bytes", "limit", "wasted"):
            into[name] += row[name]
        into["kernels"] += 1
    return sorted(sums.values(), key=lambda one: -one["time"])


def with_rates(rows, wall):
    for row in rows:
        row["share"] = row["time"] / wall
        row["distance"] = row["time"] / row["limit"] if row["limit"] else None
        row["byte_rate"] = row["bytes"] / row["time"] if row["time"] else None
        row["flop_rate"] = row["flops"] / row["time"] if row["time"] else None
    return rows


def nodes_of(generator, count, scale, name_of):
    rows = []
    for i in range(count):
        operator, group, variant = OPERATORS[i % len(OPERATORS)]
        gemm, view = group == "GEMM", group == "Memory (layout)"
        size = generator.choice([64, 256, 1024]) * scale
        cost_bytes = 0 if view else size * 4096
        flops = size * 1e6 if gemm else 0 if group.startswith("Memory") else size * 1024
        limit = 0 if view else max(cost_bytes / BANDWIDTH, flops / RATE if gemm else 0, 1.5e-6)
        time = 0 if view else limit * generator.uniform(1.05, 3.5)
        rows.append(
            {
                "node": i,
                "operator": name_of(i, operator),
                "scope": f"encoder.layer.{i // 16}.{variant}",
                "module": variant.title(),
                "group": group,
                "variant": variant,
                "shapes": f"[{scale}, {size}, 64]",
                "results": f"[{scale}, {size}, 64]",
                "dtype": "float32",
                "time": time,
                "host_time": generator.uniform(2e-6, 9e-6),
                "gap": 0.0,
                "wait": 0,
                "calls": 1,
                "flops": flops,
                "bytes": cost_bytes,
                "limit": limit,
                "wasted": max(0, time - limit),
                "alive": 4e8 + 1e8 * scale * (1 + (i % 40) / 40),
            }
        )
    return rows


def modules_of(rows, wall):
    sums = {}
    for row in rows:
        parts = row["scope"].split(".")
        for depth in range(len(parts) + 1):
            path = ".".join(parts[:depth])
            into = sums.setdefault(
                path,
                {
                    "path": path,
                    "module": row["module"] if depth == len(parts) else "Model" if depth == 0 else "Layer",
                    "nodes": 0,
                    "time": 0,
                    "gap": 0,
                    "parameters": 1000,
                    "flops": 0,
                    "bytes": 0,
                    "limit": 0,
                    "wasted": 0,
                },
            )
            into["nodes"] += 1
            for name in ("time", "gap", "flops", "bytes", "limit", "wasted"):
                into[name] += row[name]
    return with_rates(list(sums.values()), wall)


def timeline_of(generator, rows, kernels, on_device):
    """Calls and records in order; gaps go into the rows. Some kernels run long, and the host is slow now and then."""
    calls, device = [], []
    host, busy = 5e-6, 0.0
    for repeat in range(max(1, kernels // len(rows))):
        for row in rows:
            slow = 40e-6 if generator.random() < 0.01 else 0.0
            took = row["host_time"] + slow if on_device else row["time"] + 0.5e-6
            gap = 0.0 if on_device else generator.uniform(0.2e-6, 1e-6) + slow
            calls.append({"begin": host + gap, "duration": took, "node": row["node"], "gap": gap if calls else 0.0})
            launch = host + took * 0.7
            host += took + gap
            if on_device and row["time"] > 0:
                begin = max(launch + 3e-6, busy)
                idle = begin - busy if device else 0.0
                device.append(
                    {
                        "begin": begin,
                        "duration": row["time"],
                        "node": row["node"],
                        "gap": max(0.0, idle),
                        "launch": launch,
                        "stream": 7 if row["node"] % 29 else 13,
                        "kernel": KERNELS.get(
                            row["group"], f"void at::native::{row['variant']}_kernel<float, 4>(int, float*)"
                        ),
                        "bytes": None,
                    }
                )
                busy = begin + row["time"]
                if repeat == 0:
                    row["gap"] = max(0.0, idle)
    return calls, device, max(host, busy) + 8e-6


def rounded(entries):
    for entry in entries:
        for name, value in entry.items():
            if isinstance(value, float):
                entry[name] = round(value, 9)
    return entries


def gaps_of(entries, rows):
    longest = sorted((entry for entry in entries if entry["gap"] > 0), key=lambda entry: -entry["gap"])[:20]
    return [
        {
            "gap": e["gap"],
            "begin": e["begin"] - e["gap"],
            "operator": rows[e["node"]]["operator"],
            "node": e["node"],
            "scope": rows[e["node"]]["scope"],
            "kernel": e.get("kernel"),
        }
        for e in longest
    ]


def fusion_of(rows, before):
    """Every normalization, activation and addition after a product runs with it."""
    fates, steps, step = [], [], -1
    for row in rows:
        fused = row["group"] in ("Normalization", "Activation", "Element-wise arithmetic")
        view = row["group"] == "Memory (layout)"
        if not fused and not view:
            step += 1
            steps.append(
                {
                    "name": f"/layer/{step}/MatMul",
                    "type": "FusedMatMul",
                    "provider": "CUDA",
                    "group": row["group"],
                    "pattern": "not fused",
                    "covers": row["variant"],
                    "nodes": 1,
                    "scope": row["scope"],
                    "opaque": False,
                    "time": row["time"] * 0.9,
                    "bytes": row["bytes"],
                }
            )
        elif fused and steps:
            steps[-1].update(
                pattern="GEMM with neighbours",
                covers=steps[-1]["covers"] + ", " + row["variant"],
                nodes=steps[-1]["nodes"] + 1,
            )
        fates.append(
            {
                "node": row["node"],
                "operator": row["operator"],
                "group": row["group"],
                "scope": row["scope"],
                "fate": "no work" if view else "fused into GEMM" if fused else "alone",
                "step": None if view else max(step, 0),
            }
        )
    fused = sum(fate["fate"] == "fused into GEMM" for fate in fates)
    other = sum(row["group"] not in ("GEMM", "Memory (layout)") for row in rows)
    after = sum(row["time"] for row in rows if row["group"] in ("Logit computation", "Memory (movement)")) * 0.9
    groups = [
        {
            "group": group,
            "nodes": nodes,
            "fused": 1.0 if group in ("Normalization", "Activation", "Element-wise arithmetic") else 0.0,
            "before": b,
            "after": 0.0 if group in ("Normalization", "Activation", "Element-wise arithmetic") else b * 0.9,
            "speedup": None if group in ("Normalization", "Activation", "Element-wise arithmetic") else 1 / 0.9,
        }
        for group, nodes, b in ((b["group"], b["nodes"], b["time"]) for b in bucket(rows, ["group"]))
        if b > 0
    ]
    return {
        "fusion": {
            "rate": fused / other,
            "nongemm_nodes": other,
            "fused_into_gemm": fused,
            "fused_among_nongemm": 0,
            "folded": 0,
            "nongemm_time": after,
            "nongemm_before": before,
            "nongemm_speedup": before / after,
            "steps": len(steps),
            "added_steps": 0,
            "added_time": 0,
        },
        "fusion_groups": groups,
        "steps": steps,
        "node_fates": columns(fates, ("operator", "group", "scope", "fate")),
    }


def point(generator, model, flow, device, batch, nodes, kernels, name_of):
    on_device = device != "cpu"
    rows = nodes_of(generator, nodes, batch, name_of)
    calls, records, wall = timeline_of(generator, rows, kernels, on_device)
    latency = wall * 0.97
    groups = with_rates(bucket(rows, ["group"]), wall)
    for group in groups:
        group["id"] = GROUP_IDS[group["group"]]
    gemm = sum(row["time"] for row in rows if row["group"] == "GEMM")
    rest = sum(row["time"] for row in rows) - gemm
    sections = {
        "performance": {
            "latency": latency,
            "latency_p10": latency * 0.98,
            "latency_p90": latency * 1.05,
            "iterations": 50,
            "throughput": batch / latency,
            "gemm_share": gemm / wall,
            "nongemm_share": rest / wall,
            "gap_share": max(0, wall - gemm - rest) / wall,
            "peak_memory": 7e8 * batch,
            "weight_memory": 4e8,
        },
        "groups": groups,
        "operators": with_rates(bucket(rows, ["operator", "group", "variant"]), wall),
        "calls": with_rates(bucket(rows, ["operator", "group", "variant", "shapes", "dtype"]), wall),
        "modules": modules_of(rows, wall),
        "limits": {
            "device": "a device",
            "copy_bandwidth": BANDWIDTH,
            "fp32_rate": RATE,
            "fp16_rate": 4 * RATE,
            "shortest": 1.5e-6,
        },
        "nodes": rows,
        "timeline": {"wall": wall, "head": calls[0]["begin"], "tail": 8e-6, "left_out": 0, "how": "made by hand"},
        "timeline_calls": columns(rounded(calls)),
        "gaps": gaps_of(records or calls, rows),
    }
    if on_device:
        sections["timeline_device"] = columns(rounded(records), ("kernel",))
        sections["step_kernels"] = [
            {
                "step": row["node"],
                "kernel": KERNELS.get(row["group"], f"{row['variant']}_kernel"),
                "launches": 1.0,
                "time": row["time"],
            }
            for row in rows
            if row["time"] > 0
        ]
    if flow != "torch":
        sections.update(fusion_of(rows, rest))
    return {
        "status": "ok",
        "reason": "",
        "command": f"nongemm run {model} --flow {flow} --device {device} --batch {batch}",
        "settings": {"model": model, "flow": flow, "device": device, "dtype": "fp32", "batch": str(batch)},
        "sections": sections,
        "samples": {},
    }


def generation():
    """One text generation: both phases by group, and a token that takes longer with each."""
    shares = {
        "prefill": {"GEMM": 0.8, "Normalization": 0.1, "Activation": 0.06},
        "decode": {"GEMM": 0.5, "Memory (movement)": 0.3, "Activation": 0.1, "Normalization": 0.1},
    }
    walls = {"prefill": 0.04, "decode": 0.01}
    phases = [{"phase": name, "latency": walls[name], "wall": walls[name]} for name in shares]
    groups = [
        {"phase": name, "group": group, "nodes": 10, "time": share * walls[name], "share": share}
        for name, groups in shares.items()
        for group, share in groups.items()
    ]
    tokens = [
        {"token": number, "cached": 0 if number == 1 else 30 + number, "time": 0.04 if number == 1 else 0.01 + 1e-5 * number}
        for number in range(1, 9)
    ]
    made = report(1, ["torch"], ["cpu"], [1])
    made["points"] = made["points"][:1]
    made["points"][0]["settings"]["generate"] = "8"
    made["points"][0]["sections"] = {"phases": phases, "phase_groups": groups, "tokens": tokens}
    return made


def report(models, flows, devices, batches, nodes=240, kernels=0, hostile=False):
    generator = random.Random(24)
    points = []
    for number in range(models):
        model = HOSTILE[number % len(HOSTILE)] or "empty" if hostile else f"model-{number}"
        for flow in flows:
            for device in devices:
                for batch in batches:
                    name_of = (
                        (lambda i, operator: HOSTILE[i % len(HOSTILE)]) if hostile else (lambda i, operator: operator)
                    )
                    points.append(point(generator, model, flow, device, batch, nodes, kernels, name_of))
    points.append(
        {
            "status": "unsupported",
            "reason": HOSTILE[1] if hostile else "this flow cannot run it",
            "command": "nongemm run big",
            "settings": {"model": "model-0", "flow": "tensorrt", "device": devices[0], "dtype": "fp32", "batch": "1"},
            "sections": {},
            "samples": {},
        }
    )
    return {
        "schema": "nongemm-report",
        "version": 2,
        "context": {
            "nongemm": "1.0",
            "processor": "a processor",
            "cores": "8",
            "time": "2026-01-01T00:00:00Z",
            "command": HOSTILE[0] if hostile else "nongemm run",
        },
        "points": points,
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("--models", type=int, default=2)
    parser.add_argument("--flows", default="torch,ort")
    parser.add_argument("--devices", default="cpu")
    parser.add_argument("--batches", default="1")
    parser.add_argument("--nodes", type=int, default=240)
    parser.add_argument("--kernels", type=int, default=0)
    parser.add_argument("--hostile", action="store_true")
    options = parser.parse_args()
    made = report(
        options.models,
        options.flows.split(","),
        options.devices.split(","),
        [int(b) for b in options.batches.split(",")],
        options.nodes,
        options.kernels,
        options.hostile,
    )
    with open(options.file, "w", encoding="utf-8") as out:
        json.dump(made, out)


if __name__ == "__main__":
    main()
