"""Tiny ViT, Swin and SegFormer configurations."""

from cases.case import Case, image


def vit():
    def case(variant, batch, size, patch, heads, hidden, layers=2, **overrides):
        config = dict(
            model_type="torchvision.vision_transformer",
            image_size=size,
            patch_size=patch,
            num_layers=layers,
            num_heads=heads,
            hidden_dim=hidden,
            mlp_dim=2 * hidden + 3,
            num_classes=7,
            **overrides,
        )
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
        config = dict(
            model_type="torchvision.swin_transformer",
            patch_size=[patch] * 2,
            embed_dim=embed,
            depths=depths,
            num_heads=heads,
            window_size=list(window),
            num_classes=6,
            **overrides,
        )
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


def segformer():
    def case(variant, inputs, attention="sdpa", as_given=False, **overrides):
        base = dict(
            depths=[1, 1, 1, 1],
            sr_ratios=[8, 4, 2, 1],
            hidden_sizes=[4, 8, 10, 16],
            num_attention_heads=[1, 2, 5, 8],
            decoder_hidden_size=12,
            num_labels=5,
        )
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
    yield case(
        "heads",
        pixels(1, 64, 64),
        hidden_sizes=[8, 12, 18, 24],
        num_attention_heads=[2, 3, 3, 4],
        mlp_ratios=[4, 3, 2, 1],
    )
    yield case(
        "three_stages",
        pixels(1, 64, 64),
        num_encoder_blocks=3,
        depths=[1, 2, 1],
        sr_ratios=[4, 2, 1],
        hidden_sizes=[4, 8, 16],
        patch_sizes=[7, 3, 3],
        strides=[4, 2, 2],
        num_attention_heads=[1, 2, 4],
        mlp_ratios=[4, 4, 4],
    )
    yield case("patches", pixels(1, 60, 64), patch_sizes=[5, 3, 5, 3], strides=[3, 2, 3, 2], sr_ratios=[4, 2, 1, 1])
    yield case(
        "published_keys",
        pixels(1, 64, 64),
        as_given=True,
        architectures=["SegformerForSemanticSegmentation"],
        attention_probs_dropout_prob=0.0,
        classifier_dropout_prob=0.1,
        drop_path_rate=0.1,
        downsampling_rates=[1, 4, 8, 16],
        hidden_act="gelu",
        hidden_dropout_prob=0.0,
        image_size=224,
        initializer_range=0.02,
        layer_norm_eps=1e-06,
        mlp_ratios=[4, 4, 4, 4],
        num_encoder_blocks=4,
        patch_sizes=[7, 3, 3, 3],
        strides=[4, 2, 2, 2],
        torch_dtype="float32",
    )
