"""What the program is held against on a GPU: the same models in Python, eager PyTorch, timed and profiled.

Writes JSON: for each model the median latency, the latency under torch.profiler, and torch.profiler's device time
by operator. Weights are random, no network is needed. Run it on the machine and in the session in which `nongemm run`
is measured: only ratios of one session mean anything.

    python3 bench/gpu_reference.py --dtype fp16 --output reference.json gpt2 swin-t vit-b bert detr
"""

import argparse
import json
import statistics
import time

import python_models
import torch


def latencies(call, iterations):
    """Seconds of each inference, waited for."""
    samples = []
    for _ in range(iterations):
        begin = time.perf_counter()
        call()
        samples.append(time.perf_counter() - begin)
    return samples


def profile(call, iterations):
    """Device microseconds of one inference by outermost operator, busy microseconds, and seconds of an inference."""
    from torch.profiler import ProfilerActivity
    from torch.profiler import profile as profiler

    with profiler(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA], acc_events=True) as records:
        begin = time.perf_counter()
        for _ in range(iterations):
            call()
        end = time.perf_counter()
    operators = {}
    busy = 0.0
    for event in records.events():
        if str(event.device_type).endswith("CUDA"):
            busy += event.self_device_time_total / iterations
        elif "::" in event.name and event.cpu_parent is None:
            row = operators.setdefault(event.name, {"device_us": 0.0, "calls": 0.0})
            row["device_us"] += event.device_time_total / iterations
            row["calls"] += 1 / iterations
    return operators, busy, (end - begin) / iterations


def measure(name, args):
    model, call = python_models.make(name, args.batch, args.dtype, "cuda", args.attention)
    parameters = sum(p.numel() for p in model.parameters())
    latencies(call, args.warmup)
    torch.cuda.reset_peak_memory_stats()
    samples = latencies(call, args.iterations)
    row = {
        "parameters": parameters,
        "python_eager_median_ms": statistics.median(samples) * 1e3,
        "python_eager_ms": [s * 1e3 for s in samples],
        "peak_bytes": torch.cuda.max_memory_allocated(),
    }
    try:
        operators, busy, wall = profile(call, min(20, args.iterations))
        row.update(python_under_torch_profiler_ms=wall * 1e3, device_busy_ms=busy / 1e3, operators=operators)
    except RuntimeError as error:
        row["profiler_error"] = str(error)
    del model
    torch.cuda.empty_cache()
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=["gpt2", "bert", "detr", "swin-t", "vit-b"], help=", ".join(python_models.MODELS))
    parser.add_argument("--dtype", default="fp16", choices=["fp32", "fp16", "bf16"])
    parser.add_argument("--attention", default="sdpa", choices=["sdpa", "eager"])
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--iterations", type=int, default=100)
    parser.add_argument("--warmup", type=int, default=20)
    parser.add_argument("--tf32", choices=["default", "on", "off"], default="default",
                        help="as nongemm's --tf32; default: what PyTorch does by itself, convolutions alone")
    parser.add_argument("--output", default="gpu_reference.json")
    args = parser.parse_args()
    if args.tf32 != "default":
        torch.backends.cuda.matmul.allow_tf32 = args.tf32 == "on"
        torch.backends.cudnn.allow_tf32 = args.tf32 == "on"
    result = {
        "device": torch.cuda.get_device_name(),
        "torch": torch.__version__,
        "dtype": args.dtype,
        "batch": args.batch,
        "attention": args.attention,
        "models": {},
    }
    for name in args.models:
        try:
            row = measure(name, args)
            print(f"{name}: {row['python_eager_median_ms']:.3f} ms eager", flush=True)
        except Exception as error:  # a missing package must not cost the other models
            row = {"error": f"{type(error).__name__}: {error}"}
            print(f"{name}: {row['error']}", flush=True)
        result["models"][name] = row
    with open(args.output, "w") as file:
        json.dump(result, file, indent=1)


if __name__ == "__main__":
    main()
