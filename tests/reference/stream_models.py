"""The models that make_streams.py runs: name -> function giving (model, callable, config)."""

import functools
import json

import torch
import torchvision
import transformers
from safetensors.torch import load_file
from torchvision.models import detection

import originals

MODELS = {}


def model(*names):
    """Registers a maker under every name; the maker is called with the name's parts after the first."""

    def register(maker):
        for name in names:
            MODELS[name] = functools.partial(maker, *name.split(":"))
        return maker

    return register


def number(parts, letter, default):
    return next((int(p[1:]) for p in parts if p[0] == letter and p[1:].isdigit()), default)


def dtype_of(parts):
    return torch.float16 if "fp16" in parts else torch.bfloat16 if "bf16" in parts else torch.float32


def hugging_face(parts, config, inputs):
    config["_attn_implementation"] = "eager" if "eager" in parts else "sdpa"
    dtype = dtype_of(parts)
    with transformers.initialization.no_init_weights():
        network = originals.build(config, dtype)
    with torch.no_grad():
        for tensor in network.parameters():  # uninitialised memory may hold NaN
            tensor.fill_(0.01)
    inputs = {k: v.to(dtype) if v.is_floating_point() else v for k, v in inputs.items()}
    return network, lambda: network(**inputs), {**originals.hf_config(config).to_dict(), **config}


def text(parts, config):
    batch, length = number(parts, "b", 1), number(parts, "s", 128)
    ids = torch.randint(0, 1000, (batch, length))
    return hugging_face(parts, config, {"input_ids": ids, "attention_mask": torch.ones_like(ids)})


GPT2 = {
    "gpt2": {},
    "gpt2-large": dict(n_embd=1280, n_head=20, n_layer=4),  # 36 layers in the original
    "gpt2-xl": dict(n_embd=1600, n_head=25, n_layer=4),  # 48 layers in the original
}


@model(
    "gpt2:b1:s256:sdpa",
    "gpt2:b1:s256:eager",
    "gpt2:b2:s32:sdpa",
    "gpt2:b2:s32:eager",
    "gpt2:b1:s256:sdpa:fp16",
    "gpt2:b1:s256:eager:fp16",
    "gpt2:b1:s256:eager:bf16",
    "gpt2-large:b1:s64:sdpa",
    "gpt2-xl:b1:s64:sdpa",
    "gpt2-xl:b1:s64:eager",
)
def gpt2(name, *parts):
    return text(parts, {"model_type": "gpt2", **GPT2[name]})


@model("bert:b1:s128:eager", "bert:b1:s128:sdpa", "bert:b2:s128:eager", "bert:b2:s128:sdpa", "bert:b1:s128:eager:fp16")
def bert(_, *parts):
    return text(parts, {"model_type": "bert"})


LLAMA = {
    "llama2_7b": dict(
        hidden_size=4096,
        intermediate_size=11008,
        num_attention_heads=32,
        num_key_value_heads=32,
        vocab_size=32000,
        max_position_embeddings=4096,
        rms_norm_eps=1e-5,
    ),
    "llama3_8b": dict(
        hidden_size=4096,
        intermediate_size=14336,
        num_attention_heads=32,
        num_key_value_heads=8,
        vocab_size=128256,
        max_position_embeddings=8192,
        rms_norm_eps=1e-5,
        rope_parameters={"rope_theta": 500000.0, "rope_type": "default"},
        bos_token_id=128000,
        eos_token_id=128001,
    ),
}
LLAMA["llama31_8b"] = {
    **LLAMA["llama3_8b"],
    "max_position_embeddings": 131072,
    "rope_parameters": dict(
        rope_type="llama3",
        rope_theta=500000.0,
        factor=8.0,
        low_freq_factor=1.0,
        high_freq_factor=4.0,
        original_max_position_embeddings=8192,
    ),
}


@model(
    "llama2_7b:b1:s128:sdpa",
    "llama2_7b:b1:s128:eager",
    "llama2_7b:b2:s32:sdpa",
    "llama2_7b:b1:s128:sdpa:bf16",
    "llama2_7b:b1:s128:eager:fp16",
    "llama3_8b:b1:s128:sdpa:bf16",
    "llama3_8b:b1:s128:eager:bf16",
    "llama3_8b:b1:s64:sdpa:fp16",
    "llama3_8b:b2:s32:sdpa:bf16",
    "llama31_8b:b1:s128:sdpa:bf16",
)
def llama(name, *parts):
    layers = 2  # 32 in the originals
    return text(parts, {"model_type": "llama", **LLAMA[name], "num_hidden_layers": layers})


def vision(parts, config, height, width, **extra):
    batch = number(parts, "b", 1)
    height, width = number(parts, "h", height), number(parts, "w", width)
    inputs = {
        "pixel_values": torch.randn(batch, 3, height, width),
        **{k: v(batch, height, width) for k, v in extra.items()},
    }
    return hugging_face(parts, config, inputs)


@model("segformer_b0:b1", "segformer_b0:b2", "segformer_b0:b1:eager", "segformer_b0:b1:h500:w333")
def segformer(_, *parts):
    return vision(parts, {"model_type": "segformer", "num_labels": 150}, 512, 512)


@model("detr:b1", "detr:b2", "detr:b1:eager", "detr:b1:nomask", "detr_hf_resnet:b1")
def detr(name, *parts):
    config = {"model_type": "detr", "num_labels": 91}
    if name == "detr_hf_resnet":
        config["backbone_config"] = {"model_type": "resnet", "out_features": ["stage4"]}
    mask = {} if "nomask" in parts else {"pixel_mask": lambda b, h, w: torch.ones(b, h, w, dtype=torch.int64)}
    return vision(parts, config, 800, 1088, **mask)


@model(
    "maskformer:b1:h384:w384",
    "maskformer:b1:h384:w512",
    "maskformer:b1:eager:h384:w384",
    "maskformer:b2:h192:w192",
    "maskformer:b1",
)
def maskformer(_, *parts):
    return vision(parts, {"model_type": "maskformer"}, 800, 1088)


@model("vit_b:b1", "vit_b:b2", "vit_l:b1", "vit_h:b1")
def vit(name, *parts):
    build = {
        "vit_b": torchvision.models.vit_b_16,
        "vit_l": torchvision.models.vit_l_16,
        "vit_h": torchvision.models.vit_h_14,
    }[name]
    network = build().eval()
    images = torch.randn(number(parts, "b", 1), 3, 224, 224)
    return network, lambda: network(images), {"model_type": "torchvision.vision_transformer", "builder": build.__name__}


@model("swin_t:b1", "swin_s:b1", "swin_b:b1", "swin_t:b2", "swin_s:b2", "swin_b:b2", "swin_t:b1:h256:w320")
def swin(name, *parts):
    network = getattr(torchvision.models, name)().eval()
    images = torch.randn(number(parts, "b", 1), 3, number(parts, "h", 224), number(parts, "w", 224))
    return network, lambda: network(images), {"model_type": "torchvision.swin_transformer", "builder": name}


@model(
    "fasterrcnn:b1",
    "maskrcnn:b1",
    "fasterrcnn:b1:trained_norm",
    "maskrcnn:b2",
    "fasterrcnn:b1:cuda_nms",
    "maskrcnn:b1:cuda_nms",
)
def rcnn(name, *parts):
    """Random heads find nothing: the box head's class weights are widened until about a hundred detections remain."""
    build = {"fasterrcnn": detection.fasterrcnn_resnet50_fpn, "maskrcnn": detection.maskrcnn_resnet50_fpn}[name]
    torch.manual_seed(0)
    network = build(weights=None, weights_backbone=None).eval()
    if "trained_norm" in parts:  # with published weights the builders use FrozenBatchNorm2d
        freeze = torchvision.ops.misc.FrozenBatchNorm2d
        for path, module in list(network.named_modules()):
            if isinstance(module, torch.nn.BatchNorm2d):
                parent, _, leaf = path.rpartition(".")
                setattr(network.get_submodule(parent), leaf, freeze(module.num_features, eps=0.0))
    with torch.no_grad():
        network.roi_heads.box_predictor.cls_score.weight.mul_(RCNN_SPREAD)
        network.rpn.head.cls_logits.weight.mul_(20)
    generator = torch.Generator().manual_seed(0)
    batch = [torch.rand(3, 800, 1066, generator=generator) for _ in range(number(parts, "b", 1))]
    config = {"builder": build.__name__, "norm_layer": "frozen_batch_norm" if "trained_norm" in parts else "batch_norm"}
    if "cuda_nms" in parts:  # the CPU switches to a loop over classes at 1000 boxes, CUDA at 25000
        torchvision.ops.boxes.batched_nms = torchvision.ops.boxes._batched_nms_coordinate_trick
    return network, lambda: network(batch), config


RCNN_SPREAD = 40.0


def numerics_case(folder):
    """The model and inputs of a numerics case."""
    config = json.loads((folder / "config.json").read_text())
    if config.get("architectures") or "_class_name" in config:
        network = originals.published(folder)
    else:
        network = originals.build(config)
        network.load_state_dict(load_file(folder / "model.safetensors"))
    inputs = load_file(folder / "inputs.safetensors")
    return network, lambda: originals.call(network, inputs), config
