"""Writes tiny decoders with drawn configurations and what they generate.

    python make_generation.py [--odd] OUTPUT SEED COUNT [FAMILY ...]   COUNT folders of each family of FAMILIES

With --odd what is rare in published models is drawn on top: odd counts of heads, every rope type, windows shorter than the prompt,
other activations, limits on logits, experts; longer prompts with more padding.

A folder is as save_pretrained writes it, with inputs.safetensors (`input_ids`, `attention_mask` [batch, prompt], padding
on the left), outputs.safetensors (`tokens` [batch, new], `logits` [new, batch, vocabulary] of a greedy generate()), and the operators
of the prompt's forward and of one in the middle (prompt_dynamic.json, step_dynamic.json, prompt_static.json,
step_static.json), as `model(input_ids, attention_mask, position_ids, past_key_values, logits_to_keep=1)` dispatches them.
`nongemm verify OUTPUT/*` compares tokens and logits, `--cache static` with the other cache; generation_test compares
all of it, of other folders where NONGEMM_GENERATION_CASES=OUTPUT.
"""

import copy
import json
import pathlib
import random
import sys
import warnings

import torch
import transformers
from safetensors.torch import save_file

import make_streams

warnings.filterwarnings("ignore")


def decoder(pick, **more):
    kv = pick([1, 2, 4])
    heads = kv * pick([1, 2])
    head = pick([8, 12, 16])
    return dict(
        vocab_size=pick([61, 97, 130]),
        hidden_size=heads * head,
        num_attention_heads=heads,
        num_key_value_heads=kv,
        num_hidden_layers=pick([2, 3, 4]),
        intermediate_size=pick([40, 64]),
        max_position_embeddings=64,
        tie_word_embeddings=pick([True, False]),
        pad_token_id=None,
        bos_token_id=None,
        eos_token_id=None,
        **more,
    )


def gpt2(pick):
    heads = pick([1, 2, 4])
    return transformers.GPT2LMHeadModel, dict(
        vocab_size=pick([61, 101]),
        n_positions=64,
        n_embd=heads * pick([8, 12]),
        n_head=heads,
        n_layer=pick([2, 3]),
        scale_attn_by_inverse_layer_idx=pick([True, False]),
        reorder_and_upcast_attn=pick([True, False]),
        tie_word_embeddings=pick([True, False]),
        bos_token_id=None,
        eos_token_id=None,
    )


ROPES = [
    {"rope_type": "default", "rope_theta": 10000.0},
    {"rope_type": "linear", "rope_theta": 10000.0, "factor": 2.0},
    {"rope_type": "dynamic", "rope_theta": 10000.0, "factor": 2.0},
    {"rope_type": "yarn", "rope_theta": 10000.0, "factor": 4.0, "original_max_position_embeddings": 16},
    {
        "rope_type": "llama3",
        "rope_theta": 10000.0,
        "factor": 4.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 16,
    },
]


def llama(pick):
    config = decoder(pick, attention_bias=pick([True, False]), mlp_bias=pick([True, False]))
    config["rope_parameters"] = dict(pick(ROPES))
    if config["rope_parameters"]["rope_type"] == "dynamic":
        config["max_position_embeddings"] = pick([12, 64])
    return transformers.LlamaForCausalLM, config


def mistral(pick):
    return transformers.MistralForCausalLM, decoder(pick, sliding_window=pick([None, 4, 7, 12, 20, 40]))


def qwen2(pick):
    sliding = pick([True, False])
    return transformers.Qwen2ForCausalLM, decoder(
        pick, use_sliding_window=sliding, sliding_window=pick([5, 9]) if sliding else None, max_window_layers=pick([0, 1])
    )


def qwen3(pick):
    return transformers.Qwen3ForCausalLM, decoder(pick, head_dim=pick([8, 20]), attention_bias=pick([True, False]))


def phi3(pick):
    config = decoder(pick, partial_rotary_factor=1.0, original_max_position_embeddings=64)
    config["sliding_window"] = pick([None, 6])
    if pick([True, False]):
        half = config["hidden_size"] // config["num_attention_heads"] // 2
        factors = lambda: [1.0 + random.random() for _ in range(half)]
        config["original_max_position_embeddings"] = pick([14, 64])
        config["rope_parameters"] = {
            "rope_type": "longrope",
            "rope_theta": 10000.0,
            "short_factor": factors(),
            "long_factor": factors(),
            "original_max_position_embeddings": config["original_max_position_embeddings"],
        }
    return transformers.Phi3ForCausalLM, config


def gemma2(pick):
    return transformers.Gemma2ForCausalLM, decoder(
        pick, head_dim=pick([8, 16]), sliding_window=pick([5, 9, 30]), query_pre_attn_scalar=pick([16, 24])
    )


def gemma3(pick):
    return transformers.Gemma3ForCausalLM, decoder(
        pick,
        head_dim=pick([8, 16]),
        sliding_window=pick([5, 9, 30]),
        query_pre_attn_scalar=16,
        layer_types=[pick(["sliding_attention", "full_attention"]) for _ in range(3)],
    ) | {"num_hidden_layers": 3}


def mixtral(pick):
    return transformers.MixtralForCausalLM, decoder(
        pick, num_local_experts=pick([3, 4]), num_experts_per_tok=2, sliding_window=pick([None, 6])
    )


def qwen3_moe(pick):
    return transformers.Qwen3MoeForCausalLM, decoder(
        pick, head_dim=8, num_experts=4, num_experts_per_tok=2, moe_intermediate_size=24
    )


def gpt_oss(pick):
    return transformers.GptOssForCausalLM, decoder(
        pick,
        head_dim=pick([8, 16]),
        num_local_experts=4,
        num_experts_per_tok=2,
        sliding_window=pick([5, 9]),
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0},
    )


FAMILIES = {
    f.__name__: f
    for f in (gpt2, llama, mistral, qwen2, qwen3, phi3, gemma2, gemma3, mixtral, qwen3_moe, gpt_oss)
}


GLU_ACTIVATIONS = ["silu", "gelu", "gelu_pytorch_tanh", "relu", "gelu_new"]


def odd_rope(pick, head, longrope=True):
    rope = dict(pick(ROPES)) | {"rope_theta": pick([10000.0, 500.0, 1e6])}
    if longrope and pick([False, False, True]):
        factors = lambda: [1.0 + pick(range(9)) / 4 for _ in range(head // 2)]
        rope = {"rope_type": "longrope", "rope_theta": 10000.0, "short_factor": factors(), "long_factor": factors()}
        rope |= {"original_max_position_embeddings": 64, "factor": pick([1.0, 4.0])}
    if rope["rope_type"] == "yarn":
        rope |= pick([{}, {"attention_factor": 0.7}, {"beta_fast": 16.0, "beta_slow": 2.0}, {"truncate": False}])
    return rope


def odd(name, config, pick):
    """What is drawn in place of the usual, by the keys that the family has."""
    if name == "gpt2":
        config |= dict(n_inner=pick([None, 11]), activation_function=pick(["gelu_new", "relu", "gelu", "silu"]))
        return config | dict(scale_attn_weights=pick([True, False]), layer_norm_epsilon=pick([1e-5, 1e-3]))
    kv, times = pick([1, 2, 3, 5]), pick([1, 2, 3])
    # Grouped products want rows of whole 16 bytes.
    head = pick([8, 12, 20, 32] if name in ("mixtral", "qwen3_moe", "gpt_oss") else [6, 10, 18, 32])
    config |= dict(num_key_value_heads=kv, num_attention_heads=kv * times, hidden_size=kv * times * head)
    if "head_dim" in config:
        config |= dict(head_dim=head, hidden_size=kv * times * pick([4, 8, 12]))
    if name in ("mistral", "llama") and pick([True, False]):
        config |= dict(head_dim=head, hidden_size=kv * times * pick([3, 5]))
    config |= dict(pad_token_id=pick([None, 0, 3]), rms_norm_eps=pick([1e-6, 1e-3]))
    activation = "hidden_activation" if name in ("gemma2", "gemma3") else "hidden_act"
    if name != "gpt_oss":
        config |= {activation: pick(GLU_ACTIVATIONS)}
    if config.get("sliding_window"):
        config["sliding_window"] = pick([2, 3, 4, 6, 11])
    layers = config["num_hidden_layers"]
    types = [pick(["sliding_attention", "full_attention"]) for _ in range(layers)]
    if name in ("gemma2", "gemma3", "gpt_oss"):
        config |= dict(layer_types=types)
    if name == "qwen2" and config["use_sliding_window"]:
        config |= dict(layer_types=pick([types, None]), max_window_layers=pick([0, 1, layers]))
    if name in ("gemma2", "gemma3"):
        config |= dict(attention_bias=pick([True, False]), final_logit_softcapping=pick([None, 3.0, 30.0]))
        config |= dict(attn_logit_softcapping=pick([None, 2.0, 50.0]), query_pre_attn_scalar=pick([7, 16, 40]))
    if name in ("llama", "qwen3", "qwen3_moe", "gpt_oss"):
        config |= dict(attention_bias=pick([True, False]))
    if name == "gemma3":
        config["rope_parameters"] = {kind: odd_rope(pick, head) for kind in ("full_attention", "sliding_attention")}
    elif name == "phi3":
        config |= dict(partial_rotary_factor=1.0)
        if "rope_parameters" in config:
            half = [1.0 + pick(range(9)) / 4 for _ in range(head // 2)]
            config["rope_parameters"] |= dict(short_factor=half, long_factor=half[::-1])
            config |= dict(original_max_position_embeddings=pick([6, 12, 64]))
            config["rope_parameters"]["original_max_position_embeddings"] = config["original_max_position_embeddings"]
        else:
            config["rope_parameters"] = {"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": pick([1.0, 0.7])}
    else:
        config["rope_parameters"] = odd_rope(pick, head)
    if config.get("rope_parameters", {}).get("rope_type") == "dynamic":
        config["max_position_embeddings"] = pick([12, 20, 64])
    if name == "mixtral":
        config |= dict(num_local_experts=pick([1, 3, 5]), num_experts_per_tok=1)
        config |= dict(num_experts_per_tok=pick([1, config["num_local_experts"]]))
    if name == "gpt_oss":
        config |= dict(num_local_experts=pick([2, 5]), num_experts_per_tok=pick([1, 2]))
    if name == "qwen3_moe":
        config |= dict(num_experts=pick([2, 6]), num_experts_per_tok=pick([1, 2]), norm_topk_prob=pick([True, False]))
        config |= dict(decoder_sparse_step=pick([1, 2]), mlp_only_layers=pick([[], [0], [1]]))
        sliding = pick([None, 3, 6])
        config |= dict(use_sliding_window=sliding is not None, sliding_window=sliding, max_window_layers=pick([0, 1]))
    if name == "qwen3":
        sliding = pick([None, 3, 6])
        config |= dict(use_sliding_window=sliding is not None, sliding_window=sliding, max_window_layers=pick([0, 1]))
    return config


def static_cache(model, length):
    return transformers.StaticCache(config=model.config, max_cache_len=length)


def operators_of(model, arguments):
    caches = [copy.deepcopy(arguments["past_key_values"]) for _ in range(2)]  # a run to warm up, a recorded one
    return make_streams.stream(model, lambda: model(**arguments | {"past_key_values": caches.pop()}))[0]


@torch.no_grad()
def streams(model, inputs, tokens, cache, kind):
    """The prompt's forward and one in the middle, as a loop around the model calls it."""
    new = tokens.shape[1]
    prompt = inputs["input_ids"].shape[1]
    mask = inputs["attention_mask"]
    padded = bool((mask == 0).any())
    static = kind == "static"
    longest = prompt + new - 1
    if static:  # whole from the start; None where nothing is padded
        ones = torch.ones(mask.shape[0], longest - prompt, dtype=mask.dtype)
        mask = torch.cat([mask, ones], -1) if padded else None
    positions = (inputs["attention_mask"].cumsum(-1) - 1).masked_fill(inputs["attention_mask"] == 0, 0)

    def arguments(ids, positions, mask):
        result = {"input_ids": ids, "attention_mask": mask, "past_key_values": cache, "logits_to_keep": 1}
        return result | ({"position_ids": positions} if padded else {})

    current = arguments(inputs["input_ids"], positions, mask)
    result = {"prompt": operators_of(model, current)}
    model(**current)
    middle = new // 2
    for i in range(1, middle + 1):
        positions = positions[:, -1:] + 1
        if not static:
            mask = torch.cat([mask, mask.new_ones(mask.shape[0], 1)], -1)
        current = arguments(tokens[:, i - 1 : i], positions, mask)
        if i == middle:
            result["step"] = operators_of(model, current)
        model(**current)
    return result


def make(name, folder, seed, is_odd):
    choices = random.Random(f"{name} {seed}")
    random.seed(seed)
    torch.manual_seed(seed)
    pick = choices.choice
    cls, config = FAMILIES[name](pick)
    if is_odd:
        config = odd(name, config, pick)
    attention = "eager" if name in ("gemma2", "gpt_oss") else pick(["eager", "sdpa", "sdpa"])
    model = cls._from_config(cls.config_class(**config), attn_implementation=attention).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            flat = parameter.ndim < 2
            spread = 0.2 if flat else parameter.shape[-1] ** -0.5
            parameter.copy_(torch.randn(parameter.shape) * spread + float(flat) * 0.5)
    model.save_pretrained(folder)
    written = json.loads((folder / "config.json").read_text())
    written["_attn_implementation"] = attention
    (folder / "config.json").write_text(json.dumps(written, indent=1) + "\n")
    batch, prompt, new = pick([1, 2, 3]), pick([1, 5, 9, 13]), pick([2, 8, 12])
    if is_odd:
        batch, prompt, new = pick([1, 2, 4]), pick([2, 7, 17, 24]), pick([2, 9, 15])
    ids = torch.randint(0, model.config.vocab_size, (batch, prompt))
    mask = torch.ones_like(ids)
    if pick([True, False]) and prompt > 1:
        for row in range(batch):
            mask[row, : choices.randrange(0, prompt)] = 0
    inputs = {"input_ids": ids, "attention_mask": mask}
    save_file(inputs, folder / "inputs.safetensors")
    outputs = model.generate(
        **inputs,
        max_new_tokens=new,
        min_new_tokens=new,
        do_sample=False,
        output_logits=True,
        return_dict_in_generate=True,
    )
    tokens = outputs.sequences[:, prompt:].contiguous()
    logits = torch.stack(outputs.logits)
    best = logits.topk(2, -1).values
    lead = (best[..., 0] - best[..., 1]).min().item()
    save_file({"tokens": tokens, "logits": logits}, folder / "outputs.safetensors")
    caches = {"dynamic": transformers.DynamicCache(config=model.config), "static": static_cache(model, prompt + new - 1)}
    for kind, cache in caches.items():
        for part, operators in streams(model, inputs, tokens, cache, kind).items():
            lines = ",\n".join(json.dumps(o, separators=(",", ":")) for o in operators)
            (folder / f"{part}_{kind}.json").write_text('{"operators": [\n' + lines + "\n]}\n")
    print(f"{folder.name}: batch {batch}, prompt {prompt}, {new} tokens, lead {lead:.3g}", flush=True)


def main(arguments):
    torch.set_num_threads(1)
    is_odd = arguments[0] == "--odd"
    arguments = arguments[is_odd:]
    output, seed, count = pathlib.Path(arguments[0]), int(arguments[1]), int(arguments[2])
    for name in arguments[3:] or FAMILIES:
        for i in range(seed, seed + count):
            try:
                make(name, output / f"{name}-{i}", i, is_odd)
            except Exception as error:  # one case's failure does not end the run
                print(f"{name}-{i}: FAILED: {type(error).__name__}: {error}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
