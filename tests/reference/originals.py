"""Builds the original models (transformers 5.17, torchvision 0.26) from a case's config.json.

The config holds Hugging Face's keys, or for torchvision the constructor's arguments with a `model_type` of
`torchvision.*`. Keys that begin with `_` describe the case: `_attn_implementation`, `_call`.
"""

import copy
import json

import diffusers
import torch
import torchvision
import transformers
from torch import nn
from torchvision.models import resnet as tv_resnet
from torchvision.models.detection import _utils as det_utils
from torchvision.models.detection import faster_rcnn, mask_rcnn
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.models.detection.rpn import RPNHead
from torchvision.ops.misc import FrozenBatchNorm2d

HF_CLASSES = {
    "gpt2": transformers.GPT2LMHeadModel,
    "bert": transformers.BertForMaskedLM,
    "llama": transformers.LlamaForCausalLM,
    "segformer": transformers.SegformerForSemanticSegmentation,
    "detr": transformers.DetrForObjectDetection,
    "maskformer": transformers.MaskFormerForInstanceSegmentation,
}


def hf_config(config):
    """The transformers config object of a config.json; attention implementation as recorded."""
    keys = {k: v for k, v in config.items() if k not in ("model_type", "_call", "_attn_implementation", "_note")}
    return transformers.CONFIG_MAPPING[config["model_type"]].from_dict(copy.deepcopy(keys))  # nested dicts are emptied


def published(folder, dtype=torch.float32):
    """The model of a folder as save_pretrained writes them, whose config.json names the class."""
    config = json.loads((folder / "config.json").read_text())
    if "_class_name" in config:
        return getattr(diffusers, config["_class_name"]).from_pretrained(folder, torch_dtype=dtype).eval()
    cls = getattr(transformers, config["architectures"][0])
    attention = "eager" if config.get("_attn_implementation") == "eager" else None
    return cls.from_pretrained(folder, attn_implementation=attention, dtype=dtype).eval()


def build(config, dtype=torch.float32):
    """The original model in eval mode, weights still as the constructor made them; the config's dtype is ignored."""
    kind = config["model_type"]
    if kind in HF_CLASSES:
        cls, cfg = HF_CLASSES[kind], hf_config(config)
        # Without a request transformers takes sdpa where the class has it; asking for it fails on ResNet backbones.
        attention = "eager" if config.get("_attn_implementation") == "eager" else None
        return cls._from_config(cfg, attn_implementation=attention, dtype=dtype).eval()
    arguments = {k: v for k, v in config.items() if k != "model_type" and not k.startswith("_")}
    return TORCHVISION[kind](**copy.deepcopy(arguments)).eval().to(dtype)


def vision_transformer(**arguments):
    return torchvision.models.VisionTransformer(**arguments)


def swin_transformer(**arguments):
    return torchvision.models.SwinTransformer(**arguments)


class NarrowResNet(tv_resnet.ResNet):
    """torchvision's ResNet with the channel counts of the four stages given (64, 128, 256, 512 in the original).

    The constructor's `width_per_group` narrows the inner convolutions: width = planes * width_per_group / 64.
    The stem keeps 64 channels.
    """

    def __init__(self, planes, **arguments):
        self._planes = list(planes)
        super().__init__(**arguments)

    def _make_layer(self, block, planes, blocks, stride=1, dilate=False):
        return super()._make_layer(block, self._planes.pop(0), blocks, stride, dilate)


NORM_LAYERS = {"frozen_batch_norm": FrozenBatchNorm2d, "batch_norm": nn.BatchNorm2d}
BLOCKS = {"bottleneck": tv_resnet.Bottleneck, "basic": tv_resnet.BasicBlock}


def resnet_fpn(resnet, fpn_channels, norm_layer):
    body = NarrowResNet(
        block=BLOCKS[resnet["block"]],
        layers=resnet["layers"],
        planes=resnet["planes"],
        width_per_group=resnet.get("width_per_group", 64),
        norm_layer=NORM_LAYERS[norm_layer],
    )
    widths = [p * body.layer1[0].expansion for p in resnet["planes"]]
    layers = {f"layer{i + 1}": str(i) for i in range(4)}
    return BackboneWithFPN(body, layers, widths, fpn_channels)


def detection_parts(arguments):
    """What both R-CNNs share: backbone and the arguments of FasterRCNN; `arguments` loses what was used."""
    resnet = arguments.pop("resnet")
    channels = arguments.pop("fpn_channels")
    backbone = resnet_fpn(resnet, channels, arguments.pop("norm_layer", "frozen_batch_norm"))
    classes = arguments.pop("num_classes")
    representation = arguments.pop("representation_size")
    parts = dict(
        box_head=faster_rcnn.TwoMLPHead(channels * 7 * 7, representation),
        box_predictor=faster_rcnn.FastRCNNPredictor(representation, classes),
    )
    # `rpn_conv_depth` 2 is the v2 builders' RPN head.
    anchors = AnchorGenerator(((32,), (64,), (128,), (256,), (512,)), ((0.5, 1.0, 2.0),) * 5)
    parts["rpn_anchor_generator"] = anchors
    per_location = anchors.num_anchors_per_location()[0]
    parts["rpn_head"] = RPNHead(channels, per_location, conv_depth=arguments.pop("rpn_conv_depth", 1))
    return backbone, channels, classes, parts


def faster_rcnn_model(**arguments):
    arguments.pop("mask_layers", None)
    arguments.pop("mask_dim_reduced", None)
    backbone, _, _, parts = detection_parts(arguments)
    return faster_rcnn.FasterRCNN(backbone, **parts, **arguments)


def mask_rcnn_model(**arguments):
    mask_layers, reduced = arguments.pop("mask_layers"), arguments.pop("mask_dim_reduced")
    backbone, channels, classes, parts = detection_parts(arguments)
    parts["mask_head"] = mask_rcnn.MaskRCNNHeads(channels, mask_layers, 1)
    parts["mask_predictor"] = mask_rcnn.MaskRCNNPredictor(mask_layers[-1], reduced, classes)
    return mask_rcnn.MaskRCNN(backbone, **parts, **arguments)


TORCHVISION = {
    "torchvision.vision_transformer": vision_transformer,
    "torchvision.swin_transformer": swin_transformer,
    "torchvision.faster_rcnn": faster_rcnn_model,
    "torchvision.mask_rcnn": mask_rcnn_model,
}


def call(model, inputs):
    """One inference: keywords for names, positions for digits, a list of images for `0.0`, `0.1`, ..."""
    if "0.0" in inputs:
        arguments, keywords = [[inputs[f"0.{i}"] for i in range(len(inputs))]], {}
    elif "0" in inputs:
        arguments, keywords = [inputs[str(i)] for i in range(len(inputs))], {}
    else:
        arguments, keywords = [], {}
        for name, tensor in inputs.items():  # "added_cond_kwargs.time_ids" is an entry of a dictionary
            outer, _, inner = name.partition(".")
            if inner:
                keywords.setdefault(outer, {})[inner] = tensor
            else:
                keywords[name] = tensor
    with torch.no_grad():
        return model(*arguments, **keywords)


def flatten(output, name=""):
    """The tensors of an output by their names, nested names joined by dots; a key-value cache is left out."""
    if isinstance(output, torch.Tensor):
        return {name or "output": output}
    items = (
        output.items() if hasattr(output, "items") else enumerate(output) if isinstance(output, (list, tuple)) else []
    )
    flat = {}
    for key, value in items:
        flat.update(flatten(value, f"{name}.{key}" if name else str(key)))
    return flat
