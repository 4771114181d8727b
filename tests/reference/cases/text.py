"""Tiny GPT-2, BERT and Llama configurations."""

from cases.case import Case, tokens


def gpt2():
    def case(variant, inputs, attention="sdpa", as_given=False, **overrides):
        base = dict(vocab_size=67, n_positions=32, n_embd=24, n_layer=2, n_head=4, bos_token_id=1, eos_token_id=2)
        return Case("gpt2", variant, {"model_type": "gpt2", **base, **overrides}, inputs, attention, as_given)

    for attention in ("sdpa", "eager"):
        yield case(f"nomask-b1-{attention}", tokens(67, 1, 9), attention)
        yield case(f"ones-b3-{attention}", tokens(67, 3, 11, "none"), attention)
        yield case(f"left-b3-{attention}", tokens(67, 3, 11, "left"), attention)
        yield case(f"right-b3-{attention}", tokens(67, 3, 11, "right"), attention)
        yield case(
            f"inverse_layer-{attention}", tokens(67, 2, 8, "none"), attention, scale_attn_by_inverse_layer_idx=True
        )
        yield case(f"upcast-{attention}", tokens(67, 2, 8, "right"), attention, reorder_and_upcast_attn=True)
        yield case(f"unscaled-{attention}", tokens(67, 2, 8, "none"), attention, scale_attn_weights=False)
    yield case(
        "upcast_inverse-eager",
        tokens(67, 2, 8, "none"),
        "eager",
        reorder_and_upcast_attn=True,
        scale_attn_by_inverse_layer_idx=True,
    )
    yield case("heads1", tokens(67, 2, 7, "none"), n_head=1, n_layer=1)
    yield case("heads3_inner40_relu", tokens(67, 3, 7, "left"), n_head=3, n_inner=40, activation_function="relu")
    yield case(
        "heads12_gelu_untied", tokens(67, 1, 32), n_head=12, activation_function="gelu", tie_word_embeddings=False
    )
    yield case("gelu_fast", tokens(67, 1, 7), "eager", activation_function="gelu_pytorch_tanh")
    yield case("silu_eps", tokens(67, 1, 7), activation_function="silu", layer_norm_epsilon=1e-3)
    yield case("one_token", tokens(67, 1, 1))
    yield case("one_token_mask-eager", tokens(67, 2, 1, "none"), "eager")
    published = dict(
        activation_function="gelu_new",
        architectures=["GPT2LMHeadModel"],
        attn_pdrop=0.1,
        bos_token_id=66,
        embd_pdrop=0.1,
        eos_token_id=66,
        initializer_range=0.02,
        layer_norm_epsilon=1e-05,
        n_ctx=32,
        resid_pdrop=0.1,
        summary_activation=None,
        summary_first_dropout=0.1,
        summary_proj_to_labels=True,
        summary_type="cls_index",
        summary_use_proj=True,
        task_specific_params={"text-generation": {"do_sample": True, "max_length": 50}},
    )
    yield case("published_keys", tokens(67, 2, 9, "none"), as_given=True, **published)


def bert():
    def case(variant, inputs, attention="sdpa", as_given=False, **overrides):
        base = dict(
            vocab_size=71,
            hidden_size=24,
            num_hidden_layers=2,
            num_attention_heads=4,
            intermediate_size=40,
            max_position_embeddings=32,
        )
        return Case("bert", variant, {"model_type": "bert", **base, **overrides}, inputs, attention, as_given)

    for attention in ("sdpa", "eager"):
        yield case(f"nomask-b1-{attention}", tokens(71, 1, 9), attention)
        yield case(f"ones-b3-{attention}", tokens(71, 3, 11, "none"), attention)
        yield case(f"right-b3-{attention}", tokens(71, 3, 11, "right"), attention)
        yield case(f"left-b3-{attention}", tokens(71, 3, 11, "left"), attention)
        yield case(f"types-b2-{attention}", tokens(71, 2, 11, "right", token_type_ids=2), attention)
    yield case("types3_nomask_relu", tokens(71, 2, 8, token_type_ids=3), type_vocab_size=3, hidden_act="relu")
    yield case("heads3_gelu_new", tokens(71, 2, 8, "right"), num_attention_heads=3, hidden_act="gelu_new")
    yield case(
        "heads1_silu_untied",
        tokens(71, 1, 8, "none"),
        num_attention_heads=1,
        hidden_act="silu",
        tie_word_embeddings=False,
    )
    yield case(
        "layers3_tanh_eps", tokens(71, 2, 32, "none"), num_hidden_layers=3, hidden_act="tanh", layer_norm_eps=1e-3
    )
    yield case("chunked", tokens(71, 2, 8, "none"), chunk_size_feed_forward=4)
    published = dict(
        architectures=["BertForMaskedLM"],
        attention_probs_dropout_prob=0.1,
        gradient_checkpointing=False,
        hidden_act="gelu",
        hidden_dropout_prob=0.1,
        initializer_range=0.02,
        layer_norm_eps=1e-12,
        pad_token_id=0,
        position_embedding_type="absolute",
        transformers_version="4.6.0.dev0",
        type_vocab_size=2,
        use_cache=True,
    )
    yield case("published_keys", tokens(71, 2, 9, "right", token_type_ids=2), as_given=True, **published)


def llama():
    def case(variant, inputs=None, attention="sdpa", as_given=False, **overrides):
        base = dict(
            vocab_size=67,
            hidden_size=32,
            intermediate_size=48,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=64,
        )
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
    yield case(
        "dynamic_long", tokens(67, 1, 40), max_position_embeddings=16, rope_parameters=rope("dynamic", factor=2.0)
    )
    yield case("yarn", rope_parameters=rope("yarn", factor=4.0, original_max_position_embeddings=16))
    yield case(
        "yarn_options",
        rope_parameters=rope(
            "yarn",
            factor=4.0,
            original_max_position_embeddings=16,
            beta_fast=16.0,
            beta_slow=2.0,
            mscale=1.0,
            mscale_all_dim=0.5,
            truncate=False,
        ),
    )
    yield case(
        "yarn_attention_factor",
        rope_parameters=rope("yarn", factor=4.0, original_max_position_embeddings=16, attention_factor=1.3),
    )
    yield case(
        "longrope_short", rope_parameters=rope("longrope", original_max_position_embeddings=16, factor=4.0, **longrope)
    )
    yield case(
        "longrope_long",
        tokens(67, 2, 20, "none"),
        rope_parameters=rope("longrope", original_max_position_embeddings=16, factor=4.0, **longrope),
    )
    yield case(
        "longrope_attention",
        tokens(67, 1, 20),
        rope_parameters=rope(
            "longrope", original_max_position_embeddings=16, factor=4.0, attention_factor=1.2, **longrope
        ),
    )
    yield case("llama3", tokens(67, 1, 40), rope_parameters=rope("llama3", 500000.0, **llama3), head_dim=16)
    old = dict(as_given=True, rms_norm_eps=1e-5, hidden_act="silu", attention_bias=False, tie_word_embeddings=False)
    yield case("old_default", rope_theta=500000.0, rope_scaling=None, **old)
    yield case("old_linear", rope_theta=10000.0, rope_scaling={"type": "linear", "factor": 2.0}, **old)
    yield case(
        "old_dynamic",
        tokens(67, 1, 40),
        rope_scaling={"type": "dynamic", "factor": 2.0},
        **{**old, "max_position_embeddings": 16},
    )
    yield case(
        "old_llama31",
        tokens(67, 1, 40),
        rope_theta=500000.0,
        rope_scaling={"rope_type": "llama3", **llama3},
        architectures=["LlamaForCausalLM"],
        attention_dropout=0.0,
        bos_token_id=1,
        eos_token_id=[2, 3, 4],
        mlp_bias=False,
        initializer_range=0.02,
        pretraining_tp=1,
        torch_dtype="bfloat16",
        transformers_version="4.42.3",
        use_cache=True,
        **old,
    )
    yield case(
        "old_llama32",
        tokens(67, 1, 40),
        rope_theta=500000.0,
        rope_scaling={"rope_type": "llama3", **llama3, "factor": 32.0},
        head_dim=16,
        **{**old, "tie_word_embeddings": True},
    )
    yield case(
        "old_llama2",
        rms_norm_eps=1e-5,
        as_given=True,
        architectures=["LlamaForCausalLM"],
        bos_token_id=1,
        eos_token_id=2,
        hidden_act="silu",
        initializer_range=0.02,
        pretraining_tp=1,
        rope_scaling=None,
        tie_word_embeddings=False,
        torch_dtype="float16",
        transformers_version="4.31.0.dev0",
        use_cache=True,
        num_key_value_heads=4,
    )
    yield case("new_keys_as_given", as_given=True, rope_parameters=rope("linear", factor=2.0), dtype="bfloat16")
