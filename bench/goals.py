#!/usr/bin/env python3
"""Prints a run's ratios beside the goals of the project: goals.py REPORT.json SECONDS_OF_INSPECT_GPT2_XL.

Python eager is measured too when torch, transformers and torchvision can be imported, in turns with nothing else running.
"""
import json
import statistics
import sys
import time

missed = []


def goal(what, value, limit, at_most=True):
    ok = value <= limit if at_most else value >= limit
    print(f"{what:<58} {value:8.3f}   goal {'<=' if at_most else '>='} {limit:g}   {'ok' if ok else 'MISSED'}")
    if not ok:
        missed.append(what)


def python_eager(name):
    import torch
    torch.manual_seed(0)
    if name == "gpt2":
        from transformers import GPT2Config, GPT2LMHeadModel
        model, inputs = GPT2LMHeadModel(GPT2Config()), {"input_ids": torch.randint(0, 50000, (1, 256))}
        inputs["attention_mask"] = torch.ones_like(inputs["input_ids"])
    elif name == "bert":
        from transformers import BertConfig, BertForMaskedLM
        model, inputs = BertForMaskedLM(BertConfig()), {"input_ids": torch.randint(0, 30000, (1, 128))}
        inputs["attention_mask"] = torch.ones_like(inputs["input_ids"])
    else:
        import torchvision
        model = getattr(torchvision.models, {"vit-b": "vit_b_16", "swin-t": "swin_t"}[name])()
        inputs = torch.randn(1, 3, 224, 224)
    model.eval()
    times = []
    with torch.inference_mode():
        for _ in range(20):
            begin = time.perf_counter()
            model(**inputs) if isinstance(inputs, dict) else model(inputs)
            times.append(time.perf_counter() - begin)
    return statistics.median(times[5:])


def main():
    report = json.load(open(sys.argv[1]))
    for point in report["points"]:
        name, figures = point["settings"]["model"], point["sections"]["performance"]
        goal(f"{name}: node pass / plain", figures["overhead"], 1.03)
        goal(f"{name}: node times / wall of the node pass", figures["parts"], 0.98, at_most=False)
        try:
            goal(f"{name}: Python eager / ours", python_eager(name) / figures["latency"], 1.0, at_most=False)
        except ImportError as error:
            print(f"{name}: Python eager / ours: skipped, {error}")
    goal("inspect gpt2-xl, seconds", float(sys.argv[2]), 0.5)
    sys.exit(1 if missed else 0)


main()
