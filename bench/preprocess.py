"""Preprocessing of a 640x480 JPEG: this project beside Pillow, torchvision and transformers, one thread each.

    python bench/preprocess.py build/release/bin/preprocess_benchmark [photo.jpg]

Without a photo one is made (smooth colours and noise, quality 90, 4:2:0). Medians in milliseconds of CPU time, so that other
load does not count, from the file's bytes
in memory to the model's input; "decode" and "resize" show where the originals spend theirs. Needs torch, torchvision,
transformers (versions in tests/reference/README.md).
"""

import io
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import torch
from PIL import Image
from torchvision.models import Swin_T_Weights, ViT_B_16_Weights
from torchvision.models.detection import MaskRCNN_ResNet50_FPN_Weights
from transformers import DetrImageProcessor, MaskFormerImageProcessor, SegformerImageProcessor

SECONDS = 2.0


def make_photo(path):
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:480, 0:640]
    planes = [127 + 90 * np.sin(x / (31 + 9 * c)) * np.cos(y / (47 - 8 * c)) + rng.normal(0, 6, x.shape) for c in range(3)]
    Image.fromarray(np.clip(np.stack(planes, -1), 0, 255).astype(np.uint8)).save(path, quality=90)


def median_ms(function):
    times = []
    end = time.thread_time() + SECONDS
    while time.thread_time() < end or len(times) < 5:
        start = time.thread_time()
        function()
        times.append((time.thread_time() - start) * 1e3)
    return statistics.median(times)


def decode(data):
    return Image.open(io.BytesIO(data)).convert("RGB")


def pipelines():
    """name -> image to model input, and the part of it that resizes (None: nothing does)."""
    yield "vit-b", ViT_B_16_Weights.IMAGENET1K_V1.transforms(), lambda i: i.resize((341, 256), Image.Resampling.BILINEAR)
    yield "swin-t", Swin_T_Weights.IMAGENET1K_V1.transforms(), lambda i: i.resize((309, 232), Image.Resampling.BICUBIC)
    yield "maskrcnn", MaskRCNN_ResNet50_FPN_Weights.COCO_V1.transforms(), None
    for name, kind in (
        ("detr", DetrImageProcessor),
        ("maskformer", MaskFormerImageProcessor),
        ("segformer", SegformerImageProcessor),
    ):
        processor = kind()
        yield name, lambda image, p=processor: p(image, return_tensors="pt"), None


def main():
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        photo = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else pathlib.Path(folder, "photo.jpg")
        if len(sys.argv) <= 2:
            make_photo(photo)
        ours = {}
        lines = subprocess.run([sys.argv[1], photo, str(SECONDS)], capture_output=True, text=True, check=True).stdout
        for line in lines.splitlines():
            name, *values = line.split()
            ours[name] = [float(value) for value in values]
        data = photo.read_bytes()
        theirs_decode = median_ms(lambda: decode(data))
        image = decode(data)
        print(f"decode alone: ours {statistics.median(v[0] for v in ours.values()):.2f} ms, Pillow {theirs_decode:.2f} ms")
        print(f"{'model':12}{'ours':>8}{'original':>10}{'ratio':>7}   ours: decode resize normalise; original: resize")
        for name, transform, resize in pipelines():
            total = median_ms(lambda: transform(decode(data)))
            part = f"{median_ms(lambda: resize(image)):.2f}" if resize else "-"
            own = ours[name]
            split = f"{own[0]:.2f} {own[1]:.2f} {own[2]:.2f}; {part}"
            print(f"{name:12}{own[3]:8.2f}{total:10.2f}{total / own[3]:7.2f}   {split}")


if __name__ == "__main__":
    main()
