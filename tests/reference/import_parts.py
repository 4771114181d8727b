"""Tiny models for the import cases that need torch alone, so that any torch can export them."""

import dataclasses
import math
import typing

import torch
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


def tokens(vocabulary, batch, length):
    return torch.randint(3, vocabulary, (batch, length))


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


class MaskedAttention(nn.Module):
    """Decomposed it holds an infinity, which torch up to 2.6 writes as no JSON reader expects it."""

    def __init__(self, width=8):
        super().__init__()
        self.project = nn.Linear(width, 3 * width)
        self.register_buffer("mask", torch.ones(6, 6).tril().bool())

    def forward(self, x):
        q, k, v = self.project(x).chunk(3, dim=-1)
        scores = (q @ k.transpose(-1, -2)).masked_fill(~self.mask, float("-inf"))
        return torch.softmax(scores, dim=-1) @ v


def masked():
    return ImportCase(MaskedAttention(), args=(torch.randn(2, 6, 8),), decompose=True)


@dataclasses.dataclass
class Range:
    low: torch.Tensor
    high: torch.Tensor


torch.export.register_dataclass(Range, serialized_type_name="import_parts.Range")


class Counted(nn.Module):
    """A number that the data gives, in sizes and where operators take a tensor; a class among the outputs."""

    def forward(self, x, count):
        n = count.item()
        torch._check(n >= 1)
        torch._check(n <= x.shape[0])
        rows = x[:n]
        scaled = torch.full((2,), (torch.sym_float(n) * 1.5 + 0.25) / (n + 1) - n)
        whole = (x * 10).to(torch.int8), (x * 100).to(torch.int16)
        return Range(low=rows.min(dim=0).values, high=rows.max(dim=0).values), torch.zeros(n) + n, scaled, whole


def counted():
    return ImportCase(Counted(), args=(torch.randn(5, 3), torch.tensor(4)), run_args=(torch.randn(5, 3), torch.tensor(3)))


class Spectral(nn.Module):
    """Complex numbers: transforms over one and two dimensions, both ways, rotations by a complex buffer, a size that is padded."""

    def __init__(self):
        super().__init__()
        self.register_buffer("rotation", torch.polar(torch.ones(8, 8), torch.rand(8, 8)))

    def forward(self, x):
        mixed = torch.fft.fft2(x, dim=(-2, -1)).real
        turned = torch.view_as_real(torch.view_as_complex(x.reshape(-1, 8, 8, 2)) * self.rotation).flatten(-2)
        filtered = torch.fft.irfft(torch.fft.rfft(x, n=12, dim=1) * 0.5, n=8, dim=1)
        both = torch.fft.ifft(torch.fft.fft(x, dim=-1) + torch.fft.fft(turned, dim=-1), dim=-1)
        return mixed + filtered, both.real - both.imag, torch.fft.rfftn(x, dim=(0, 2)).abs()


def spectral(decompose=False):
    return ImportCase(Spectral(), args=(torch.randn(2, 8, 16),), run_args=(torch.randn(2, 8, 16),), decompose=decompose)


CASES = {
    "spectral": spectral,
    "spectral_core": lambda: spectral(decompose=True),
    "custom_operator": custom_operator,
    "mamba": mamba,
    "everything": everything,
    "everything_core": lambda: everything(decompose=True),
    "sparse": sparse,
    "masked": masked,
    "counted": counted,
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
