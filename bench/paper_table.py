#!/usr/bin/env python3
"""The paper's Figure 5 and Table IV beside our reports: paper_table.py --gpu REPORT.json... [--cpu REPORT.json...].

Per model (batch 1): share of non-GEMM operators in the latency on the CPU and on the GPU, and the dominant non-GEMM group. On a GPU
a share is given twice: with the device's waits charged to the operators waited for, which is nearest to what the paper counts, and of
the kernels alone. The paper's Table IV groups memory operators of both kinds as one; so does this table.
"""
import argparse
import json

# Table IV of NonGEMM Bench (A100, PyTorch): model, dominant group, its share of the latency in percent.
TABLE_IV = {
    "vit-b": ("Normalization", 14.0), "vit-l": ("Normalization", 13.3), "vit-h": ("Normalization", 11.2),
    "swin-t": ("Memory", 31.8), "swin-s": ("Memory", 33.1), "swin-b": ("Memory", 32.8),
    "fasterrcnn": ("Element-wise arithmetic", 34.4), "maskrcnn": ("Element-wise arithmetic", 33.6),
    "detr": ("Normalization", 34.8), "maskformer": ("Memory", 40.8), "segformer": ("Normalization", 17.4),
    "gpt2": ("Activation", 30.2), "gpt2-large": ("Activation", 29.9), "gpt2-xl": ("Activation", 28.1),
    "llama2-7b": ("Normalization", 14.9), "bert": ("Normalization", 13.1),
}
GEMM = {"GEMM", "Attention"}


def points(paths):
    """Measured points of batch 1 by model; the first of each."""
    found = {}
    for path in paths:
        with open(path, encoding="utf-8") as file:
            for point in json.load(file)["points"]:
                if "performance" in point["sections"] and point["settings"]["batch"] == "1":
                    found.setdefault(point["settings"]["model"], point)
    return found


def shares(point, with_waits):
    """Group to share of the latency (with waits) or of the device's time."""
    groups = {}
    for row in point["sections"]["groups"]:
        name = "Memory" if row["group"].startswith("Memory") else row["group"]
        groups[name] = groups.get(name, 0.0) + (row["time"] or 0.0) + ((row["gap"] or 0.0) if with_waits else 0.0)
    total = sum(groups.values())
    return {name: time / total for name, time in groups.items()}


def nongemm(groups):
    return sum(share for name, share in groups.items() if name not in GEMM)


def dominant(groups):
    name = max((name for name in groups if name not in GEMM), key=groups.get)
    return f"{name} {100 * groups[name]:.1f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gpu", nargs="+", required=True)
    parser.add_argument("--cpu", nargs="*", default=[])
    args = parser.parse_args()
    gpu, cpu = points(args.gpu), points(args.cpu)
    print("| model | CPU non-GEMM % | GPU non-GEMM %, waits charged | GPU non-GEMM %, kernels | paper's dominant (A100) | "
          "ours, waits charged | ours, kernels |")
    print("| --- | ---: | ---: | ---: | --- | --- | --- |")
    on_cpu, charged_gpu, kernels_gpu = [], [], []
    for model, (group, share) in TABLE_IV.items():
        if model not in gpu:
            continue
        charged, kernels = shares(gpu[model], True), shares(gpu[model], False)
        charged_gpu.append(nongemm(charged))
        kernels_gpu.append(nongemm(kernels))
        cpu_share = "-"
        if model in cpu:
            on_cpu.append(nongemm(shares(cpu[model], False)))
            cpu_share = f"{100 * on_cpu[-1]:.1f}"
        print(f"| {model} | {cpu_share} | {100 * charged_gpu[-1]:.1f} | {100 * kernels_gpu[-1]:.1f} | {group} {share} | "
              f"{dominant(charged)} | {dominant(kernels)} |")
    mean = lambda values: f"{100 * sum(values) / len(values):.1f}" if values else "-"
    print(f"| mean (paper: 17.2 on CPUs, 42.3 on GPUs) | {mean(on_cpu)} | {mean(charged_gpu)} | {mean(kernels_gpu)} | | | |")


main()
