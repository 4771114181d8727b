"""torch.compile in Python beside the inductor flow, on the very programs that `nongemm export` wrote.

    python3 bench/inductor_reference.py FOLDER --output reference.json      FOLDER/NAME.pt2 of each model

Writes JSON: for each program the median latency of torch.compile (default mode) of its module, waited for, and the device
time of its kernels by torch.profiler. Run it on the machine and in the session in which `nongemm run` is measured.
"""

import argparse
import json
import pathlib
import statistics
import time

import torch


def latencies(call, iterations):
    samples = []
    for _ in range(iterations):
        begin = time.perf_counter()
        call()
        samples.append(time.perf_counter() - begin)
    return samples


def kernel_seconds(call, iterations):
    """Of one inference: all kernels' time, and by name. Copies and fills are none."""
    from torch.profiler import ProfilerActivity
    from torch.profiler import profile as profiler

    with profiler(activities=[ProfilerActivity.CUDA], acc_events=True) as records:
        for _ in range(iterations):
            call()
    kernels = {}
    for event in records.events():
        if str(event.device_type).endswith("CUDA") and not event.name.startswith(("Memcpy", "Memset")):
            kernels[event.name] = kernels.get(event.name, 0.0) + event.self_device_time_total * 1e-6 / iterations
    return sum(kernels.values()), kernels


def measure(path, device, iterations, warmup):
    from torch.export.passes import move_to_device_pass

    torch._dynamo.reset()
    program = torch.export.load(path)
    if device != "cpu":
        program = move_to_device_pass(program, device)
    args, kwargs = program.example_inputs
    module = torch.compile(program.module())

    def call():
        with torch.no_grad():
            module(*args, **kwargs)
            if device != "cpu":
                torch.cuda.synchronize()

    begin = time.perf_counter()
    call()
    row = {"compile_s": time.perf_counter() - begin}
    latencies(call, warmup)
    samples = latencies(call, iterations)
    row.update(median_ms=statistics.median(samples) * 1e3, samples_ms=[s * 1e3 for s in samples])
    if device != "cpu":
        row["kernel_ms"], kernels = kernel_seconds(call, min(20, iterations))
        row["kernel_ms"] *= 1e3
        row["kernels_us"] = {name: s * 1e6 for name, s in sorted(kernels.items(), key=lambda pair: -pair[1])}
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--iterations", type=int, default=100)
    parser.add_argument("--warmup", type=int, default=20)
    parser.add_argument("--only", help="one program's name")
    parser.add_argument("--output", required=True)
    args = parser.parse_args()
    models = {}
    for path in sorted(args.folder.glob(f"{args.only or '*'}.pt2")):
        try:
            models[path.stem] = measure(path, args.device, args.iterations, args.warmup)
            print(path.stem, {key: value for key, value in models[path.stem].items() if not isinstance(value, (list, dict))}, flush=True)
        except Exception as error:  # one model does not end the others
            models[path.stem] = {"error": f"{type(error).__name__}: {str(error)[:500]}"}
            print(path.stem, models[path.stem]["error"], flush=True)
    with open(args.output, "w") as file:
        json.dump({"torch": torch.__version__, "models": models}, file, indent=1)


if __name__ == "__main__":
    main()
