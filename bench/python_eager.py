#!/usr/bin/env python3
"""Python eager, on demand: python_eager.py MODEL [--device cuda] [--dtype fp16] [--batch N] [--mode inference_mode].

Reads numbers from standard input, a line each, and answers each with a JSON list of so many latencies in seconds, so that a
caller can take turns with another program (turns.py). Exits with 3, saying why, where torch or the model's library is not installed.
"""
import argparse
import json
import sys
import time

import python_models


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", choices=list(python_models.MODELS))
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="fp32", choices=list(python_models.DTYPES))
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--mode", default="no_grad", choices=["no_grad", "inference_mode"])
    args = parser.parse_args()
    try:
        _, call = python_models.make(args.model, args.batch, args.dtype, args.device, mode=args.mode)
    except ImportError as error:
        print(error, file=sys.stderr)
        sys.exit(3)
    for line in sys.stdin:
        times = []
        for _ in range(int(line)):
            begin = time.perf_counter()
            call()
            times.append(time.perf_counter() - begin)
        print(json.dumps(times), flush=True)


main()
