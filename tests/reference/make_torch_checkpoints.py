"""Writes tests/fixtures/weights: small checkpoints by torch.save, and the tensors in them as safetensors.

Needs torch and safetensors: python tests/reference/make_torch_checkpoints.py
"""

import argparse
import io
import os
import pathlib
import zipfile
from collections import OrderedDict

import torch
from safetensors.torch import save_file

FOLDER = pathlib.Path(__file__).parent.parent / "fixtures" / "weights"


class Attack:
    def __reduce__(self):
        return os.system, ("touch attacked",)


class Net(torch.nn.Module):
    """Has what state dicts have: parameters, buffers, tied weights, _metadata."""

    def __init__(self):
        super().__init__()
        self.embedding = torch.nn.Embedding(5, 4)
        self.norm = torch.nn.BatchNorm1d(4)
        self.head = torch.nn.Linear(4, 5, bias=False)
        self.head.weight = self.embedding.weight


def tensors():
    """Every element type and every way in which a tensor lies in its storage."""
    base = torch.arange(24, dtype=torch.float32).reshape(4, 6) / 7
    result = {
        "bool": torch.tensor([True, False, True]),
        "uint8": torch.arange(5, dtype=torch.uint8),
        "int8": torch.arange(-2, 3, dtype=torch.int8),
        "int16": torch.arange(-2, 3, dtype=torch.int16),
        "int32": torch.arange(-2, 3, dtype=torch.int32),
        "int64": torch.arange(-2, 3, dtype=torch.int64),
        "float16": base.half(),
        "bfloat16": base.bfloat16(),
        "float32": base,
        "float64": base.double(),
        "scalar": torch.tensor(2.5),
        "empty": torch.zeros(0, 3),
        "slice": base[1:3],
        "column": base[:, 2],
        "transposed": base.t(),
        "permuted": torch.arange(60, dtype=torch.int16).reshape(3, 4, 5).permute(2, 0, 1),
        "expanded": torch.arange(3, dtype=torch.float32).reshape(3, 1).expand(3, 4),
        "odd_offset": torch.arange(7, dtype=torch.uint8)[3:],
    }
    result["parameter"] = torch.nn.Parameter(base * 2)
    return result


def rezip(source, target, method, change=lambda name, data: data):
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", method) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))


def main():
    torch.manual_seed(0)
    FOLDER.mkdir(parents=True, exist_ok=True)
    net = Net().state_dict()
    plain = tensors()
    torch.save(plain, FOLDER / "tensors.pth")
    torch.save(plain, FOLDER / "legacy.pth", _use_new_zipfile_serialization=False)
    torch.save(plain, FOLDER / "protocol4.pth", pickle_protocol=4)
    save_file({k: v.detach().clone().contiguous() for k, v in plain.items()}, FOLDER / "tensors.safetensors")
    torch.save(net, FOLDER / "net.pth")
    save_file({k: v.detach().clone() for k, v in net.items()}, FOLDER / "net.safetensors")
    torch.save({"epoch": 3, "lr": 1e-4, "names": ["a", ("b", None)], "model": OrderedDict(net), "done": False},
               FOLDER / "nested.pth")
    torch.save({"state_dict": net, "args": argparse.Namespace(lr=1)}, FOLDER / "namespace.pth")
    torch.save({"weight": torch.zeros(2), "attack": Attack()}, FOLDER / "attack.pth")
    torch.save({"weight": torch.zeros(2), "attack": Attack()}, FOLDER / "attack_legacy.pth",
               _use_new_zipfile_serialization=False)
    torch.save({"epoch": 3, "optimizer": {"lr": 1}}, FOLDER / "no_tensors.pth")
    torch.save(torch.zeros(2), FOLDER / "bare.pth")
    torch.save({"weight": torch.zeros(2).to_sparse()}, FOLDER / "sparse.pth")
    torch.save({"weight": torch.zeros(2, dtype=torch.complex64)}, FOLDER / "complex.pth")
    rezip(FOLDER / "net.pth", FOLDER / "deflated.pth", zipfile.ZIP_DEFLATED)
    rezip(FOLDER / "net.pth", FOLDER / "big_endian.pth", zipfile.ZIP_STORED,
          lambda name, data: b"big" if name.endswith("byteorder") else data)
    rezip(FOLDER / "net.pth", FOLDER / "short_storage.pth", zipfile.ZIP_STORED,
          lambda name, data: data[:-4] if name.endswith("data/0") else data)
    buffer = io.BytesIO()
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), buffer)
    (FOLDER / "script.pt").write_bytes(buffer.getvalue())


if __name__ == "__main__":
    main()
