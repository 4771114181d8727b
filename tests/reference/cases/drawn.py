"""Configurations drawn at random from a seed: what nobody thought of when the graphs were written."""

import random

from cases.case import Case, image, images, tokens
from cases.detection import RESNET

ACTIVATIONS = ("gelu", "gelu_new", "gelu_pytorch_tanh", "gelu_fast", "quick_gelu", "relu", "silu", "tanh", "gelu_10", "mish",
               "relu6", "relu2", "sigmoid", "hardswish", "leaky_relu", "laplace", "gelu_accurate", "gelu_python")
STAGES = ("stage1", "stage2", "stage3", "stage4")


def maybe(draw, chance, **options):
    """Each option with that chance; a callable is drawn from."""
    return {key: value() if callable(value) else value for key, value in options.items() if draw.random() < chance}


def renamed(draw, config, chance, **names):
    """Some keys under the names that other models use for them (transformers' attribute_map)."""
    return {names[key] if key in names and draw.random() < chance else key: value for key, value in config.items()}


def labels(draw, most):
    """How many classes there are, said in one way or the other."""
    count = draw.randint(1, most)
    if draw.random() < 0.3:
        return {"id2label": {str(i): f"class {i}" for i in range(count)}}
    return {"num_labels": count}


def text_inputs(draw, vocabulary, longest, types=0):
    length = draw.choice((1, 2, longest, draw.randint(3, longest)))
    padding = draw.choice((None, "none", "left", "right"))
    batch = draw.randint(1, 4)
    if padding in ("left", "right") and length < 2 * batch:
        padding = "none"
    extra = {"token_type_ids": types} if types and draw.random() < 0.5 else {}
    return tokens(vocabulary, batch, length, padding, **extra)


def gpt2(draw):
    vocabulary, longest, heads = draw.randint(20, 90), draw.randint(8, 40), draw.choice((1, 2, 3, 4, 6))
    config = dict(vocab_size=vocabulary, n_positions=longest, n_embd=heads * draw.choice((4, 5, 8, 12)),
                  n_layer=draw.randint(1, 4), n_head=heads, bos_token_id=1, eos_token_id=2,
                  **maybe(draw, 0.3, n_inner=lambda: draw.randint(3, 70), layer_norm_epsilon=1e-3,
                          activation_function=lambda: draw.choice(ACTIVATIONS), tie_word_embeddings=False,
                          scale_attn_weights=False, scale_attn_by_inverse_layer_idx=True,
                          reorder_and_upcast_attn=True, use_cache=False, pad_token_id=0))
    config = renamed(draw, config, 0.15, n_positions="max_position_embeddings", n_embd="hidden_size",
                     n_layer="num_hidden_layers", n_head="num_attention_heads")
    return config, text_inputs(draw, vocabulary, longest, types=min(vocabulary, 5))


def bert(draw):
    vocabulary, longest, heads = draw.randint(20, 90), draw.randint(8, 40), draw.choice((1, 2, 3, 4, 6))
    types = draw.choice((1, 2, 3))
    config = dict(vocab_size=vocabulary, max_position_embeddings=longest, hidden_size=heads * draw.choice((4, 5, 8, 12)),
                  num_hidden_layers=draw.randint(1, 4), num_attention_heads=heads, intermediate_size=draw.randint(3, 70),
                  type_vocab_size=types,
                  **maybe(draw, 0.3, hidden_act=lambda: draw.choice(ACTIVATIONS), layer_norm_eps=1e-3,
                          tie_word_embeddings=False, pad_token_id=lambda: draw.randint(0, 9)),
                  **maybe(draw, 0.15, is_decoder=True, use_cache=False))
    return config, text_inputs(draw, vocabulary, longest, types=types)


def rope(draw, rotary, longest):
    """rope_parameters, or the rope_theta and rope_scaling of older configurations."""
    kind = draw.choice(("default", "linear", "dynamic", "yarn", "llama3", "longrope"))
    values = {}
    if kind != "default":
        values["factor"] = draw.choice((1.5, 2.0, 4.0, 8.0, 32.0))
    if kind in ("yarn", "longrope"):
        values["original_max_position_embeddings"] = draw.choice((4, 8, 16))
        values.update(maybe(draw, 0.25, attention_factor=lambda: draw.uniform(0.5, 1.5)))
    if kind == "yarn":
        values.update(maybe(draw, 0.3, beta_fast=16.0, beta_slow=2.0, truncate=False))
        if draw.random() < 0.3:
            values.update(mscale=draw.choice((0.7, 1.0)), mscale_all_dim=draw.choice((0.5, 1.0)))
    if kind == "llama3":
        values.update(low_freq_factor=draw.choice((1.0, 2.0)), high_freq_factor=draw.choice((4.0, 8.0)),
                      original_max_position_embeddings=draw.choice((8, 16, 32)))
    if kind == "longrope":
        for name in ("short_factor", "long_factor"):
            values[name] = [round(draw.uniform(1, 4), 3) for _ in range(rotary // 2)]
    theta = draw.choice((1000.0, 10000.0, 500000.0))
    if draw.random() < 0.5:
        return {"rope_parameters": {"rope_type": kind, "rope_theta": theta, **values}}
    if kind == "default":
        return {"rope_theta": theta, "rope_scaling": None}
    return {"rope_theta": theta, "rope_scaling": {draw.choice(("type", "rope_type")): kind, **values}}


def llama(draw):
    vocabulary, longest, kv_heads = draw.randint(20, 90), draw.randint(8, 48), draw.choice((1, 2, 3))
    heads = kv_heads * draw.choice((1, 2, 3, 4))
    size = draw.choice((4, 6, 8, 16))
    config = dict(vocab_size=vocabulary, hidden_size=heads * size, intermediate_size=draw.randint(5, 70),
                  num_hidden_layers=draw.randint(1, 3), num_attention_heads=heads, num_key_value_heads=kv_heads,
                  max_position_embeddings=longest, **maybe(draw, 0.3, tie_word_embeddings=True, attention_bias=True,
                  mlp_bias=True, rms_norm_eps=1e-3, hidden_act=lambda: draw.choice(ACTIVATIONS), use_cache=False,
                  pad_token_id=0))
    rotary = size
    if draw.random() < 0.3:
        config["head_dim"] = rotary = draw.choice((4, 6, 10, 16))
    config.update(rope(draw, rotary, longest))
    return config, text_inputs(draw, vocabulary, longest)


def vit(draw):
    patch, heads = draw.choice((4, 5, 8, 14)), draw.choice((1, 2, 3, 4, 6))
    size, hidden = patch * draw.randint(1, 5), heads * draw.choice((4, 6, 8))
    config = dict(model_type="torchvision.vision_transformer", image_size=size, patch_size=patch,
                  num_layers=draw.randint(1, 4), num_heads=heads, hidden_dim=hidden, mlp_dim=draw.randint(3, 60),
                  num_classes=draw.randint(1, 12), **maybe(draw, 0.3, representation_size=lambda: draw.randint(3, 30)))
    return config, image("0", draw.randint(1, 4), size, size)


def swin(draw):
    stages, embed = draw.randint(2, 4), draw.choice((4, 8, 12))
    patch = draw.choice((2, 4))
    config = dict(model_type="torchvision.swin_transformer", patch_size=[patch] * 2, embed_dim=embed,
                  depths=[draw.randint(1, 3) for _ in range(stages)],
                  num_heads=[draw.choice((1, 2, 4)) for _ in range(stages)],
                  window_size=[draw.randint(2, 8), draw.randint(2, 8)], num_classes=draw.randint(1, 9),
                  **maybe(draw, 0.3, mlp_ratio=lambda: draw.choice((1.0, 2.0, 3.0))))
    least = patch * 2 ** (stages - 1)
    return config, image("0", draw.randint(1, 3), draw.randint(least, 4 * least + 20), draw.randint(least, 4 * least + 20))


def segformer(draw):
    heads = [draw.choice((1, 2, 3)) for _ in range(4)]
    config = dict(depths=[draw.randint(1, 3) for _ in range(4)], sr_ratios=draw.choice(([8, 4, 2, 1], [4, 2, 1, 1])),
                  hidden_sizes=[h * draw.choice((2, 4, 5)) for h in heads], num_attention_heads=heads,
                  decoder_hidden_size=draw.randint(3, 30), **labels(draw, 9),
                  **maybe(draw, 0.3, hidden_act=lambda: draw.choice(ACTIVATIONS), mlp_ratios=[2, 3, 1, 4],
                          patch_sizes=[5, 3, 5, 3], strides=[3, 2, 2, 2], num_channels=lambda: draw.choice((1, 4))))
    blocks = draw.choice((2, 3, 4, 4, 4))
    if blocks < 4:
        config["num_encoder_blocks"] = blocks
        for key in ("depths", "sr_ratios", "hidden_sizes", "num_attention_heads", "mlp_ratios", "patch_sizes", "strides"):
            config[key] = config.get(key, {"mlp_ratios": [4] * 4, "patch_sizes": [7, 3, 3, 3], "strides": [4, 2, 2, 2]}.get(key))[:blocks]
    return config, image("pixel_values", draw.randint(1, 3), draw.randint(64, 130), draw.randint(64, 130),
                         channels=config.get("num_channels", 3))


def masked_image(draw, batch, least, most, channels=3):
    height, width = draw.randint(least, most), draw.randint(least, most)
    kind = draw.choice(("none", "ones", "padded"))
    sizes = None
    if kind == "ones":
        sizes = [(height, width)] * batch
    elif kind == "padded":
        sizes = [(draw.randint(height // 2, height), draw.randint(width // 2, width)) for _ in range(batch)]
    return image("pixel_values", batch, height, width, mask_sizes=sizes, channels=channels)


def resnet(draw):
    kind = draw.choice(("basic", "bottleneck"))
    sizes = [draw.choice((4, 8, 12, 16, 20)) * (4 if kind == "bottleneck" else 1) for _ in range(4)]
    return {**RESNET, "layer_type": kind, "embedding_size": draw.choice((4, 6)), "hidden_sizes": sizes,
            "depths": [draw.randint(1, 2) for _ in range(4)],
            **maybe(draw, 0.3, downsample_in_first_stage=True, downsample_in_bottleneck=True,
                    hidden_act=lambda: draw.choice(("gelu", "silu", "tanh")))}


def transformer(draw):
    """Keys that DETR and MaskFormer's decoder share."""
    encoder_heads, decoder_heads = draw.choice(((1, 1), (2, 4), (4, 2), (3, 3)))
    return dict(num_queries=draw.randint(1, 12), encoder_layers=draw.randint(1, 3), decoder_layers=draw.randint(1, 3),
                encoder_ffn_dim=draw.randint(4, 30), decoder_ffn_dim=draw.randint(4, 30),
                encoder_attention_heads=encoder_heads, decoder_attention_heads=decoder_heads,
                d_model=draw.choice((12, 24, 36)),
                **maybe(draw, 0.3, activation_function=lambda: draw.choice(ACTIVATIONS)))


def detr(draw):
    config = dict(transformer(draw), **labels(draw, 9), **maybe(draw, 0.2, auxiliary_loss=True))
    if draw.random() < 0.6:
        config["backbone_config"] = resnet(draw)
    else:
        config.update(backbone_config=None, backbone=draw.choice(("resnet18", "resnet26", "resnet34")),
                      **maybe(draw, 0.4, dilation=True))
        if config.get("dilation") and config["backbone"] != "resnet26":
            del config["dilation"]  # timm's basic blocks know none
    config.update(maybe(draw, 0.3, position_embedding_type="learned"))
    channels = draw.choice((3, 3, 3, 1, 4))
    if channels != 3:
        config["num_channels"] = channels
        if config["backbone_config"]:
            config["backbone_config"]["num_channels"] = channels
    config = renamed(draw, config, 0.15, d_model="hidden_size", encoder_layers="num_hidden_layers",
                     encoder_attention_heads="num_attention_heads")
    return config, masked_image(draw, draw.randint(1, 3), 64, 180, channels)


def maskformer(draw):
    decoder = dict(transformer(draw), model_type="detr", backbone_config=RESNET)
    if draw.random() < 0.75:
        heads = [draw.choice((1, 2, 4)) for _ in range(4)]
        backbone = dict(model_type=draw.choice(("swin", "maskformer-swin")), image_size=64, patch_size=draw.choice((2, 4)),
                        embed_dim=8, depths=[draw.randint(1, 3) for _ in range(4)], num_heads=heads,
                        window_size=draw.randint(2, 9), out_features=list(STAGES),
                        **maybe(draw, 0.3, qkv_bias=False, mlp_ratio=2.0,
                                hidden_act=lambda: draw.choice(("relu", "gelu_new", "silu")),
                                layer_norm_eps=1e-3, drop_path_rate=0.3))
        if draw.random() < 0.3:  # fewer maps for the pixel decoder
            backbone["out_features"] = list(STAGES[draw.randint(1, 2):])
    else:
        backbone = {**resnet(draw), "out_features": list(STAGES)}
    config = dict(backbone_config=backbone, decoder_config=decoder, fpn_feature_size=32,
                  mask_feature_size=draw.choice((16, 32)), **labels(draw, 8))
    return config, masked_image(draw, draw.randint(1, 3), 64, 140)


def rcnn(draw, family):
    basic = draw.random() < 0.3
    body = {"block": "basic" if basic else "bottleneck", "layers": [draw.randint(1, 2) for _ in range(4)],
            "planes": [draw.choice((8, 12, 16)) for _ in range(4)], "width_per_group": 64 if basic else 16}
    least = draw.choice((64, 96, 128))
    config = dict(model_type={"fasterrcnn": "torchvision.faster_rcnn", "maskrcnn": "torchvision.mask_rcnn"}[family],
                  resnet=body, min_size=least, max_size=least + draw.choice((0, 32, 80)), num_classes=draw.randint(2, 8),
                  fpn_channels=draw.choice((8, 16)), representation_size=draw.choice((16, 24)),
                  rpn_pre_nms_top_n_test=draw.choice((40, 200, 1000)), rpn_post_nms_top_n_test=draw.choice((10, 50, 200)),
                  box_score_thresh=draw.choice((0.0, 0.05, 0.3, 0.9)), box_detections_per_img=draw.choice((1, 5, 20, 60)),
                  **maybe(draw, 0.3, rpn_nms_thresh=0.5, box_nms_thresh=0.3, rpn_score_thresh=0.3, rpn_conv_depth=2,
                          norm_layer="batch_norm", image_mean=[0.4, 0.5, 0.6], image_std=[0.2, 0.3, 0.25]),
                  **maybe(draw, 0.2, size_divisible=lambda: draw.choice((1, 16, 48)),
                          fixed_size=lambda: [draw.randint(70, 140), draw.randint(70, 140)],
                          bbox_reg_weights=[5.0, 8.0, 4.0, 3.0]))
    if draw.random() < 0.2:
        config["min_size"] = [64, least]  # in inference the last one counts
    if family == "maskrcnn":
        config.update(mask_layers=[draw.choice((4, 8, 12)) for _ in range(draw.randint(1, 4))],
                      mask_dim_reduced=draw.choice((4, 8)))
    sizes = [(draw.randint(40, 160), draw.randint(40, 160)) for _ in range(draw.randint(1, 3))]
    return config, images(*sizes)


FAMILIES = {
    "gpt2": gpt2,
    "bert": bert,
    "llama": llama,
    "vit": vit,
    "swin": swin,
    "segformer": segformer,
    "detr": detr,
    "maskformer": maskformer,
    "fasterrcnn": lambda draw: rcnn(draw, "fasterrcnn"),
    "maskrcnn": lambda draw: rcnn(draw, "maskrcnn"),
}


def drawn(seed, count, families=()):
    """`count` cases of each family; a case depends on the seed, its family and its number only."""
    for family in families or FAMILIES:
        for number in range(count):
            draw = random.Random(f"{seed}-{family}-{number}")
            config, inputs = FAMILIES[family](draw)
            attention = draw.choice(("sdpa", "eager"))
            yield Case(family, f"drawn{seed}_{number}", {"model_type": family, **config}, inputs, attention,
                       as_given=draw.random() < 0.3, seed=1000 * seed + number)
