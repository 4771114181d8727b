"""The tiny configurations that make_numerics.py runs: family, variant, config, inputs."""

from cases import ci, detection, text, vision
from cases.drawn import drawn

FAMILIES = (
    text.gpt2,
    text.bert,
    vision.vit,
    vision.swin,
    text.llama,
    vision.segformer,
    detection.detr,
    detection.maskformer,
)


def all_cases():
    yield from ci.ci()
    for family in FAMILIES:
        yield from family()
    yield from detection.rcnn("fasterrcnn")
    yield from detection.rcnn("maskrcnn")
