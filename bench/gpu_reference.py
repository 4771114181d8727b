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

import torch


def text_inputs(batch, length, dtype):
    ids = torch.randint(0, 1000, (batch, length), device="cuda")
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}


def gpt2(batch, dtype, attention):
    from transformers import GPT2Config, GPT2LMHeadModel

    model = GPT2LMHeadModel._from_config(GPT2Config(), attn_implementation=attention, dtype=dtype)
    return model, text_inputs(batch, 256, dtype), "transformers.GPT2LMHeadModel"


def bert(batch, dtype, attention):
    from transformers import BertConfig, BertForMaskedLM

    model = BertForMaskedLM._from_config(BertConfig(), attn_implementation=attention, dtype=dtype)
    return model, text_inputs(batch, 128, dtype), "transformers.BertForMaskedLM"


def detr(batch, dtype, attention):
    from transformers import CONFIG_MAPPING, DetrForObjectDetection

    config = CONFIG_MAPPING["detr"].from_dict({"num_labels": 91})
    model = DetrForObjectDetection._from_config(config, attn_implementation=None, dtype=dtype)
    inputs = {
        "pixel_values": torch.randn(batch, 3, 800, 1088, dtype=dtype, device="cuda"),
        "pixel_mask": torch.ones(batch, 800, 1088, dtype=torch.int64, device="cuda"),
    }
    return model, inputs, "transformers.DetrForObjectDetection"


def vision(name):
    def make(batch, dtype, attention):
        import torchvision

        model = getattr(torchvision.models, name)().to(dtype)
        return model, torch.randn(batch, 3, 224, 224, dtype=dtype, device="cuda"), f"torchvision.models.{name}"

    return make


MODELS = {"gpt2": gpt2, "bert": bert, "detr": detr, "swin-t": vision("swin_t"), "vit-b": vision("vit_b_16")}


def latencies(call, iterations):
    """Seconds of each inference, waited for."""
    samples = []
    for _ in range(iterations):
        torch.cuda.synchronize()
        begin = time.perf_counter()
        call()
        torch.cuda.synchronize()
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
            torch.cuda.synchronize()
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
    model, inputs, origin = MODELS[name](args.batch, args.torch_dtype, args.attention)
    model = model.eval().cuda()
    parameters = sum(p.numel() for p in model.parameters())
    keywords = inputs if isinstance(inputs, dict) else {}
    positional = [] if keywords else [inputs]

    def call():
        with torch.no_grad():
            return model(*positional, **keywords)

    latencies(call, args.warmup)
    torch.cuda.reset_peak_memory_stats()
    samples = latencies(call, args.iterations)
    row = {
        "origin": origin,
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
    parser.add_argument("models", nargs="*", default=list(MODELS), help=", ".join(MODELS))
    parser.add_argument("--dtype", default="fp16", choices=["fp32", "fp16", "bf16"])
    parser.add_argument("--attention", default="sdpa", choices=["sdpa", "eager"])
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--iterations", type=int, default=100)
    parser.add_argument("--warmup", type=int, default=20)
    parser.add_argument("--tf32", action="store_true", help="as nongemm's --tf32: off unless given")
    parser.add_argument("--output", default="gpu_reference.json")
    args = parser.parse_args()
    args.torch_dtype = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}[args.dtype]
    torch.backends.cuda.matmul.allow_tf32 = args.tf32
    torch.backends.cudnn.allow_tf32 = args.tf32
    torch.manual_seed(0)
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
