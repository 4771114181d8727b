"""Tiny DETR, MaskFormer, Faster R-CNN and Mask R-CNN configurations."""

from cases.case import Case, image, images

RESNET = dict(
    model_type="resnet",
    embedding_size=4,
    hidden_sizes=[8, 12, 16, 24],
    depths=[1, 1, 1, 1],
    layer_type="bottleneck",
    out_features=["stage4"],
)


def detr():
    def case(variant, inputs, attention="sdpa", **overrides):
        base = dict(
            backbone_config=RESNET,
            num_queries=7,
            encoder_layers=1,
            decoder_layers=2,
            encoder_ffn_dim=24,
            decoder_ffn_dim=20,
            encoder_attention_heads=4,
            decoder_attention_heads=2,
            d_model=16,
            num_labels=5,
        )
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
    yield case(
        "resnet_downsample",
        pixels(2, 64, 64),
        backbone_config={
            **RESNET,
            "downsample_in_first_stage": True,
            "downsample_in_bottleneck": True,
            "depths": [2, 2, 2, 1],
        },
    )
    no_backbone = dict(backbone_config=None)
    yield case("timm_resnet50", padded, **no_backbone)
    yield case("timm_resnet18", padded, **no_backbone, backbone="resnet18")
    yield case("timm_dilation", pixels(1, 64, 96), **no_backbone, backbone="resnet26", dilation=True)


SWIN = dict(
    model_type="swin",
    image_size=64,
    patch_size=4,
    embed_dim=8,
    depths=[1, 1, 2, 1],
    num_heads=[1, 2, 4, 4],
    window_size=4,
    out_features=["stage1", "stage2", "stage3", "stage4"],
)


def maskformer():
    def case(variant, inputs, attention="sdpa", decoder=None, **overrides):
        decoder = dict(
            model_type="detr",
            backbone_config=RESNET,
            num_queries=5,
            encoder_layers=1,
            decoder_layers=2,
            encoder_ffn_dim=16,
            decoder_ffn_dim=16,
            encoder_attention_heads=4,
            decoder_attention_heads=4,
            d_model=12,
            **(decoder or {}),
        )
        base = dict(
            backbone_config=SWIN, decoder_config=decoder, fpn_feature_size=32, mask_feature_size=32, num_labels=4
        )
        return Case("maskformer", variant, {"model_type": "maskformer", **base, **overrides}, inputs, attention)

    pixels = lambda *size: image("pixel_values", *size)
    padded = image("pixel_values", 2, 64, 96, mask_sizes=[(64, 60), (40, 96)])
    for attention in ("sdpa", "eager"):
        yield case(f"nomask-b1-{attention}", pixels(1, 64, 96), attention)
        yield case(f"padded-b2-{attention}", padded, attention)
    yield case("odd_input", pixels(1, 75, 101))
    yield case("window7", pixels(2, 64, 64), backbone_config={**SWIN, "window_size": 7, "depths": [2, 2, 2, 2]})
    yield case(
        "window_over_feature", pixels(1, 64, 64), backbone_config={**SWIN, "window_size": 12, "depths": [2, 2, 1, 1]}
    )
    yield case("mask_feature", pixels(1, 64, 64), mask_feature_size=24, fpn_feature_size=32)
    yield case(
        "swin_options",
        pixels(1, 64, 64),
        backbone_config={**SWIN, "qkv_bias": False, "hidden_act": "relu", "mlp_ratio": 2.0, "patch_size": 2},
    )
    yield case("resnet", padded, backbone_config={**RESNET, "out_features": ["stage1", "stage2", "stage3", "stage4"]})


def rcnn(family):
    def case(variant, sizes, resnet=None, seed=0, **overrides):
        body = {
            "block": "bottleneck",
            "layers": [1, 1, 1, 1],
            "planes": [8, 12, 16, 20],
            "width_per_group": 16,
            **(resnet or {}),
        }
        config = dict(
            model_type={"fasterrcnn": "torchvision.faster_rcnn", "maskrcnn": "torchvision.mask_rcnn"}[family],
            min_size=96,
            max_size=128,
            rpn_pre_nms_top_n_test=200,
            rpn_post_nms_top_n_test=50,
            box_score_thresh=0.05,
            box_detections_per_img=20,
            num_classes=4,
            fpn_channels=16,
            representation_size=24,
        )
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
    yield case(
        "rpn_depth2_nms",
        [(90, 110), (110, 90)],
        rpn_conv_depth=2,
        rpn_nms_thresh=0.5,
        box_nms_thresh=0.3,
        rpn_score_thresh=0.3,
        seed=80,
    )
    yield case(
        "wide_resize",
        [(40, 200)],
        rpn_pre_nms_top_n_test=60,
        image_mean=[0.4, 0.5, 0.6],
        image_std=[0.2, 0.3, 0.25],
        seed=93,
    )
