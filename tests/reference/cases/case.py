"""What a numerics case is, and its inputs."""

import dataclasses
import typing

import torch


@dataclasses.dataclass
class Case:
    family: str
    variant: str
    config: dict
    inputs: typing.Callable  # generator -> {name: tensor}
    attention: str = "sdpa"
    as_given: bool = False  # config.json keeps exactly these keys, as published checkpoints do
    seed: int = 0


def tokens(vocabulary, batch, length, padding=None, **extra):
    """Token ids; `padding`: None (no mask), "none" (all ones), "left", "right" (row i: 2i+1 pads, the last none)."""

    def make(generator):
        inputs = {"input_ids": torch.randint(3, vocabulary, (batch, length), generator=generator)}
        if padding:
            mask = torch.ones(batch, length, dtype=torch.int64)
            for row in range(batch - 1 if batch > 1 else 1):
                if padding != "none":
                    pads = 2 * row + 1
                    mask[row, :pads] = 0 if padding == "left" else 1
                    mask[row, length - pads :] = 0 if padding == "right" else 1
            inputs["attention_mask"] = mask
        for name, limit in extra.items():
            inputs[name] = torch.randint(0, limit, (batch, length), generator=generator)
        return inputs

    return make


def image(name, batch, height, width, mask_sizes=None, channels=3):
    """One batch of images; `mask_sizes` (one (height, width) per image) adds a pixel mask and zeroes the padding."""

    def make(generator):
        pixels = torch.randn(batch, channels, height, width, generator=generator)
        inputs = {name: pixels}
        if mask_sizes:
            mask = torch.zeros(batch, height, width, dtype=torch.int64)
            for row, (h, w) in enumerate(mask_sizes):
                mask[row, :h, :w] = 1
            inputs = {name: pixels * mask[:, None], "pixel_mask": mask}
        return inputs

    return make


def images(*sizes):
    return lambda generator: {f"0.{i}": torch.rand(3, h, w, generator=generator) for i, (h, w) in enumerate(sizes)}
