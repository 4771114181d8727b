#!/usr/bin/env python3
"""Prints a run's ratios beside the goals of the project: goals.py REPORT.json --inspect SECONDS --executor NANOSECONDS."""
import argparse
import json
import sys

missed = []


def goal(what, value, limit, at_most=True):
    ok = value <= limit if at_most else value >= limit
    print(f"{what:<58} {value:8.3f}   goal {'<=' if at_most else '>='} {limit:g}   {'ok' if ok else 'MISSED'}")
    if not ok:
        missed.append(what)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report")
    parser.add_argument("--inspect", type=float, help="seconds that inspect gpt2-xl took")
    parser.add_argument("--memory", help="report of gpt2-xl at 512 tokens")
    parser.add_argument("--executor", type=float, help="nanoseconds per node beyond the dispatcher call")
    parser.add_argument("--export", nargs=2, type=float, metavar=("RATIO", "GB"), help="what bench/export.py prints")
    parser.add_argument("--driving", nargs="*", default=[], help="what ort_driving_benchmark prints, a line a model")
    args = parser.parse_args()
    with open(args.report, encoding="utf-8") as file:
        report = json.load(file)
    for point in report["points"]:
        name, figures = point["settings"]["model"], point["sections"]["performance"]
        goal(f"{name}: node pass / plain", figures["overhead"], 1.03)
        goal(f"{name}: node times / wall of the node pass", figures["parts"], 0.98, at_most=False)
        if name == "gpt2":
            goal("gpt2: set-up (graph, weights, inputs), seconds", figures["setup"], 2.0)
    if args.memory:
        with open(args.memory, encoding="utf-8") as file:
            figures = json.load(file)["points"][0]["sections"]["performance"]
        goal("gpt2-xl, 512 tokens: peak memory beyond weights, GB",
             (figures["peak_memory"] - figures["weight_memory"]) / 1e9, 2.0)
    goal("inspect gpt2-xl, seconds", args.inspect, 0.5)
    if args.export:
        goal("gpt2-xl as ONNX: time / copying its weights", args.export[0], 1.3)
        goal("gpt2-xl as ONNX: peak memory beyond weights, GB", args.export[1], 0.5)
    for line in args.driving:
        model, ratio = line.split()
        goal(f"{model}: ONNX Runtime through the flow / bare Run", float(ratio), 1.03)
    goal("executor per node beyond the dispatcher call, us", args.executor / 1e3, 0.5)
    sys.exit(1 if missed else 0)


main()
