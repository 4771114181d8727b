"""Makes tests/fixtures/data/preprocess: what torchvision and transformers make of two small photos, model by model.

    python tests/reference/data_preprocess.py            # rewrites the fixtures
    python tests/reference/data_preprocess.py --compare build/release/tests/data_probe   # random sizes, every preset

Whole tensors would be large: a fixture holds about 300 values spread over each tensor, and its shape.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import torch
from PIL import Image
from torchvision.models import Swin_B_Weights, Swin_S_Weights, Swin_T_Weights
from torchvision.models import ViT_B_16_Weights, ViT_H_14_Weights, ViT_L_16_Weights
from torchvision.models.detection import FasterRCNN_ResNet50_FPN_Weights, MaskRCNN_ResNet50_FPN_Weights
from transformers import DetrImageProcessor, MaskFormerImageProcessor, SegformerImageProcessor, ViTImageProcessor
from transformers.image_utils import load_image

from data_images import picture

warnings.simplefilter("ignore")
FOLDER = pathlib.Path(__file__).resolve().parents[1] / "fixtures" / "data" / "preprocess"
SAMPLES = 300

CLASSIFICATION = {
    "vit-b": ViT_B_16_Weights.IMAGENET1K_V1,
    "vit-l": ViT_L_16_Weights.IMAGENET1K_V1,
    "vit-h": ViT_H_14_Weights.IMAGENET1K_SWAG_LINEAR_V1,
    "swin-t": Swin_T_Weights.IMAGENET1K_V1,
    "swin-s": Swin_S_Weights.IMAGENET1K_V1,
    "swin-b": Swin_B_Weights.IMAGENET1K_V1,
}
DETECTION = {
    "fasterrcnn": FasterRCNN_ResNet50_FPN_Weights.COCO_V1,
    "maskrcnn": MaskRCNN_ResNet50_FPN_Weights.COCO_V1,
}
HUGGING_FACE = {
    "detr": DetrImageProcessor,
    "maskformer": MaskFormerImageProcessor,
    "segformer": SegformerImageProcessor,
    "vit": ViTImageProcessor,
}
# A checkpoint's preprocessor_config.json: as published (old spellings), and unusual ones.
CONFIGS = {
    "detr_published": {
        "feature_extractor_type": "DetrFeatureExtractor", "do_normalize": True, "do_resize": True,
        "format": "coco_detection", "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225],
        "max_size": 1333, "size": 800,
    },
    "segformer_published": {
        "feature_extractor_type": "SegformerFeatureExtractor", "do_normalize": True, "do_resize": True,
        "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225], "reduce_labels": True,
        "resample": 2, "size": 512,
    },
    "vit_bicubic": {"image_processor_type": "ViTImageProcessorFast", "size": 96, "resample": 3},
    "vit_crop": {
        "image_processor_type": "ViTImageProcessor", "size": {"shortest_edge": 61}, "resample": 3,
        "do_center_crop": True, "crop_size": 56, "do_normalize": False,
    },
    "vit_large_crop": {
        "image_processor_type": "ViTImageProcessor", "size": {"height": 40, "width": 65}, "do_center_crop": True,
        "crop_size": {"height": 57, "width": 64}, "do_rescale": False, "image_mean": [1, 2, 3], "image_std": [4, 5, 6],
    },
    "vit_within": {"image_processor_type": "ViTImageProcessor", "size": {"max_height": 70, "max_width": 90}},
    "detr_small": {"image_processor_type": "DetrImageProcessor", "size": {"shortest_edge": 64, "longest_edge": 90}},
    "detr_no_mask": {
        "image_processor_type": "DetrImageProcessor", "size": {"height": 33, "width": 47}, "do_pad": False,
    },
    "detr_pad": {
        "image_processor_type": "DetrImageProcessor", "size": {"shortest_edge": 64, "longest_edge": 90},
        "pad_size": {"height": 100, "width": 110},
    },
    "maskformer_small": {
        "image_processor_type": "MaskFormerImageProcessor", "size": {"shortest_edge": 64, "longest_edge": 90},
        "size_divisor": 8, "rescale_factor": 0.01,
    },
}  # fmt: skip


def originals(name, paths):
    """The tensors that the original makes of these files, by name."""
    if name in CLASSIFICATION or name in DETECTION:
        transform = (CLASSIFICATION.get(name) or DETECTION.get(name)).transforms()
        tensors = [transform(Image.open(path).convert("RGB")) for path in paths]
        return {"0": torch.stack(tensors)} if name in CLASSIFICATION else {f"0.{i}": t for i, t in enumerate(tensors)}
    if name in HUGGING_FACE:
        processor = HUGGING_FACE[name]()
    else:
        from transformers import AutoImageProcessor

        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "preprocessor_config.json").write_text(json.dumps(CONFIGS[name]))
            processor = AutoImageProcessor.from_pretrained(folder)
    batch = processor([load_image(str(path)) for path in paths], return_tensors="pt")
    return {key: batch[key] for key in ("pixel_values", "pixel_mask") if key in batch}


def one_image(name):
    """Whether images of different sizes cannot be in one batch."""
    return name in ("vit_within",)


def write_photos(folder, sizes, seed=0, turned=True):
    paths = []
    for i, (width, height) in enumerate(sizes):
        exif = Image.Exif()
        if turned and i % 2 == 1:
            exif[0x0112] = 6
        path = pathlib.Path(folder, f"photo{i}.png")
        Image.fromarray(picture(width, height, 3, seed + i)).save(path, exif=exif, optimize=True)
        paths.append(path)
    return paths


def write_fixtures():
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.iterdir():
        old.unlink()
    paths = write_photos(FOLDER, [(64, 48), (45, 70)])
    index = {}
    for name in [*CLASSIFICATION, *DETECTION, *HUGGING_FACE, *CONFIGS]:
        if name in CONFIGS:
            (FOLDER / f"{name}.json").write_text(json.dumps(CONFIGS[name]) + "\n")
        used = paths[:1] if one_image(name) else paths
        values, tensors = b"", {}
        for key, tensor in originals(name, used).items():
            stride = tensor.numel() // SAMPLES | 1
            samples = tensor.reshape(-1)[::stride].float().numpy()
            tensors[key] = {"shape": list(tensor.shape), "stride": stride, "offset": len(values) // 4}
            values += samples.tobytes()
        (FOLDER / f"{name}.f32").write_bytes(values)
        index[name] = {"images": len(used), "config": name in CONFIGS, "tensors": tensors}
    (FOLDER / "index.json").write_text(json.dumps(index, indent=1) + "\n")


def probe_preprocess(probe, name, paths, folder):
    out = folder + "/out"
    if name in CONFIGS:
        config = pathlib.Path(folder, "preprocessor_config.json")
        config.write_text(json.dumps(CONFIGS[name]))
        name = config
    result = subprocess.run([probe, "preprocess", name, out, *paths], capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(result.stderr)
    data, tensors = pathlib.Path(out).read_bytes(), {}
    for line in result.stdout.splitlines():
        key, dtype, shape = line.split()
        shape = [int(v) for v in shape.split(",")]
        count = int(np.prod(shape)) * np.dtype(dtype).itemsize
        tensors[key] = torch.from_numpy(np.frombuffer(data[:count], dtype).reshape(shape).copy())
        data = data[count:]
    return tensors


def compare(probe, rounds):
    rng = np.random.default_rng(3)
    for name in [*CLASSIFICATION, *DETECTION, *HUGGING_FACE, *CONFIGS]:
        worst, differing, total = 0.0, 0, 0
        for round_ in range(rounds):
            with tempfile.TemporaryDirectory() as folder:
                sizes = [tuple(int(v) for v in rng.integers(30, 700, 2)) for _ in range(2)]
                paths = write_photos(folder, sizes, round_)
                paths = paths[round_ % 2 :][:1] if one_image(name) else paths
                theirs, ours = originals(name, paths), probe_preprocess(probe, name, paths, folder)
                assert {k: v.shape for k, v in ours.items()} == {k: v.shape for k, v in theirs.items()}, (name, sizes)
                for key in theirs:
                    difference = (theirs[key].double() - ours[key].double()).abs()
                    worst = max(worst, difference.max().item())
                    differing += int((difference > 0).sum())
                    total += difference.numel()
        print(f"{name:20} largest difference {worst:.3g}, {differing} of {total} values differ")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--compare", metavar="PROBE")
    parser.add_argument("--rounds", type=int, default=6)
    arguments = parser.parse_args()
    if arguments.compare:
        compare(arguments.compare, arguments.rounds)
    else:
        write_fixtures()
