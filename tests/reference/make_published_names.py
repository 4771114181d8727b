"""Writes tests/fixtures/weights/published: names and shapes under which checkpoints of each family are published.

    python make_published_names.py

Published files carry older names than the models of today: transformers renames when it loads (and back when it saves), torchvision
in `_load_from_state_dict`. Each file names a case of tests/data/numerics for its config and holds the tensors {name: shape} of each form.
"""

import json
import pathlib
import re
import tempfile

from safetensors import safe_open

import originals

ROOT = pathlib.Path(__file__).parent.parent
CASES = {
    "gpt2": "gpt2-ci_left_upcast",
    "bert": "bert-ci_right_types",
    "llama": "llama-ci_yarn_biases",
    "detr": "detr-ci_padded",
    "segformer": "segformer-ci_odd_input",
    "vit": "vit-ci_odd_heads",
    "fasterrcnn": "fasterrcnn-ci_two",
    "maskrcnn": "maskrcnn-ci_one",
}

# torchvision before 0.13 (vision_transformer.py, rpn.py, mask_rcnn.py, feature_pyramid_network.py say how they are loaded).
OLD_TORCHVISION = [
    (r"\.mlp\.0\.", ".mlp.linear_1."),
    (r"\.mlp\.3\.", ".mlp.linear_2."),
    (r"(inner|layer)_blocks\.(\d)\.0\.", r"\1_blocks.\2."),
    (r"rpn\.head\.conv\.0\.0\.", "rpn.head.conv."),
]
# mask_fcn1 is 0.0, mask_fcn2 is 1.0, ...
OLD_MASK_HEAD = re.compile(r"mask_head\.(\d)\.0\.")


def shapes_of(state):
    return {name: list(tensor.shape) for name, tensor in state.items()}


def saved_by_transformers(model):
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        with safe_open(f"{folder}/model.safetensors", "pt") as file:
            return {name: list(file.get_slice(name).get_shape()) for name in file.keys()}


def early_gpt2(saved, config):
    """As openai-community/gpt2: without the prefix, with the causal masks."""
    early = {name.removeprefix("transformer."): shape for name, shape in saved.items()}
    for layer in range(config["n_layer"]):
        early[f"h.{layer}.attn.bias"] = [1, 1, config["n_positions"], config["n_positions"]]
        early[f"h.{layer}.attn.masked_bias"] = []
    return early


def early_bert(saved):
    """As google-bert/bert-base-uncased: TensorFlow's names of the norms, the head for next sentences, the pooler."""
    early = {name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): shape
             for name, shape in saved.items()}
    width = saved["bert.embeddings.word_embeddings.weight"][1]
    early |= {"cls.seq_relationship.weight": [2, width], "cls.seq_relationship.bias": [2],
              "bert.pooler.dense.weight": [width, width], "bert.pooler.dense.bias": [width],
              "cls.predictions.decoder.weight": saved["bert.embeddings.word_embeddings.weight"]}
    return early


def early_llama(saved, config):
    """As meta-llama/Llama-2-7b-hf, first upload: the rotary frequencies were saved."""
    width = config["hidden_size"] // config["num_attention_heads"]
    return saved | {f"model.layers.{i}.self_attn.rotary_emb.inv_freq": [width // 2]
                    for i in range(config["num_hidden_layers"])}


def old_torchvision(state):
    old = {}
    for name, shape in state.items():
        for new, before in OLD_TORCHVISION:
            name = re.sub(new, before, name)
        old[OLD_MASK_HEAD.sub(lambda match: f"mask_head.mask_fcn{int(match[1]) + 1}.", name)] = shape
    return old


def forms_of(family, config):
    model = originals.build(config)
    forms = {"today": shapes_of(model.state_dict())}
    if family in originals.HF_CLASSES:
        forms["saved"] = saved_by_transformers(model)
    if family == "gpt2":
        forms["early"] = early_gpt2(forms["saved"], config)
    elif family == "bert":
        forms["early"] = early_bert(forms["saved"])
    elif family == "llama":
        forms["early"] = early_llama(forms["saved"], config)
    elif family not in originals.HF_CLASSES:
        forms["early"] = old_torchvision(forms["today"])
    return forms


def main():
    target = ROOT / "fixtures" / "weights" / "published"
    target.mkdir(parents=True, exist_ok=True)
    for family, case in CASES.items():
        config = json.loads((ROOT / "data" / "numerics" / case / "config.json").read_text())
        text = json.dumps({"case": case, "forms": forms_of(family, config)}, indent=0)
        shape_on_one_line = re.sub(r"\[\n([^\]\[]*)\n\]", lambda match: "[" + match[1].replace("\n", " ") + "]", text)
        (target / f"{family}.json").write_text(shape_on_one_line + "\n")


if __name__ == "__main__":
    main()
