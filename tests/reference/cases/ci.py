"""Cases small enough for the repository (tests/data/numerics)."""

from cases.case import Case, image, images, tokens


def ci():
    """Small enough for the repository (tests/data/numerics)."""

    def case(family, variant, inputs, attention="sdpa", as_given=False, seed=0, **config):
        return Case(family, f"ci_{variant}", config, inputs, attention, as_given, seed)

    gpt2_base = dict(
        model_type="gpt2", vocab_size=31, n_positions=12, n_embd=12, n_layer=2, bos_token_id=1, eos_token_id=2
    )
    yield case(
        "gpt2",
        "left_upcast",
        tokens(31, 3, 7, "left"),
        "eager",
        **gpt2_base,
        n_head=3,
        n_inner=20,
        reorder_and_upcast_attn=True,
        scale_attn_by_inverse_layer_idx=True,
    )
    yield case(
        "gpt2",
        "right_untied",
        tokens(31, 3, 8, "right"),
        **gpt2_base,
        n_head=2,
        activation_function="relu",
        tie_word_embeddings=False,
    )
    bert_base = dict(
        model_type="bert",
        vocab_size=31,
        hidden_size=12,
        num_hidden_layers=2,
        intermediate_size=20,
        max_position_embeddings=12,
    )
    yield case(
        "bert", "right_types", tokens(31, 3, 8, "right", token_type_ids=2), "eager", **bert_base, num_attention_heads=3
    )
    yield case(
        "bert",
        "nomask_untied",
        tokens(31, 2, 12),
        **bert_base,
        num_attention_heads=2,
        hidden_act="gelu_new",
        tie_word_embeddings=False,
    )
    vit_base = dict(model_type="torchvision.vision_transformer", num_layers=2, num_classes=5)
    yield case(
        "vit",
        "odd_heads",
        image("0", 2, 15, 15),
        **vit_base,
        image_size=15,
        patch_size=5,
        num_heads=3,
        hidden_dim=12,
        mlp_dim=25,
    )
    yield case(
        "vit",
        "representation",
        image("0", 2, 16, 16),
        **vit_base,
        image_size=16,
        patch_size=8,
        num_heads=4,
        hidden_dim=16,
        mlp_dim=20,
        representation_size=9,
    )
    swin_base = dict(model_type="torchvision.swin_transformer", embed_dim=4, num_classes=5)
    yield case(
        "swin",
        "window5x3",
        image("0", 1, 44, 20),
        **swin_base,
        patch_size=[4, 4],
        depths=[2, 2],
        num_heads=[1, 2],
        window_size=[5, 3],
    )
    yield case(
        "swin",
        "odd_batch",
        image("0", 2, 25, 22),
        **swin_base,
        patch_size=[2, 2],
        depths=[2, 1, 2],
        num_heads=[2, 2, 4],
        window_size=[4, 4],
        mlp_ratio=2.0,
    )
    llama_base = dict(
        model_type="llama",
        vocab_size=31,
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=64,
    )
    llama3 = dict(
        factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=32, rope_type="llama3"
    )
    yield case(
        "llama",
        "left_llama3_old_keys",
        tokens(31, 2, 20, "left"),
        as_given=True,
        **llama_base,
        rope_theta=500000.0,
        rope_scaling=llama3,
        head_dim=8,
        hidden_act="silu",
        rms_norm_eps=1e-5,
        attention_bias=False,
        mlp_bias=False,
        tie_word_embeddings=True,
    )
    yield case(
        "llama",
        "yarn_biases",
        tokens(31, 2, 13, "none"),
        "eager",
        **llama_base,
        attention_bias=True,
        mlp_bias=True,
        rope_parameters=dict(rope_type="yarn", rope_theta=10000.0, factor=4.0, original_max_position_embeddings=16),
    )
    yield case("llama", "no_cache_batch", tokens(31, 3, 9), **llama_base, use_cache=False)
    segformer_base = dict(
        model_type="segformer",
        depths=[1, 1, 1, 1],
        num_attention_heads=[1, 2, 1, 2],
        decoder_hidden_size=6,
        num_labels=3,
        mlp_ratios=[2, 2, 2, 2],
    )
    yield case(
        "segformer",
        "odd_input",
        image("pixel_values", 1, 53, 37),
        **segformer_base,
        hidden_sizes=[2, 4, 5, 6],
        sr_ratios=[4, 2, 2, 1],
    )
    yield case(
        "segformer",
        "batch_eager",
        image("pixel_values", 2, 32, 32),
        "eager",
        **segformer_base,
        hidden_sizes=[3, 4, 5, 8],
        sr_ratios=[8, 4, 2, 1],
        hidden_act="relu",
    )
    resnet = dict(
        model_type="resnet",
        embedding_size=4,
        hidden_sizes=[4, 8, 8, 12],
        depths=[1, 1, 1, 1],
        layer_type="bottleneck",
        out_features=["stage4"],
    )
    detr_base = dict(
        model_type="detr",
        num_queries=5,
        encoder_layers=1,
        decoder_layers=1,
        encoder_ffn_dim=10,
        decoder_ffn_dim=12,
        d_model=8,
        num_labels=3,
    )
    yield case(
        "detr",
        "padded",
        image("pixel_values", 1, 40, 70, mask_sizes=[(40, 33)]),
        **detr_base,
        backbone_config=resnet,
        encoder_attention_heads=2,
        decoder_attention_heads=4,
    )
    yield case(
        "detr",
        "learned_basic",
        image("pixel_values", 2, 40, 50),
        "eager",
        **detr_base,
        backbone_config={**resnet, "layer_type": "basic", "hidden_sizes": [4, 4, 8, 8]},
        encoder_attention_heads=4,
        decoder_attention_heads=2,
        position_embedding_type="learned",
        activation_function="gelu",
    )
    yield case(
        "detr",
        "gelu_backbone_narrow_padding",
        image("pixel_values", 1, 40, 70, mask_sizes=[(40, 68)]),  # no cell of the last map is hidden
        **detr_base,
        backbone_config={**resnet, "hidden_act": "gelu", "downsample_in_bottleneck": True},
        encoder_attention_heads=2,
        decoder_attention_heads=2,
    )
    body = {"block": "bottleneck", "layers": [1, 1, 1, 1], "planes": [4, 4, 6, 6], "width_per_group": 32}
    rcnn_base = dict(
        min_size=40,
        max_size=64,
        rpn_pre_nms_top_n_test=60,
        rpn_post_nms_top_n_test=20,
        box_score_thresh=0.05,
        box_detections_per_img=6,
        num_classes=3,
        fpn_channels=4,
        representation_size=8,
        resnet=body,
    )
    yield case(
        "fasterrcnn", "two", images((30, 40), (36, 30)), seed=5, model_type="torchvision.faster_rcnn", **rcnn_base
    )
    yield case(
        "fasterrcnn",
        "fixed_size",
        images((30, 40), (36, 30)),
        model_type="torchvision.faster_rcnn",
        **{**rcnn_base, "min_size": [32, 40]},
        fixed_size=[56, 44],
        size_divisible=16,
        bbox_reg_weights=[5.0, 8.0, 4.0, 3.0],
    )
    yield case(
        "maskrcnn",
        "one",
        images((48, 60)),
        seed=2,
        model_type="torchvision.mask_rcnn",
        mask_layers=[4, 4],
        mask_dim_reduced=4,
        **{
            **rcnn_base,
            "min_size": 64,
            "max_size": 96,
            "representation_size": 16,
            "fpn_channels": 8,
            "box_detections_per_img": 4,
        },
    )
