"""Writes tiny models of further families with drawn configurations, in the layout of published checkpoints.

    python make_families.py OUTPUT SEED COUNT [FAMILY ...]   COUNT folders of each family of FAMILIES

A folder is as save_pretrained writes it (config.json names the class), with inputs.safetensors, outputs.safetensors
(floating-point results) and operators.json. `nongemm verify OUTPUT/*` compares outputs, NONGEMM_REFERENCE_CASES=OUTPUT
with numerics_test and streams_test both.
"""

import json
import pathlib
import random
import sys
import warnings

import diffusers
import torch
import transformers
from safetensors.torch import load_file, save_file

import make_generation
import make_streams
import originals
import stream_models

warnings.filterwarnings("ignore")


def pixels(batch, side, width=None, channels=3):
    return {"pixel_values": torch.randn(batch, channels, side, width or side)}


def encoder(pick, **more):
    heads = pick([1, 2, 3, 4])
    return dict(
        hidden_size=heads * pick([4, 8, 10]),
        num_attention_heads=heads,
        num_hidden_layers=pick([1, 2, 3]),
        layer_norm_eps=pick([1e-5, 1e-6, 1e-12]),
        num_channels=pick([1, 3]),
        **more,
    )


def image(pick, config):
    return pixels(pick([1, 2, 3]), config["image_size"], channels=config["num_channels"])


def vit(pick):
    patch = pick([4, 5, 8])
    config = encoder(pick, intermediate_size=pick([13, 24]), hidden_act=pick(["gelu", "relu", "gelu_new"]))
    config |= dict(image_size=patch * pick([1, 2, 3]) + pick([0, 1]), patch_size=patch, qkv_bias=pick([True, False]))
    if pick([True, False]):
        return transformers.ViTForImageClassification, config | dict(num_labels=pick([1, 7])), image(pick, config)
    return transformers.ViTModel, config | dict(pooler_output_size=pick([6, None])), image(pick, config)


def clip_vision(pick):
    patch = pick([4, 6])
    config = encoder(pick, intermediate_size=pick([13, 24]), hidden_act=pick(["quick_gelu", "gelu"]))
    config |= dict(image_size=patch * pick([1, 2, 3]), patch_size=patch, projection_dim=pick([5, 16]))
    cls = pick([transformers.CLIPVisionModel, transformers.CLIPVisionModelWithProjection])
    return cls, config, image(pick, config)


def siglip_vision(pick):
    patch = pick([4, 6])
    config = encoder(pick, intermediate_size=pick([13, 24]), hidden_act=pick(["gelu_pytorch_tanh", "gelu"]))
    config |= dict(image_size=patch * pick([1, 2, 3]) + pick([0, 2]), patch_size=patch)
    if pick([False, False, True]):
        config["vision_use_head"] = False
    return transformers.SiglipVisionModel, config, image(pick, config)


def dinov2(pick):
    patch = pick([4, 7])
    config = encoder(pick, mlp_ratio=pick([2, 4]), hidden_act=pick(["gelu", "silu"]))
    config |= dict(image_size=patch * pick([2, 3]), patch_size=patch, qkv_bias=pick([True, False]))
    config |= dict(use_swiglu_ffn=pick([True, False]), layerscale_value=pick([1.0, 0.5]), use_mask_token=pick([True, False]))
    height, width = pick([(config["image_size"],) * 2, (3 * patch, 5 * patch + 1), (4 * patch, 4 * patch)])
    inputs = pixels(pick([1, 2]), height, width, config["num_channels"])
    if pick([True, False]):
        return transformers.Dinov2ForImageClassification, config | dict(num_labels=5), inputs
    return transformers.Dinov2Model, config, inputs


def hf_resnet(pick):
    stages = pick([2, 3, 4])
    config = dict(
        embedding_size=pick([8, 12]),
        hidden_sizes=[pick([8, 12, 16, 24]) for _ in range(stages)],
        depths=[pick([1, 2]) for _ in range(stages)],
        layer_type=pick(["basic", "bottleneck"]),
        hidden_act=pick(["relu", "gelu"]),
        downsample_in_first_stage=pick([True, False]),
        downsample_in_bottleneck=pick([True, False]),
        num_channels=pick([1, 3]),
    )
    inputs = pixels(pick([1, 2]), pick([40, 64]), pick([48, 57]), config["num_channels"])
    if pick([True, False]):
        return transformers.ResNetForImageClassification, config | dict(num_labels=4), inputs
    return transformers.ResNetModel, config, inputs


def convnext(pick):
    stages = pick([1, 2, 4])
    config = dict(
        num_stages=stages,
        hidden_sizes=[pick([6, 8, 12]) for _ in range(stages)],
        depths=[pick([1, 2, 0]) for _ in range(stages)],
        patch_size=pick([2, 4]),
        hidden_act=pick(["gelu", "relu"]),
        layer_scale_init_value=pick([1e-6, 0.0, 0.5]),
        layer_norm_eps=pick([1e-12, 1e-5]),
        num_channels=pick([1, 3]),
        drop_path_rate=pick([0.0, 0.1]),
    )
    inputs = pixels(pick([1, 2]), pick([40, 64]), pick([48, 57]), config["num_channels"])
    if pick([True, False]):
        return transformers.ConvNextForImageClassification, config | dict(num_labels=4), inputs
    return transformers.ConvNextModel, config, inputs


def whisper(pick):
    heads, decoder_heads = pick([1, 2, 4]), pick([1, 2, 4])
    config = dict(
        vocab_size=53,
        num_mel_bins=pick([6, 10]),
        d_model=4 * pick([4, 6]),
        encoder_layers=pick([1, 2]),
        decoder_layers=pick([1, 2, 3]),
        encoder_attention_heads=heads,
        decoder_attention_heads=decoder_heads,
        encoder_ffn_dim=pick([13, 20]),
        decoder_ffn_dim=pick([13, 20]),
        max_source_positions=pick([7, 10]),
        max_target_positions=12,
        activation_function=pick(["gelu", "relu"]),
        use_cache=pick([True, True, False]),
        scale_embedding=pick([True, False]),
        tie_word_embeddings=pick([True, True, False]),
        pad_token_id=pick([0, 5]),
        bos_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=1,
        suppress_tokens=None,
        begin_suppress_tokens=None,
    )
    batch = pick([1, 2])
    inputs = {
        "input_features": torch.randn(batch, config["num_mel_bins"], 2 * config["max_source_positions"]),
        "decoder_input_ids": torch.randint(3, 53, (batch, pick([1, 5, 12]))),
    }
    return pick([transformers.WhisperForConditionalGeneration, transformers.WhisperModel]), config, inputs


def unet(pick):
    levels = pick([1, 2, 3])
    channels = [pick([8, 12, 16]) for _ in range(levels)]
    down = [pick(["DownBlock2D", "CrossAttnDownBlock2D"]) for _ in range(levels)]
    up = [pick(["UpBlock2D", "CrossAttnUpBlock2D"]) for _ in range(levels)]
    config = dict(
        sample_size=8,
        in_channels=pick([4, 9]),
        out_channels=4,
        block_out_channels=channels,
        down_block_types=down,
        up_block_types=up,
        layers_per_block=pick([1, 2, [pick([1, 2]) for _ in range(levels)]]),
        cross_attention_dim=pick([6, 10]),
        attention_head_dim=pick([2, 4, [pick([1, 2, 4]) for _ in range(levels)]]),
        transformer_layers_per_block=pick([1, [pick([1, 2]) for _ in range(levels)]]),
        norm_num_groups=pick([2, 4]),
        norm_eps=pick([1e-5, 1e-6]),
        act_fn=pick(["silu", "gelu", "mish"]),
        use_linear_projection=pick([True, False]),
        only_cross_attention=pick([False, False, True]),
        center_input_sample=pick([False, True]),
        flip_sin_to_cos=pick([True, False]),
        freq_shift=pick([0, 1]),
        mid_block_type=pick(["UNetMidBlock2DCrossAttn", "UNetMidBlock2DCrossAttn", "UNetMidBlock2D", None]),
        mid_block_scale_factor=pick([1, 1.5]),
        resnet_time_scale_shift=pick(["default", "scale_shift"]),
        upcast_attention=pick([True, False]),
        time_embedding_dim=pick([None, 20]),
        timestep_post_act=pick([None, "silu"]),
        time_embedding_act_fn=pick([None, "silu"]),
        conv_in_kernel=pick([3, 1]),
        conv_out_kernel=pick([3, 1]),
    )
    batch = pick([1, 2])
    inputs = {
        "sample": torch.randn(batch, config["in_channels"], *pick([(8, 8), (8, 16), (7, 10)])),
        "timestep": pick([torch.tensor(17), torch.tensor([501.0]), torch.tensor([3] * batch)]),
        "encoder_hidden_states": torch.randn(batch, pick([3, 5]), config["cross_attention_dim"]),
    }
    if pick([False, True]):
        width = pick([4, 6])
        config |= dict(addition_embed_type="text_time", addition_time_embed_dim=width)
        config["projection_class_embeddings_input_dim"] = 6 * width + 5
        inputs["added_cond_kwargs.text_embeds"] = torch.randn(batch, 5)
        inputs["added_cond_kwargs.time_ids"] = torch.tensor([[8.0, 8, 0, 0, 8, 8]]).repeat(batch, 1)
    return diffusers.UNet2DConditionModel, config, inputs


def flux(pick):
    axes = pick([[2, 2, 4], [4, 6, 6]])
    config = dict(
        in_channels=pick([4, 8]),
        out_channels=pick([None, 6]),
        patch_size=pick([1, 2]),
        num_layers=pick([1, 2]),
        num_single_layers=pick([1, 2]),
        attention_head_dim=sum(axes),
        num_attention_heads=pick([1, 2]),
        joint_attention_dim=pick([10, 12]),
        pooled_projection_dim=pick([6, 8]),
        guidance_embeds=pick([True, False]),
        axes_dims_rope=axes,
    )
    batch, tokens, cells = pick([1, 2]), pick([3, 5]), pick([4, 9])
    inputs = {
        "hidden_states": torch.randn(batch, cells, config["in_channels"]),
        "encoder_hidden_states": torch.randn(batch, tokens, config["joint_attention_dim"]),
        "pooled_projections": torch.randn(batch, config["pooled_projection_dim"]),
        "timestep": torch.rand(batch),
        "img_ids": torch.randint(0, 4, (cells, 3)).float(),
        "txt_ids": torch.zeros(tokens, 3),
    }
    if config["guidance_embeds"]:
        inputs["guidance"] = torch.rand(batch) * 4
    return diffusers.FluxTransformer2DModel, config, inputs


def text(pick, vocabulary, padding_token=None, padded=True, longest=14):
    """Token ids and a mask: of ones, with padding on either side, or none."""
    batch, tokens = pick([1, 2, 3]), pick([1, 2, 7, longest])
    ids = torch.randint(3, vocabulary, (batch, tokens))
    mask = torch.ones_like(ids)
    how = pick(["none", "ones", "left", "right", "right"]) if padded else "ones"
    if how in ("left", "right") and tokens > 2:
        for row in range(batch):
            count = pick(range(tokens - 1))
            columns = slice(0, count) if how == "left" else slice(tokens - count, tokens)
            mask[row, columns] = 0
    if padding_token is not None:
        ids[mask == 0] = padding_token
    return {"input_ids": ids} if how == "none" else {"input_ids": ids, "attention_mask": mask}


def text_encoder(pick, **more):
    heads = pick([1, 2, 3, 5])
    return dict(
        vocab_size=pick([53, 97]),
        hidden_size=heads * pick([4, 6, 10]),
        num_attention_heads=heads,
        num_hidden_layers=pick([1, 2, 3]),
        intermediate_size=pick([13, 24]),
        hidden_act=pick(["gelu", "relu", "gelu_new", "silu"]),
        layer_norm_eps=pick([1e-12, 1e-5]),
        max_position_embeddings=pick([16, 24]),
        **more,
    )


def of_classes(pick, prefix, tasks, config):
    task = pick(tasks)
    if "Classification" in task:
        config |= dict(num_labels=pick([1, 2, 5]))
    return getattr(transformers, prefix + task), config


def with_types(pick, inputs, types):
    if pick([True, False]):
        inputs["token_type_ids"] = torch.randint(0, types, inputs["input_ids"].shape)
    return inputs


TASKS = ["Model", "ForMaskedLM", "ForSequenceClassification", "ForTokenClassification"]


def bert(pick):
    config = text_encoder(pick, type_vocab_size=pick([1, 2, 3]), pad_token_id=0, tie_word_embeddings=pick([True, False]))
    cls, config = of_classes(pick, "Bert", TASKS, config)
    return cls, config, with_types(pick, text(pick, config["vocab_size"]), config["type_vocab_size"])


def roberta(pick):
    config = text_encoder(pick, type_vocab_size=1, pad_token_id=1, tie_word_embeddings=pick([True, False]))
    cls, config = of_classes(pick, pick(["Roberta", "XLMRoberta"]), TASKS, config)
    return cls, config, text(pick, config["vocab_size"], pick([1, None]))


def mpnet(pick):
    config = text_encoder(pick, relative_attention_num_buckets=pick([32, 40]), pad_token_id=1)
    config |= dict(tie_word_embeddings=pick([True, False]))
    cls, config = of_classes(pick, "MPNet", TASKS, config)
    return cls, config, text(pick, config["vocab_size"], pick([1, None]))


def electra(pick):
    config = text_encoder(pick, type_vocab_size=2, pad_token_id=0)
    config |= dict(embedding_size=pick([config["hidden_size"], 8]))
    cls, config = of_classes(pick, "Electra", ["Model", "ForPreTraining", "ForSequenceClassification"], config)
    return cls, config, with_types(pick, text(pick, config["vocab_size"]), 2)


def modernbert(pick):
    heads = pick([1, 2, 3])
    config = dict(
        vocab_size=pick([53, 97]),
        hidden_size=heads * pick([4, 8, 10]),
        num_attention_heads=heads,
        num_hidden_layers=pick([1, 3, 4]),
        intermediate_size=pick([13, 24]),
        hidden_activation=pick(["gelu", "silu", "relu"]),
        max_position_embeddings=32,
        local_attention=pick([2, 4, 10, 64]),
        attention_bias=pick([True, False]),
        mlp_bias=pick([True, False]),
        norm_bias=pick([True, False]),
        decoder_bias=pick([True, False]),
        classifier_bias=pick([True, False]),
        classifier_pooling=pick(["cls", "mean"]),
        classifier_activation=pick(["gelu", "relu"]),
        tie_word_embeddings=pick([True, False]),
        global_attn_every_n_layers=pick([1, 2, 3]),
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        cls_token_id=1,
        sep_token_id=2,
    )
    cls, config = of_classes(pick, "ModernBert", TASKS, config)
    return cls, config, text(pick, config["vocab_size"], longest=24)


def t5(pick):
    heads = pick([1, 2, 3])
    config = dict(
        vocab_size=pick([53, 97]),
        d_model=pick([8, 17, 24]),
        d_kv=pick([3, 4, 8]),
        num_heads=heads,
        num_layers=pick([1, 2, 3]),
        d_ff=pick([13, 24]),
        feed_forward_proj=pick(["relu", "gated-gelu", "gated-silu"]),
        relative_attention_num_buckets=pick([4, 8, 32]),
        relative_attention_max_distance=pick([6, 16, 128]),
        layer_norm_epsilon=pick([1e-6, 1e-3]),
        pad_token_id=0,
    )
    return transformers.T5EncoderModel, config, text(pick, config["vocab_size"], longest=24)


def decoder(name):
    """One forward pass over a prompt, with the configurations of make_generation.py."""

    def draw(pick):
        cls, config = make_generation.FAMILIES[name](pick)
        config = make_generation.odd(name, config, pick)
        config |= dict(use_cache=pick([True, True, False]))
        return cls, config, text(pick, config["vocab_size"], longest=pick([11, 23]))

    draw.__name__ = name
    return draw


FAMILIES = dict(
    (family.__name__, family)
    for family in (
        *(vit, clip_vision, siglip_vision, dinov2, hf_resnet, convnext, whisper, unet, flux),
        *(bert, roberta, mpnet, electra, modernbert, t5),
        *(decoder(name) for name in make_generation.FAMILIES if name != "gpt2"),
    )
)


# gpt-oss has no place for its sinks in sdpa, Gemma 2 none for its cap, MPNet and T5 only their own attention.
ONLY_EAGER = ("gpt_oss", "gemma2", "mpnet")


def make(name, folder, seed):
    choices = random.Random(f"{name} {seed}")
    torch.manual_seed(seed)
    cls, config, inputs = FAMILIES[name](choices.choice)
    if cls.__module__.startswith("diffusers"):
        model = cls(**config)
    else:
        attention = "eager" if name in ONLY_EAGER else choices.choice(["eager", "sdpa"])
        keys = dict(config)
        model = cls._from_config(cls.config_class(**keys), attn_implementation=attention if name not in ("hf_resnet", "convnext") else None)
    with torch.no_grad():
        for parameter in model.parameters():
            one_of_many = parameter.ndim < 2
            parameter.copy_(torch.randn(parameter.shape) * (0.2 if one_of_many else parameter[0].numel() ** -0.5) + float(one_of_many) * 0.5)
    model = model.eval()
    model.save_pretrained(folder)
    if (folder / "diffusion_pytorch_model.safetensors").exists():
        (folder / "diffusion_pytorch_model.safetensors").rename(folder / "model.safetensors")
    elif name not in ("hf_resnet", "convnext"):
        written = json.loads((folder / "config.json").read_text())
        written["_attn_implementation"] = attention
        (folder / "config.json").write_text(json.dumps(written, indent=1) + "\n")
    save_file({k: v.contiguous() for k, v in inputs.items()}, folder / "inputs.safetensors")
    outputs = originals.flatten(originals.call(model, inputs))
    wanted = {k: v for k, v in outputs.items() if v.is_floating_point() and "past_key_values" not in k}
    outputs = {k: v.clone(memory_format=torch.contiguous_format) for k, v in wanted.items()}
    assert all(v.isfinite().all() for v in outputs.values())
    save_file(outputs, folder / "outputs.safetensors")
    run = lambda: originals.call(model, inputs)
    make_streams.write(folder.name, folder / "operators.json", lambda: (model, run, {}))


def main(arguments):
    torch.set_num_threads(1)
    output, seed, count = pathlib.Path(arguments[0]), int(arguments[1]), int(arguments[2])
    for name in arguments[3:] or FAMILIES:
        for i in range(seed, seed + count):
            try:
                make(name, output / f"{name}-{i}", i)
            except Exception as error:  # one case's failure does not end the run
                print(f"{name}-{i}: FAILED: {type(error).__name__}: {error}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
