#!/usr/bin/env python3
"""What writing a model as an ONNX file takes against copying its checkpoint: time and memory, in turns.

    python3 bench/export.py [MODEL] [--program PROGRAM] [--folder FOLDER] [--rounds N]

Prints the ratio of the times and the memory beyond the weights (GB). Both write to the same disk and wait until it has
what they wrote. FOLDER needs room for three times the weights; they are made there once and removed again.
"""
import argparse
import json
import math
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import tempfile
import time

ELEMENT_BYTES = 4  # fp32


def write_checkpoint(path, graph):
    """A safetensors file with the graph's weights, of pseudo-random bytes that are finite numbers."""
    header, offset = {}, 0
    for weight in graph["weights"]:
        shape = graph["values"][weight["value"]]["shape"]
        size = ELEMENT_BYTES * math.prod(shape)
        header[weight["name"]] = {"dtype": "F32", "shape": shape, "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    block = (b"\x17\x2a\x05\x3d\x81\x94\x77\xbc\x4d\x60\x91\x3c" * 349526)[: 4 << 20]
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for begin in range(0, offset, len(block)):
            file.write(block[: min(len(block), offset - begin)])
        file.flush()
        os.fsync(file.fileno())
    return offset


def copy(source, target):
    begin = time.perf_counter()
    with open(source, "rb") as reader, open(target, "wb") as writer:
        while os.copy_file_range(reader.fileno(), writer.fileno(), 1 << 26) > 0:
            pass
        os.fsync(writer.fileno())
    return time.perf_counter() - begin


def export(program, model, checkpoint, target):
    """Seconds, and the most memory of its own that the process held: pages of the mapped checkpoint are the file's."""
    begin = time.perf_counter()
    subprocess.run([program, "export", model, str(target), "--weights", str(checkpoint)], check=True, capture_output=True)
    return time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", default="gpt2-xl")
    parser.add_argument("--program", default="build/release/bin/nongemm")
    parser.add_argument("--folder", help="default: the folder for temporary files")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="nongemm-export-", dir=arguments.folder))
    try:
        graph = subprocess.run([arguments.program, "inspect", arguments.model, "--graph"], check=True, capture_output=True)
        checkpoint = folder / "model.safetensors"
        weights = write_checkpoint(checkpoint, json.loads(graph.stdout))
        ratios, most = [], 0
        for turn in range(arguments.rounds + 1):
            copied = copy(checkpoint, folder / "copy")
            os.remove(folder / "copy")
            written, memory = export(arguments.program, arguments.model, checkpoint, folder / "model.onnx")
            for file in folder.glob("model.onnx*"):
                os.remove(file)
            most = max(most, memory)
            if turn > 0:  # the first reads the checkpoint from the disk
                ratios.append(written / copied)
        print(f"{statistics.median(ratios):.3f} {(most - weights) / 1e9:.3f}")
    finally:
        shutil.rmtree(folder)


main()
