"""Writes tiny decoders with drawn configurations and what they generate.

    python make_generation.py OUTPUT SEED COUNT [FAMILY ...]   COUNT folders of each family of FAMILIES

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


def make(name, folder, seed):
    choices = random.Random(f"{name} {seed}")
    random.seed(seed)
    torch.manual_seed(seed)
    pick = choices.choice
    cls, config = FAMILIES[name](pick)
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
    output, seed, count = pathlib.Path(arguments[0]), int(arguments[1]), int(arguments[2])
    for name in arguments[3:] or FAMILIES:
        for i in range(seed, seed + count):
            try:
                make(name, output / f"{name}-{i}", i)
            except Exception as error:  # one case's failure does not end the run
                print(f"{name}-{i}: FAILED: {type(error).__name__}: {error}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
