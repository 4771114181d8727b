"""Tiny models for the import cases that need transformers: of the registry, and architectures that it does not have."""

import torch
import transformers
from torch import nn
from torch.export import Dim

import import_parts
from import_parts import ImportCase, random_weights, tokens


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


def mixture(kind, **sizes):
    """A mixture of experts: its products are exported as transformers::grouped_mm_fallback."""
    shared = dict(
        vocab_size=96,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=64,
        num_experts_per_tok=2,
        use_cache=False,
    )
    config = transformers.CONFIG_MAPPING[kind](**{**shared, **sizes})
    ids = tokens(96, 2, 9)
    return ImportCase(
        Outputs(transformers.AutoModelForCausalLM.from_config(config), "logits"),
        kwargs={"input_ids": ids, "attention_mask": torch.ones_like(ids)},
    )


def mixtral():
    return mixture("mixtral", intermediate_size=20, num_local_experts=4)


def qwen3_moe():
    return mixture("qwen3_moe", head_dim=8, moe_intermediate_size=24, num_experts=6, norm_topk_prob=True)


def gpt_oss():
    return mixture("gpt_oss", head_dim=8, intermediate_size=24, num_local_experts=4, sliding_window=6)


def deepseek_v3():
    return mixture(
        "deepseek_v3",
        intermediate_size=48,
        moe_intermediate_size=24,
        num_key_value_heads=4,
        n_routed_experts=8,
        n_group=2,
        topk_group=1,
        q_lora_rank=16,
        kv_lora_rank=16,
        qk_rope_head_dim=8,
        qk_nope_head_dim=8,
        v_head_dim=8,
        first_k_dense_replace=1,
    )


CASES = {
    "gpt2": gpt2,
    "llama_dynamic": llama,
    "llama_masked": llama_masked,
    "swin": swin,
    "segformer": segformer,
    "resnet": resnet,
    "convnext_core": convnext,
    "t5_encoder": t5,
    "mixtral": mixtral,
    "qwen3_moe": qwen3_moe,
    "gpt_oss": gpt_oss,
    "deepseek_v3": deepseek_v3,
    **import_parts.CASES,
}
