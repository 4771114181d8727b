"""Tiny models for the import cases: architectures of the registry, and others that it does not have."""

import dataclasses
import math
import typing

import torch
import transformers
from torch import nn
from torch.export import Dim


@dataclasses.dataclass
class ImportCase:
    model: nn.Module
    args: tuple = ()
    kwargs: dict = dataclasses.field(default_factory=dict)
    dynamic_shapes: typing.Any = None
    decompose: bool = False
    # Arguments of another size than those exported with, for dynamic dimensions.
    run_args: tuple | None = None
    run_kwargs: dict | None = None


class Outputs(nn.Module):
    """Calls a transformers model so that its outputs are plain tensors under their names."""

    def __init__(self, model, *names):
        super().__init__()
        self.model = model
        self.names = names

    def forward(self, **inputs):
        outputs = self.model(**inputs)
        return {name: outputs[name] for name in self.names}


class Logits(nn.Module):
    """The same for one argument: dynamic sizes want it by name."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids):
        return self.model(input_ids=input_ids).logits


def tokens(vocabulary, batch, length):
    return torch.randint(3, vocabulary, (batch, length))


def gpt2():
    config = transformers.GPT2Config(
        vocab_size=96, n_positions=32, n_embd=32, n_layer=2, n_head=4, use_cache=False, attn_implementation="sdpa"
    )
    ids = tokens(96, 2, 9)
    return ImportCase(
        Outputs(transformers.GPT2LMHeadModel(config), "logits"),
        kwargs={"input_ids": ids, "attention_mask": torch.ones_like(ids)},
    )


def llama_config():
    return transformers.LlamaConfig(
        vocab_size=96,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=64,
        use_cache=False,
        attn_implementation="sdpa",
    )


def llama_masked():
    """With its mask given: without one it looks for packed sequences, which the TorchScript exporter cannot write."""
    ids = tokens(96, 2, 9)
    return ImportCase(
        Outputs(transformers.LlamaForCausalLM(llama_config()), "logits"),
        kwargs={"input_ids": ids, "attention_mask": torch.ones_like(ids)},
    )


def llama():
    dynamic = {0: Dim.AUTO, 1: Dim.AUTO}
    return ImportCase(
        Logits(transformers.LlamaForCausalLM(llama_config())),
        args=(tokens(96, 2, 9),),
        dynamic_shapes={"input_ids": dynamic},
        run_args=(tokens(96, 3, 13),),
    )


def swin():
    config = transformers.SwinConfig(
        image_size=32, patch_size=2, embed_dim=8, depths=[2, 2], num_heads=[1, 2], window_size=4, num_labels=7
    )
    return ImportCase(
        Outputs(transformers.SwinForImageClassification(config), "logits"),
        kwargs={"pixel_values": torch.randn(1, 3, 32, 32)},
    )


def segformer():
    config = transformers.SegformerConfig(
        depths=[1, 1, 1, 1],
        hidden_sizes=[8, 8, 16, 16],
        num_attention_heads=[1, 1, 2, 2],
        decoder_hidden_size=16,
        sr_ratios=[4, 2, 1, 1],
        num_labels=5,
    )
    return ImportCase(
        Outputs(transformers.SegformerForSemanticSegmentation(config), "logits"),
        kwargs={"pixel_values": torch.randn(1, 3, 64, 64)},
    )


def resnet():
    config = transformers.ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 16], depths=[1, 2], layer_type="bottleneck", num_labels=5
    )
    return ImportCase(
        Outputs(transformers.ResNetForImageClassification(config), "logits"),
        kwargs={"pixel_values": torch.randn(2, 3, 32, 32)},
    )


def convnext():
    config = transformers.ConvNextConfig(hidden_sizes=[8, 16, 16, 32], depths=[1, 1, 1, 1], num_labels=5)
    return ImportCase(
        Outputs(transformers.ConvNextForImageClassification(config), "logits"),
        kwargs={"pixel_values": torch.randn(1, 3, 64, 64)},
        decompose=True,
    )


def t5():
    config = transformers.T5Config(
        vocab_size=96, d_model=32, d_kv=8, d_ff=48, num_layers=2, num_heads=4, feed_forward_proj="gated-gelu"
    )
    ids = tokens(96, 2, 11)
    mask = torch.ones_like(ids)
    mask[1, 8:] = 0
    return ImportCase(
        Outputs(transformers.T5EncoderModel(config), "last_hidden_state"),
        kwargs={"input_ids": ids, "attention_mask": mask},
    )


class SelectiveScan(nn.Module):
    """A state-space block (Mamba): gated, with a causal depthwise convolution and a recurrence over the sequence."""

    def __init__(self, width=16, state=4, rank=2):
        super().__init__()
        self.norm = nn.RMSNorm(width)
        self.inner, self.state, self.rank = 2 * width, state, rank
        self.in_proj = nn.Linear(width, 2 * self.inner, bias=False)
        self.conv = nn.Conv1d(self.inner, self.inner, 4, groups=self.inner, padding=3)
        self.x_proj = nn.Linear(self.inner, rank + 2 * state, bias=False)
        self.dt_proj = nn.Linear(rank, self.inner)
        self.a_log = nn.Parameter(torch.log(torch.arange(1.0, state + 1).repeat(self.inner, 1)))
        self.skip = nn.Parameter(torch.ones(self.inner))
        self.out_proj = nn.Linear(self.inner, width, bias=False)

    def forward(self, hidden):
        length = hidden.shape[1]
        x, gate = self.in_proj(self.norm(hidden)).chunk(2, dim=-1)
        x = nn.functional.silu(self.conv(x.transpose(1, 2))[..., :length]).transpose(1, 2)
        dt, b, c = self.x_proj(x).split([self.rank, self.state, self.state], dim=-1)
        dt = nn.functional.softplus(self.dt_proj(dt))
        decay = torch.exp(dt[..., None] * -torch.exp(self.a_log))
        drive = dt[..., None] * b[:, :, None, :] * x[..., None]
        state = torch.zeros_like(decay[:, 0])
        steps = []
        for t in range(length):
            state = decay[:, t] * state + drive[:, t]
            steps.append(torch.einsum("bds,bs->bd", state, c[:, t]))
        y = torch.stack(steps, dim=1) + self.skip * x
        return hidden + self.out_proj(y * nn.functional.silu(gate))


def mamba():
    model = nn.Sequential(nn.Embedding(64, 16), SelectiveScan(), SelectiveScan(), nn.Linear(16, 64, bias=False))
    return ImportCase(model, args=(tokens(64, 2, 7),))


class Everything(nn.Module):
    """What exported programs hold beside operators on tensors: symbols, mutations, numbers, lists, sub-graphs."""

    def __init__(self):
        super().__init__()
        self.lstm_like = nn.GRUCell(8, 8)
        self.table = torch.tensor([0.5, -1.0, 2.0, 0.25])
        self.register_buffer("calls", torch.zeros(2), persistent=False)
        self.register_buffer("cache", torch.zeros(4, 8))

    def forward(self, x, scale=None, times=2, mode="sum", flags=()):
        self.calls.add_(1)
        self.cache[1].copy_(x.mean(dim=(0, 1)))
        with torch.no_grad():
            positions = torch.arange(x.shape[1], device=x.device, dtype=x.dtype)
        rows = x.reshape(x.shape[0] * x.shape[1], 8)
        rows = self.lstm_like(rows) if mode == "sum" else rows
        pairs = rows.view(x.shape[0], -1, 2, 8 // 2)
        order = torch.tensor([1, 0])
        swapped = pairs[:, :, order] * self.table + (self.cache.sum() if scale is None else scale)
        parts = swapped.flatten(2).split([3, 5], dim=-1)
        joined = torch.cat([parts[1], parts[0]] * times, dim=-1)
        weights = torch.softmax(positions / (x.shape[1] - 1), dim=0)
        return {
            "joined": joined,
            "nested": (weights, [torch.cumsum(joined, dim=1), self.calls * 2]),
            "count": x.shape[0] * 3,
            "nothing": None,
        }


def everything(decompose=False):
    batch, length = Dim("batch", min=2, max=32), Dim("length", min=3, max=64)
    return ImportCase(
        Everything(),
        args=(torch.randn(3, 5, 8),),
        kwargs={"times": 2},
        dynamic_shapes={"x": {0: batch, 1: length}, "times": None},
        run_args=(torch.randn(4, 7, 8),),
        decompose=decompose,
    )


class Sparse(nn.Module):
    """Sizes that only the run knows."""

    def __init__(self):
        super().__init__()
        self.project = nn.Linear(6, 4)

    def forward(self, x):
        rows = torch.nonzero(x[:, 0] > 0).squeeze(1)
        kept = self.project(x[rows])
        doubled = kept.reshape(kept.shape[0] * 2, 2)
        return doubled.sum(dim=0), torch.cat([kept, kept]).mean(dim=0)


def sparse():
    return ImportCase(Sparse(), args=(torch.randn(12, 6),))


def dynamic_batch():
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2, padding=1),
        nn.BatchNorm2d(8),
        nn.Hardswish(),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Linear(32, 10),
        nn.LogSoftmax(dim=-1),
    )
    return ImportCase(
        model,
        args=(torch.randn(2, 3, 16, 16),),
        dynamic_shapes=({0: Dim("batch", min=1, max=64)},),
        run_args=(torch.randn(5, 3, 16, 16),),
    )


@torch.library.custom_op("example::scaled_rms_norm", mutates_args=())
def scaled_rms_norm(
    x: torch.Tensor, weight: torch.Tensor, residual: torch.Tensor | None = None, *, eps: float = 1e-6
) -> torch.Tensor:
    """What examples/torch_operator computes."""
    y = x if residual is None else x + residual
    return y * torch.rsqrt((y.double() ** 2).mean(-1, keepdim=True) + eps).float() * weight


@scaled_rms_norm.register_fake
def _(x, weight, residual=None, *, eps=1e-6):
    return torch.empty_like(x)


class WithOwnOperator(nn.Module):
    def __init__(self):
        super().__init__()
        self.up = nn.Linear(8, 8)
        self.weight = nn.Parameter(torch.ones(8))

    def forward(self, x):
        y = scaled_rms_norm(self.up(x), self.weight, x, eps=1e-5)
        return scaled_rms_norm(y, self.weight)


def custom_operator():
    return ImportCase(WithOwnOperator(), args=(torch.randn(3, 8),))


CASES = {
    "custom_operator": custom_operator,
    "gpt2": gpt2,
    "llama_dynamic": llama,
    "llama_masked": llama_masked,
    "swin": swin,
    "segformer": segformer,
    "resnet": resnet,
    "convnext_core": convnext,
    "t5_encoder": t5,
    "mamba": mamba,
    "everything": everything,
    "everything_core": lambda: everything(decompose=True),
    "sparse": sparse,
    "dynamic_batch": dynamic_batch,
}


def random_weights(model):
    """Draws every parameter so that activations neither vanish nor saturate."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim >= 2:
                parameter.copy_(torch.randn(parameter.shape) * 1.5 / math.sqrt(parameter[0].numel()))
            elif not name.endswith(("a_log", "skip")):
                parameter.copy_((1.0 if name.endswith("weight") else 0.0) + 0.1 * torch.randn(parameter.shape))
