"""Writes tests/data/roi_operators.safetensors: what torchvision's nms and roi_align give for random boxes.

    python make_roi.py [OUTPUT]

Cases are numbered: `nms.0.boxes`, `.scores`, `.threshold`, `.kept`; `align.0.input`, `.rois`, `.options` (spatial scale,
pooled height and width, sampling ratio, aligned), `.output`.
"""

import pathlib
import sys

import torch
import torchvision
from safetensors.torch import save_file

DEFAULT = pathlib.Path(__file__).resolve().parents[1] / "data" / "roi_operators.safetensors"


def random_boxes(count, size, generator):
    """Some far outside, some without an area, some twice."""
    corners = torch.rand(count, 2, generator=generator) * 1.4 * size - 0.2 * size
    sides = torch.rand(count, 2, generator=generator) ** 2 * size
    sides[torch.rand(count, generator=generator) < 0.05] = 0
    boxes = torch.cat([corners, corners + sides], 1)
    if count > 4:
        boxes[count // 2 : count // 2 + 2] = boxes[:2]
    return boxes


def main(output):
    generator = torch.Generator().manual_seed(0)
    tensors = {}
    for number, count in enumerate([0, 1, 2, 3, 8, 17, 64, 65, 150, 300]):
        boxes = random_boxes(count, 100.0, generator)
        scores = torch.randint(0, 40, (count,), generator=generator) / 40.0  # ties
        threshold = [0.0, 0.3, 0.5, 0.7, 1.0][number % 5]
        case = dict(boxes=boxes, scores=scores, threshold=torch.tensor([threshold], dtype=torch.float64))
        case["kept"] = torchvision.ops.nms(boxes, scores, threshold)
        tensors.update({f"nms.{number}.{name}": value for name, value in case.items()})
    for number in range(16):
        draw = lambda low, high: int(torch.randint(low, high + 1, (1,), generator=generator))
        images, channels, height, width = draw(1, 3), draw(1, 5), draw(1, 24), draw(1, 24)
        count, scale = draw(0, 12), [1.0, 0.5, 0.25, 0.03125][draw(0, 3)]
        rois = random_boxes(count, max(height, width) / scale, generator)
        index = torch.randint(0, images, (count, 1), generator=generator).float()
        pooled = (draw(1, 7), draw(1, 7))
        ratio, aligned = [-1, 0, 1, 2, 3][draw(0, 4)], draw(0, 1)
        case = dict(input=torch.randn(images, channels, height, width, generator=generator), rois=torch.cat([index, rois], 1))
        case["options"] = torch.tensor([scale, *pooled, ratio, aligned], dtype=torch.float64)
        case["output"] = torchvision.ops.roi_align(case["input"], case["rois"], pooled, scale, ratio, bool(aligned))
        tensors.update({f"align.{number}.{name}": value for name, value in case.items()})
    save_file(tensors, output)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else DEFAULT)
