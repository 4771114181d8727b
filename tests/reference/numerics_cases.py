"""The tiny configurations that make_numerics.py runs: family, variant, config, inputs."""

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
    """Token ids; `padding`: None (no mask), "none" (all ones), "left" or "right" (row i has 2i+1 pads, the last row none)."""

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
    """One batch of images; `mask_sizes` (one (height, width) per image) adds a pixel mask and zeroes what is padding."""

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


def gpt2():
    def case(variant, inputs, attention="sdpa", as_given=False, **overrides):
        base = dict(vocab_size=67, n_positions=32, n_embd=24, n_layer=2, n_head=4, bos_token_id=1, eos_token_id=2)
        return Case("gpt2", variant, {"model_type": "gpt2", **base, **overrides}, inputs, attention, as_given)

    for attention in ("sdpa", "eager"):
        yield case(f"nomask-b1-{attention}", tokens(67, 1, 9), attention)
        yield case(f"ones-b3-{attention}", tokens(67, 3, 11, "none"), attention)
        yield case(f"left-b3-{attention}", tokens(67, 3, 11, "left"), attention)
        yield case(f"right-b3-{attention}", tokens(67, 3, 11, "right"), attention)
        yield case(f"inverse_layer-{attention}", tokens(67, 2, 8, "none"), attention, scale_attn_by_inverse_layer_idx=True)
        yield case(f"upcast-{attention}", tokens(67, 2, 8, "right"), attention, reorder_and_upcast_attn=True)
        yield case(f"unscaled-{attention}", tokens(67, 2, 8, "none"), attention, scale_attn_weights=False)
    yield case("upcast_inverse-eager", tokens(67, 2, 8, "none"), "eager", reorder_and_upcast_attn=True, scale_attn_by_inverse_layer_idx=True)
    yield case("heads1", tokens(67, 2, 7, "none"), n_head=1, n_layer=1)
    yield case("heads3_inner40_relu", tokens(67, 3, 7, "left"), n_head=3, n_inner=40, activation_function="relu")
    yield case("heads12_gelu_untied", tokens(67, 1, 32), n_head=12, activation_function="gelu", tie_word_embeddings=False)
    yield case("gelu_fast", tokens(67, 1, 7), "eager", activation_function="gelu_pytorch_tanh")
    yield case("silu_eps", tokens(67, 1, 7), activation_function="silu", layer_norm_epsilon=1e-3)
    yield case("one_token", tokens(67, 1, 1))
    yield case("one_token_mask-eager", tokens(67, 2, 1, "none"), "eager")
    published = dict(activation_function="gelu_new", architectures=["GPT2LMHeadModel"], attn_pdrop=0.1, bos_token_id=66,
                     embd_pdrop=0.1, eos_token_id=66, initializer_range=0.02, layer_norm_epsilon=1e-05, n_ctx=32,
                     resid_pdrop=0.1, summary_activation=None, summary_first_dropout=0.1, summary_proj_to_labels=True,
                     summary_type="cls_index", summary_use_proj=True,
                     task_specific_params={"text-generation": {"do_sample": True, "max_length": 50}})
    yield case("published_keys", tokens(67, 2, 9, "none"), as_given=True, **published)


def bert():
    def case(variant, inputs, attention="sdpa", as_given=False, **overrides):
        base = dict(vocab_size=71, hidden_size=24, num_hidden_layers=2, num_attention_heads=4, intermediate_size=40,
                    max_position_embeddings=32)
        return Case("bert", variant, {"model_type": "bert", **base, **overrides}, inputs, attention, as_given)

    for attention in ("sdpa", "eager"):
        yield case(f"nomask-b1-{attention}", tokens(71, 1, 9), attention)
        yield case(f"ones-b3-{attention}", tokens(71, 3, 11, "none"), attention)
        yield case(f"right-b3-{attention}", tokens(71, 3, 11, "right"), attention)
        yield case(f"left-b3-{attention}", tokens(71, 3, 11, "left"), attention)
        yield case(f"types-b2-{attention}", tokens(71, 2, 11, "right", token_type_ids=2), attention)
    yield case("types3_nomask_relu", tokens(71, 2, 8, token_type_ids=3), type_vocab_size=3, hidden_act="relu")
    yield case("heads3_gelu_new", tokens(71, 2, 8, "right"), num_attention_heads=3, hidden_act="gelu_new")
    yield case("heads1_silu_untied", tokens(71, 1, 8, "none"), num_attention_heads=1, hidden_act="silu", tie_word_embeddings=False)
    yield case("layers3_tanh_eps", tokens(71, 2, 32, "none"), num_hidden_layers=3, hidden_act="tanh", layer_norm_eps=1e-3)
    yield case("chunked", tokens(71, 2, 8, "none"), chunk_size_feed_forward=4)
    published = dict(architectures=["BertForMaskedLM"], attention_probs_dropout_prob=0.1, gradient_checkpointing=False,
                     hidden_act="gelu", hidden_dropout_prob=0.1, initializer_range=0.02, layer_norm_eps=1e-12,
                     pad_token_id=0, position_embedding_type="absolute", transformers_version="4.6.0.dev0",
                     type_vocab_size=2, use_cache=True)
    yield case("published_keys", tokens(71, 2, 9, "right", token_type_ids=2), as_given=True, **published)


def vit():
    def case(variant, batch, size, patch, heads, hidden, layers=2, **overrides):
        config = dict(model_type="torchvision.vision_transformer", image_size=size, patch_size=patch, num_layers=layers,
                      num_heads=heads, hidden_dim=hidden, mlp_dim=2 * hidden + 3, num_classes=7, **overrides)
        return Case("vit", variant, config, image("0", batch, size, size))

    yield case("heads3", 2, 24, 8, 3, 24)
    yield case("heads1_one_patch", 1, 8, 8, 1, 16)
    yield case("heads2_b3", 3, 20, 5, 2, 16)
    yield case("heads6_layers3", 1, 28, 7, 6, 24, layers=3)
    yield case("heads5_b3", 3, 18, 6, 5, 20)
    yield case("representation", 2, 16, 4, 4, 16, representation_size=12)
    yield case("patch16", 1, 48, 16, 8, 32, layers=1, dropout=0.1, attention_dropout=0.1)


def swin():
    def case(variant, size, embed, depths, heads, window, patch=4, batch=1, **overrides):
        config = dict(model_type="torchvision.swin_transformer", patch_size=[patch] * 2, embed_dim=embed, depths=depths,
                      num_heads=heads, window_size=list(window), num_classes=6, **overrides)
        return Case("swin", variant, config, image("0", batch, *size))

    yield case("window7", (64, 64), 8, [2, 2], [2, 4], (7, 7))
    yield case("window4_exact", (64, 64), 8, [2, 2], [1, 2], (4, 4), batch=3)
    yield case("window3_odd_input", (52, 44), 6, [2, 2, 2], [1, 2, 3], (3, 3), batch=2)
    yield case("window_over_feature", (32, 32), 8, [2, 2], [2, 2], (12, 12))
    yield case("window_equals_feature", (32, 32), 8, [2, 2], [2, 2], (8, 8))
    yield case("window5x3", (60, 36), 8, [2, 2], [2, 4], (5, 3))
    yield case("window_over_one_side", (64, 20), 8, [2, 2], [2, 4], (7, 7))
    yield case("depths1", (40, 40), 8, [1, 1], [2, 4], (4, 4))
    yield case("depths3_patch2", (33, 30), 8, [3, 1], [4, 4], (4, 4), patch=2)
    yield case("mlp_ratio_stochastic", (48, 48), 8, [2, 2], [2, 4], (6, 6), mlp_ratio=2.0, stochastic_depth_prob=0.2)
    yield case("stages4", (96, 64), 4, [2, 2, 2, 2], [1, 2, 4, 4], (7, 7))


def llama():
    def case(variant, inputs=None, attention="sdpa", as_given=False, **overrides):
        base = dict(vocab_size=67, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
                    num_key_value_heads=2, max_position_embeddings=64)
        inputs = inputs or tokens(67, 2, 13, "none")
        return Case("llama", variant, {"model_type": "llama", **base, **overrides}, inputs, attention, as_given)

    def rope(rope_type, theta=10000.0, **parameters):
        return {"rope_type": rope_type, "rope_theta": theta, **parameters}

    llama3 = dict(factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=32)
    longrope = dict(short_factor=[1.0, 1.1, 1.3, 1.5], long_factor=[1.5, 2.0, 3.0, 4.0])
    for attention in ("sdpa", "eager"):
        yield case(f"nomask-b1-{attention}", tokens(67, 1, 9), attention)
        yield case(f"ones-b3-{attention}", tokens(67, 3, 11, "none"), attention)
        yield case(f"left-b3-{attention}", tokens(67, 3, 11, "left"), attention)
        yield case(f"right-b3-{attention}", tokens(67, 3, 11, "right"), attention)
    yield case("mha", num_key_value_heads=4)
    yield case("mqa_eager", attention="eager", num_key_value_heads=1)
    yield case("head_dim12", head_dim=12)
    yield case("head_dim4_eager", attention="eager", head_dim=4)
    yield case("biases", attention_bias=True, mlp_bias=True)
    yield case("tied_gelu_eps", tie_word_embeddings=True, hidden_act="gelu", rms_norm_eps=1e-3)
    yield case("theta500000", rope_parameters=rope("default", 500000.0))
    yield case("linear", rope_parameters=rope("linear", factor=4.0))
    yield case("dynamic_short", rope_parameters=rope("dynamic", factor=2.0))
    yield case("dynamic_long", tokens(67, 1, 40), max_position_embeddings=16, rope_parameters=rope("dynamic", factor=2.0))
    yield case("yarn", rope_parameters=rope("yarn", factor=4.0, original_max_position_embeddings=16))
    yield case("yarn_options", rope_parameters=rope("yarn", factor=4.0, original_max_position_embeddings=16, beta_fast=16.0,
                                                    beta_slow=2.0, mscale=1.0, mscale_all_dim=0.5, truncate=False))
    yield case("yarn_attention_factor", rope_parameters=rope("yarn", factor=4.0, original_max_position_embeddings=16, attention_factor=1.3))
    yield case("longrope_short", rope_parameters=rope("longrope", original_max_position_embeddings=16, factor=4.0, **longrope))
    yield case("longrope_long", tokens(67, 2, 20, "none"), rope_parameters=rope("longrope", original_max_position_embeddings=16, factor=4.0, **longrope))
    yield case("longrope_attention", tokens(67, 1, 20), rope_parameters=rope("longrope", original_max_position_embeddings=16, factor=4.0, attention_factor=1.2, **longrope))
    yield case("llama3", tokens(67, 1, 40), rope_parameters=rope("llama3", 500000.0, **llama3), head_dim=16)
    old = dict(as_given=True, rms_norm_eps=1e-5, hidden_act="silu", attention_bias=False, tie_word_embeddings=False)
    yield case("old_default", rope_theta=500000.0, rope_scaling=None, **old)
    yield case("old_linear", rope_theta=10000.0, rope_scaling={"type": "linear", "factor": 2.0}, **old)
    yield case("old_dynamic", tokens(67, 1, 40), rope_scaling={"type": "dynamic", "factor": 2.0}, **{**old, "max_position_embeddings": 16})
    yield case("old_llama31", tokens(67, 1, 40), rope_theta=500000.0, rope_scaling={"rope_type": "llama3", **llama3},
               architectures=["LlamaForCausalLM"], attention_dropout=0.0, bos_token_id=1, eos_token_id=[2, 3, 4], mlp_bias=False,
               initializer_range=0.02, pretraining_tp=1, torch_dtype="bfloat16", transformers_version="4.42.3", use_cache=True, **old)
    yield case("old_llama32", tokens(67, 1, 40), rope_theta=500000.0, rope_scaling={"rope_type": "llama3", **llama3, "factor": 32.0},
               head_dim=16, **{**old, "tie_word_embeddings": True})
    yield case("old_llama2", rms_norm_eps=1e-5, as_given=True, architectures=["LlamaForCausalLM"], bos_token_id=1,
               eos_token_id=2, hidden_act="silu", initializer_range=0.02, pretraining_tp=1, rope_scaling=None,
               tie_word_embeddings=False, torch_dtype="float16", transformers_version="4.31.0.dev0", use_cache=True, num_key_value_heads=4)
    yield case("new_keys_as_given", as_given=True, rope_parameters=rope("linear", factor=2.0), dtype="bfloat16")


def segformer():
    def case(variant, inputs, attention="sdpa", as_given=False, **overrides):
        base = dict(depths=[1, 1, 1, 1], sr_ratios=[8, 4, 2, 1], hidden_sizes=[4, 8, 10, 16], num_attention_heads=[1, 2, 5, 8],
                    decoder_hidden_size=12, num_labels=5)
        if as_given:
            base.pop("num_labels")
            overrides["id2label"] = {str(i): f"LABEL_{i}" for i in range(5)}
        return Case("segformer", variant, {"model_type": "segformer", **base, **overrides}, inputs, attention, as_given)

    pixels = lambda *size: image("pixel_values", *size)
    for attention in ("sdpa", "eager"):
        yield case(f"b0-{attention}", pixels(2, 64, 64), attention, depths=[2, 2, 2, 2])
    yield case("b2", pixels(1, 64, 96), depths=[3, 4, 6, 3], decoder_hidden_size=24)
    yield case("b5", pixels(1, 32, 32), depths=[3, 6, 9, 3], mlp_ratios=[2, 2, 2, 2])
    yield case("odd_input", pixels(2, 75, 53))
    yield case("batch3_relu", pixels(3, 64, 32), hidden_act="relu")
    yield case("heads", pixels(1, 64, 64), hidden_sizes=[8, 12, 18, 24], num_attention_heads=[2, 3, 3, 4], mlp_ratios=[4, 3, 2, 1])
    yield case("three_stages", pixels(1, 64, 64), num_encoder_blocks=3, depths=[1, 2, 1], sr_ratios=[4, 2, 1], hidden_sizes=[4, 8, 16],
               patch_sizes=[7, 3, 3], strides=[4, 2, 2], num_attention_heads=[1, 2, 4], mlp_ratios=[4, 4, 4])
    yield case("patches", pixels(1, 60, 64), patch_sizes=[5, 3, 5, 3], strides=[3, 2, 3, 2], sr_ratios=[4, 2, 1, 1])
    yield case("published_keys", pixels(1, 64, 64), as_given=True, architectures=["SegformerForSemanticSegmentation"],
               attention_probs_dropout_prob=0.0, classifier_dropout_prob=0.1, drop_path_rate=0.1, downsampling_rates=[1, 4, 8, 16],
               hidden_act="gelu", hidden_dropout_prob=0.0, image_size=224, initializer_range=0.02, layer_norm_eps=1e-06,
               mlp_ratios=[4, 4, 4, 4], num_encoder_blocks=4, patch_sizes=[7, 3, 3, 3], strides=[4, 2, 2, 2], torch_dtype="float32")


RESNET = dict(model_type="resnet", embedding_size=4, hidden_sizes=[8, 12, 16, 24], depths=[1, 1, 1, 1],
              layer_type="bottleneck", out_features=["stage4"])


def detr():
    def case(variant, inputs, attention="sdpa", **overrides):
        base = dict(backbone_config=RESNET, num_queries=7, encoder_layers=1, decoder_layers=2, encoder_ffn_dim=24,
                    decoder_ffn_dim=20, encoder_attention_heads=4, decoder_attention_heads=2, d_model=16, num_labels=5)
        return Case("detr", variant, {"model_type": "detr", **base, **overrides}, inputs, attention)

    pixels = lambda *size: image("pixel_values", *size)
    padded = image("pixel_values", 2, 96, 128, mask_sizes=[(96, 80), (50, 128)])
    for attention in ("sdpa", "eager"):
        yield case(f"nomask-b1-{attention}", pixels(1, 64, 96), attention)
        yield case(f"padded-b2-{attention}", padded, attention)
        yield case(f"ones-b2-{attention}", image("pixel_values", 2, 64, 64, mask_sizes=[(64, 64)] * 2), attention)
    yield case("learned", padded, position_embedding_type="learned")
    yield case("odd_input_gelu", pixels(1, 75, 101), activation_function="gelu", encoder_layers=2, decoder_layers=1)
    yield case("resnet_basic", padded, backbone_config={**RESNET, "layer_type": "basic", "depths": [2, 1, 1, 1]})
    yield case("resnet_downsample", pixels(2, 64, 64), backbone_config={**RESNET, "downsample_in_first_stage": True, "downsample_in_bottleneck": True, "depths": [2, 2, 2, 1]})
    no_backbone = dict(backbone_config=None)
    yield case("timm_resnet50", padded, **no_backbone)
    yield case("timm_resnet18", padded, **no_backbone, backbone="resnet18")
    yield case("timm_dilation", pixels(1, 64, 96), **no_backbone, backbone="resnet26", dilation=True)


SWIN = dict(model_type="swin", image_size=64, patch_size=4, embed_dim=8, depths=[1, 1, 2, 1], num_heads=[1, 2, 4, 4],
            window_size=4, out_features=["stage1", "stage2", "stage3", "stage4"])


def maskformer():
    def case(variant, inputs, attention="sdpa", decoder=None, **overrides):
        decoder = dict(model_type="detr", backbone_config=RESNET, num_queries=5, encoder_layers=1, decoder_layers=2,
                       encoder_ffn_dim=16, decoder_ffn_dim=16, encoder_attention_heads=4, decoder_attention_heads=4, d_model=12,
                       **(decoder or {}))
        base = dict(backbone_config=SWIN, decoder_config=decoder, fpn_feature_size=32, mask_feature_size=32, num_labels=4)
        return Case("maskformer", variant, {"model_type": "maskformer", **base, **overrides}, inputs, attention)

    pixels = lambda *size: image("pixel_values", *size)
    padded = image("pixel_values", 2, 64, 96, mask_sizes=[(64, 60), (40, 96)])
    for attention in ("sdpa", "eager"):
        yield case(f"nomask-b1-{attention}", pixels(1, 64, 96), attention)
        yield case(f"padded-b2-{attention}", padded, attention)
    yield case("odd_input", pixels(1, 75, 101))
    yield case("window7", pixels(2, 64, 64), backbone_config={**SWIN, "window_size": 7, "depths": [2, 2, 2, 2]})
    yield case("window_over_feature", pixels(1, 64, 64), backbone_config={**SWIN, "window_size": 12, "depths": [2, 2, 1, 1]})
    yield case("mask_feature", pixels(1, 64, 64), mask_feature_size=24, fpn_feature_size=32)
    yield case("swin_options", pixels(1, 64, 64), backbone_config={**SWIN, "qkv_bias": False, "hidden_act": "relu", "mlp_ratio": 2.0, "patch_size": 2})
    yield case("resnet", padded, backbone_config={**RESNET, "out_features": ["stage1", "stage2", "stage3", "stage4"]})


def rcnn(family):
    def case(variant, sizes, resnet=None, seed=0, **overrides):
        body = {"block": "bottleneck", "layers": [1, 1, 1, 1], "planes": [8, 12, 16, 20], "width_per_group": 16, **(resnet or {})}
        config = dict(model_type={"fasterrcnn": "torchvision.faster_rcnn", "maskrcnn": "torchvision.mask_rcnn"}[family], min_size=96,
                      max_size=128, rpn_pre_nms_top_n_test=200, rpn_post_nms_top_n_test=50, box_score_thresh=0.05,
                      box_detections_per_img=20, num_classes=4, fpn_channels=16, representation_size=24)
        config.update(resnet=body)
        if family == "maskrcnn":
            config.update(mask_layers=[12, 8], mask_dim_reduced=8)
        config.update(overrides)
        return Case(family, variant, config, images(*sizes), seed=seed)

    yield case("one", [(90, 110)])
    yield case("two_sizes", [(90, 110), (120, 80)], seed=10)
    yield case("three_sizes", [(64, 64), (100, 60), (60, 100)], box_detections_per_img=8, seed=20)
    yield case("threshold0", [(90, 110)], box_score_thresh=0.0, box_detections_per_img=40, seed=30)
    yield case("threshold_high", [(90, 110), (70, 110)], box_score_thresh=0.8, seed=40)
    yield case("nothing_found", [(90, 110), (96, 96)], box_score_thresh=0.999, seed=50)
    yield case("batch_norm_layers2", [(90, 110)], {"layers": [2, 1, 2, 1]}, norm_layer="batch_norm", seed=60)
    yield case("basic_block", [(96, 128)], {"block": "basic", "width_per_group": 64}, seed=70)
    yield case("rpn_depth2_nms", [(90, 110), (110, 90)], rpn_conv_depth=2, rpn_nms_thresh=0.5, box_nms_thresh=0.3, rpn_score_thresh=0.3, seed=80)
    yield case("wide_resize", [(40, 200)], rpn_pre_nms_top_n_test=60, image_mean=[0.4, 0.5, 0.6], image_std=[0.2, 0.3, 0.25], seed=93)


def cases():
    for family in (gpt2, bert, vit, swin, llama, segformer, detr, maskformer):
        yield from family()
    yield from rcnn("fasterrcnn")
    yield from rcnn("maskrcnn")
