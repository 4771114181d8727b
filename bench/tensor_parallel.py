#!/usr/bin/env python3
"""Llama 3 8B on two GPUs in Python, beside ours: `tp_plan="auto"` of transformers, and torch.distributed's collectives.

Started by torchrun (bench/tensor_parallel.sh reference). `--table FOLDER` prints both beside one another instead.
"""
import argparse
import json
import os
import pathlib
import statistics
import time

SIZES = [(512, 4096), (2048, 4096), (8192, 4096), (32768, 4096)]
# config.json of Llama 3 8B; weights are random.
CONFIG = dict(vocab_size=128256, hidden_size=4096, intermediate_size=14336, num_hidden_layers=32, num_attention_heads=32,
              num_key_value_heads=8, max_position_embeddings=8192, rope_theta=500000.0, rms_norm_eps=1e-5)


def median_ms(run, times=30, warmup=10):
    import torch
    import torch.distributed as dist
    for _ in range(warmup):
        run()
    samples = []
    for _ in range(times):
        torch.cuda.synchronize()
        dist.barrier()
        torch.cuda.synchronize()
        begin = time.perf_counter()
        run()
        torch.cuda.synchronize()
        samples.append((time.perf_counter() - begin) * 1e3)
    return statistics.median(samples)


def kernel_us(run, times=50, warmup=10):
    """Of NCCL's kernels, median, by torch.profiler; of each call the rank that took least, which came last and did not wait."""
    import torch
    import torch.distributed as dist
    from torch.profiler import ProfilerActivity, profile
    for _ in range(warmup):
        run()
    torch.cuda.synchronize()
    with profile(activities=[ProfilerActivity.CUDA]) as records:
        for _ in range(times):
            run()
        torch.cuda.synchronize()
    own = [e.device_time for e in records.events() if e.name.startswith("nccl")]
    ranks = [None] * dist.get_world_size()
    dist.all_gather_object(ranks, own)
    return statistics.median(map(min, zip(*ranks)))


def collectives():
    import torch
    import torch.distributed as dist
    rows = []
    for rows_, columns in SIZES:
        x = torch.randn(rows_, columns, device="cuda", dtype=torch.float16)
        gathered = torch.empty(2 * rows_, columns, device="cuda", dtype=torch.float16)
        part = torch.empty(rows_ // 2, columns, device="cuda", dtype=torch.float16)
        other = torch.empty_like(x)
        calls = {"all_reduce": lambda: dist.all_reduce(x),
                 "all_gather_into_tensor": lambda: dist.all_gather_into_tensor(gathered, x),
                 "reduce_scatter_tensor": lambda: dist.reduce_scatter_tensor(part, x),
                 "all_to_all_single": lambda: dist.all_to_all_single(other, x)}
        for name, call in calls.items():
            rows.append({"collective": name, "shape": f"{rows_}x{columns}", "kernel_us": kernel_us(call)})
            x.zero_()
    return rows


def record_traces(model, rank, folder, tokens=512, times=2):
    """What `nongemm analyze rank0.json.gz rank1.json.gz` takes."""
    import torch
    from torch.profiler import ProfilerActivity, profile
    ids = torch.zeros((1, tokens), device="cuda", dtype=torch.long)
    with torch.inference_mode(), profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as records:
        for _ in range(times):
            model(ids, use_cache=False)
        torch.cuda.synchronize()
    records.export_chrome_trace(str(folder / f"rank{rank}.json.gz"))


def run_python(arguments):
    import torch
    import torch.distributed as dist
    import tempfile
    from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM
    rank = int(os.environ["RANK"])
    torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("nccl", device_id=torch.device("cuda", int(os.environ["LOCAL_RANK"])))
    result = {"collectives": collectives(), "latency": []}
    folder = pathlib.Path(tempfile.gettempdir()) / "llama3-8b-random"
    if rank == 0 and not (folder / "config.json").exists():
        with torch.device("cuda"):
            torch.set_default_dtype(torch.float16)
            LlamaForCausalLM(LlamaConfig(**CONFIG)).save_pretrained(folder)
    dist.barrier()
    model = AutoModelForCausalLM.from_pretrained(folder, tp_plan="auto", dtype=torch.float16).eval()
    for tokens in map(int, arguments.tokens.split(",")):
        ids = torch.randint(0, CONFIG["vocab_size"], (1, tokens), device="cuda", generator=torch.Generator("cuda").manual_seed(0))
        with torch.inference_mode():
            ms = median_ms(lambda: model(ids, use_cache=False))
        result["latency"].append({"tokens": tokens, "ms": ms})
    record_traces(model, rank, pathlib.Path(arguments.output).parent)
    if rank == 0:
        pathlib.Path(arguments.output).write_text(json.dumps(result, indent=1))
    dist.destroy_process_group()


def print_table(folder):
    python = json.loads((folder / "tp-python.json").read_text())
    run = json.loads((folder / "tp-run" / "report.json").read_text())
    print("tokens  ranks  ours ms  replay ms  Python ms")
    theirs = {row["tokens"]: row["ms"] for row in python["latency"]}
    for point in run["points"]:
        settings, tables = point["settings"], point.get("sections", {})
        performance = tables.get("performance", {})
        tokens = int(settings.get("sequence", 0))
        ranks = settings.get("tensor parallel", "1")
        ours = performance.get("latency")
        replay = performance.get("replay_latency", performance.get("replay"))
        print(f"{tokens:6}  {ranks:>5}  {1e3 * ours if ours else float('nan'):7.2f}  {1e3 * replay if replay else float('nan'):9.2f}  "
              f"{theirs.get(tokens, float('nan')) if ranks == '2' else float('nan'):9.2f}")
    op = json.loads((folder / "tp-op" / "report.json").read_text())
    reference = {(row["collective"], row["shape"]): row["kernel_us"] for row in python["collectives"]}
    print("\ncollective  shape  ours us  torch.distributed us  bus GB/s")
    for point in op["points"]:
        settings, figures = point["settings"], point.get("sections", {}).get("op", {})
        name = settings["operator"].split(".")[1]
        shape = settings["shapes"].strip("[]").replace(", ", "x").split(" ")[0]
        theirs_us = reference.get((name, shape), float("nan"))
        ours = figures.get("transfer") or figures.get("time") or float("nan")
        print(f"{name:24} {shape:12} {1e6 * ours:8.1f} {theirs_us:8.1f} "
              f"{1e-9 * (figures.get('bus_rate') or float('nan')):7.1f}")


def print_waits(folder):
    """The delayed run: what the first rank waited for."""
    print("\ntokens  rank 0 waited ms, because of (the delay alone is 500 us for each SiLU of the model)")
    for point in json.loads((folder / "tp-delay" / "report.json").read_text())["points"]:
        rows = [row for row in point.get("sections", {}).get("rank_waits", []) if row["rank"] == 0]
        total = 1e3 * sum(row["time"] for row in rows)
        print(f"{point['settings'].get('sequence'):>6}  {total:8.2f}")
        for row in rows[:4]:
            print(f"        {1e3 * row['time']:8.3f}  {row['operator']}, {row['state']}, rank {row['last']}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", default="512,2048,8192")
    parser.add_argument("--output", default="tp-python.json")
    parser.add_argument("--table", type=pathlib.Path)
    arguments = parser.parse_args()
    if arguments.table:
        for part in (print_table, print_waits):
            try:
                part(arguments.table)
            except OSError as error:
                print(f"left out: {error}")
    else:
        run_python(arguments)


if __name__ == "__main__":
    main()
