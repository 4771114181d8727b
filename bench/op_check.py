#!/usr/bin/env python3
"""What a report of `nongemm op` from a GPU must hold (bench/op_on_device.sh): op_check.py device|cold|bare|same|replay REPORT..."""
import json
import statistics
import sys

missed = []


def say(ok, text):
    print(f"{'ok    ' if ok else 'MISSED'} {text}")
    if not ok:
        missed.append(text)


def points(path):
    with open(path, encoding="utf-8") as file:
        report = json.load(file)
    for point in report["points"]:
        name = f"{point['settings']['operator']} {point['settings']['shapes']} {point['settings']['dtype']} {point['settings']['cache']}"
        yield name, point


def device(path):
    for name, point in points(path):
        if point["status"] != "ok":
            say(point["status"] == "unsupported", f"{name}: {point['status']}: {point['reason']}")
            continue
        figures = point["sections"]["op"]
        # Views and what the host does alone launch nothing.
        kernels = figures["how"] == "kernel records" and (figures["kernels"] or 0) > 0
        view = figures["bytes"] == 0 or figures["group"] in ("Memory (layout)", "Host synchronisation")
        wall = "" if figures["wall"] is None else f", wall {figures['wall'] * 1e6:.1f} us"
        say(kernels or view, f"{name}: {figures['time'] * 1e6:.2f} us{wall}, {figures['kernels']} kernels, "
                             f"{(figures['byte_rate'] or 0) / 1e9:.0f} GB/s, {(figures['bandwidth_share'] or 0) * 100:.0f} % of limit")


def cold(path):
    times = {point["settings"]["cache"]: point["sections"]["op"]["time"] for _, point in points(path)}
    say(times["cold"] > 1.2 * times["hot"], f"cold {times['cold'] * 1e6:.2f} us, hot {times['hot'] * 1e6:.2f} us")


def bare(path):
    import torch

    calls = {
        "aten.layer_norm.default": lambda x: lambda: torch.nn.functional.layer_norm(x, x.shape[-1:], x[0, 0], x[0, 0]),
        "aten.add.Tensor": lambda x: (lambda other: lambda: x + other)(torch.randn_like(x)),
        "aten.gelu.default": lambda x: lambda: torch.nn.functional.gelu(x),
        "aten.softmax.int": lambda x: lambda: torch.softmax(x, -1),
    }
    for name, point in points(path):
        shape = json.loads(point["settings"]["shapes"].split(" x ")[0])
        with torch.inference_mode():
            call = calls[point["settings"]["operator"]](torch.randn(shape, dtype=torch.float16, device="cuda"))
            for _ in range(20):
                call()
            times = []
            for _ in range(20):
                begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
                begin.record()
                for _ in range(50):
                    call()
                end.record()
                end.synchronize()
                times.append(begin.elapsed_time(end) * 1e-3 / 50)
        theirs, ours = statistics.median(times), point["sections"]["op"]["time"]
        say(theirs / ours >= 0.9, f"{name}: bare loop {theirs * 1e6:.2f} us, ours {ours * 1e6:.2f} us, ratio {theirs / ours:.3f} (goal >= 0.9)")


def same(first, second):
    for (name, a), (_, b) in zip(points(first), points(second)):
        low, high = sorted((a["sections"]["op"]["time"], b["sections"]["op"]["time"]))
        say(high / low < 1.05, f"{name}: {low * 1e6:.2f} and {high * 1e6:.2f} us (goal < 5 % apart)")


def replay(path):
    told = count = 0
    for name, point in points(path):
        if point["status"] != "ok":
            say(False, f"{name}: {point['status']}: {point['reason']}")
            continue
        figures = point["sections"]["op"]
        say(figures["in_model"] is not None, f"{name}: {figures['in_model_ratio'] or 0:.2f} {figures['cause'] or ''}")
        count += 1
        told += figures["cause"] is not None
    say(count > 10, f"{count} calls, {told} with a cause")


checks = {"device": device, "cold": cold, "bare": bare, "same": same, "replay": replay}
checks[sys.argv[1]](*sys.argv[2:])
sys.exit(1 if missed else 0)
