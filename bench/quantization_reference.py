"""bitsandbytes' LLM.int8 in Llama 3 8B, beside `nongemm run llama3-8b --quantize llm.int8` in the same session.

Random weights of transformers' own spread, batch 1, no cache, logits of all tokens; for each length the model as it is and with
Linear8bitLt layers: median latency, kernels' time and number by torch.profiler, peak memory. Kernels are recorded over as
many inferences in a row as are timed, after some that are not counted: a device that has rested runs its first ones at a
higher clock than its power allows for. Writes JSON.

    python3 bench/quantization_reference.py --seq-len 512,2048 --output bitsandbytes.json
"""

import argparse
import json
import statistics
import time

import torch


def make_model():
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(vocab_size=128256, hidden_size=4096, intermediate_size=14336, num_hidden_layers=32,
                         num_attention_heads=32, num_key_value_heads=8, max_position_embeddings=8192, rope_theta=500000.0,
                         rms_norm_eps=1e-5, use_cache=False)
    torch.set_default_dtype(torch.float16)
    with torch.device("cuda"):
        return LlamaForCausalLM(config).eval()


def let_columns_stand_out(model, count):
    """The columns, and how far, of `--outlier-columns`."""
    for name, weight in model.named_parameters():
        if count == 0 or weight.dim() != 1 or "norm" not in name:
            continue
        every = weight.numel() // count
        for column in range(count):
            weight.data[column * every + every // 2] = 20.0


def quantize(model, threshold):
    import bitsandbytes as bnb

    for name, module in list(model.named_modules()):
        if not isinstance(module, torch.nn.Linear) or name == "lm_head":
            continue
        parent = model.get_submodule(name.rpartition(".")[0])
        layer = bnb.nn.Linear8bitLt(module.in_features, module.out_features, bias=False, has_fp16_weights=False,
                                    threshold=threshold)
        layer.weight = bnb.nn.Int8Params(module.weight.data, requires_grad=False, has_fp16_weights=False)
        setattr(parent, name.rpartition(".")[2], layer.cuda())
    return model


def measure(model, length, iterations):
    from torch.profiler import ProfilerActivity, profile, schedule

    ids = torch.randint(0, 128256, (1, length), device="cuda")
    samples = []
    torch.cuda.reset_peak_memory_stats()
    with torch.inference_mode():
        for step in range(iterations + 3):
            begin = time.perf_counter()
            model(ids)
            torch.cuda.synchronize()
            if step >= 3:
                samples.append((time.perf_counter() - begin) * 1e3)
        peak = torch.cuda.max_memory_allocated()
        recorded = schedule(wait=0, warmup=3, active=iterations, repeat=1)
        with profile(activities=[ProfilerActivity.CUDA], schedule=recorded, acc_events=True) as records:
            for _ in range(iterations + 3):
                model(ids)
                torch.cuda.synchronize()
                records.step()
    kernels = [event for event in records.events() if str(event.device_type).endswith("CUDA")
               and not event.name.startswith("ProfilerStep")]
    by_name = {}
    for event in kernels:
        by_name[event.name] = by_name.get(event.name, 0) + event.self_device_time_total / 1e3 / iterations
    largest = dict(sorted(by_name.items(), key=lambda item: -item[1])[:25])
    return {"tokens": length, "latency_ms": statistics.median(samples), "samples_ms": samples,
            "kernels_ms": sum(by_name.values()), "kernels": round(len(kernels) / iterations), "peak_bytes": peak,
            "largest": largest}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seq-len", default="512,1024,2048,4096,8192")
    parser.add_argument("--iterations", type=int, default=10)
    parser.add_argument("--threshold", type=float, default=6.0)
    parser.add_argument("--outlier-columns", type=int, default=0,
                        help="of normalized activations, as trained models have them (nongemm's option)")
    parser.add_argument("--output", default="bitsandbytes.json")
    args = parser.parse_args()
    lengths = [int(text) for text in args.seq_len.split(",")]
    model = make_model()
    let_columns_stand_out(model, args.outlier_columns)
    result = {"device": torch.cuda.get_device_name(), "torch": torch.__version__, "threshold": args.threshold,
              "outlier_columns": args.outlier_columns,
              "fp16": [measure(model, length, args.iterations) for length in lengths]}
    quantize(model, args.threshold)
    result["llm.int8"] = [measure(model, length, args.iterations) for length in lengths]
    with open(args.output, "w") as file:
        json.dump(result, file, indent=1)
    for plain, eight in zip(result["fp16"], result["llm.int8"]):
        print(f"{plain['tokens']:5} tokens: fp16 {plain['latency_ms']:.1f} ms (kernels {plain['kernels_ms']:.1f}), "
              f"LLM.int8 {eight['latency_ms']:.1f} ms (kernels {eight['kernels_ms']:.1f}, {eight['kernels']})")


if __name__ == "__main__":
    main()
