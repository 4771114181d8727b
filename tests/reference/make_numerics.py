"""Writes numerics cases: tiny configurations of every family, run in the original libraries.

    python make_numerics.py OUTPUT [FAMILY[-VARIANT] ...]     writes OUTPUT/<family>-<variant>/
    python make_numerics.py --drawn SEED COUNT OUTPUT [FAMILY ...]   COUNT configurations of each family, drawn at random
    python make_numerics.py --verify FOLDER ...               runs the originals on existing cases and compares

A case folder holds config.json, model.safetensors, inputs.safetensors and outputs.safetensors.
"""

import json
import math
import pathlib
import sys
import warnings

import torch
from safetensors.torch import load_file, save_file

import cases
import originals

warnings.filterwarnings("ignore")


def random_weights(model, seed, detection):
    """Draws every weight so that activations neither vanish nor saturate; tied weights stay tied."""
    generator = torch.Generator().manual_seed(seed)
    normal = lambda t: torch.randn(t.shape, generator=generator)
    tensors = dict(model.named_parameters())
    tensors.update((k, b) for k, b in model.named_buffers() if k.split(".")[-1] in ("running_mean", "running_var"))
    tensors.update((k, b) for k, b in model.named_buffers() if b.ndim == 1 and k.endswith((".weight", ".bias")))
    with torch.no_grad():
        for name, tensor in tensors.items():
            if tensor.ndim >= 2:
                # Box deltas are multiplied by image sizes; MaskFormer's mask logits are sums over all channels.
                small = ("bbox_pred" in name and detection) or "mask_embedder.2" in name
                scale = (0.1 if small else 1.5) / math.sqrt(tensor[0].numel())
                tensor.copy_(scale * normal(tensor))
            elif name.endswith("running_var"):
                tensor.copy_(0.75 + 0.5 * torch.rand(tensor.shape, generator=generator))
            else:
                centre = 1.0 if name.endswith("weight") else 0.0
                tensor.copy_(centre + 0.1 * normal(tensor))


def spread_scores(model, inputs):
    """Standardises every class logit over its positions: random heads prefer one class and saturate its score."""
    for name in (
        "rpn.head.cls_logits",
        "roi_heads.box_predictor.cls_score",
        "roi_heads.mask_predictor.mask_fcn_logits",
    ):
        if name not in dict(model.named_modules()):
            continue
        head, seen = model.get_submodule(name), []
        hook = head.register_forward_hook(
            lambda module, arguments, output: seen.append(output.movedim(1, -1).flatten(0, -2))
        )
        originals.call(model, inputs)
        hook.remove()
        logits = torch.cat(seen)
        factor = 1.5 / logits.std(0)
        with torch.no_grad():
            head.bias.copy_((head.bias - logits.mean(0)) * factor)
            head.weight.mul_(factor.view(-1, *[1] * (head.weight.ndim - 1)))


def run(config, weights, inputs):
    model = originals.build(config)
    model.load_state_dict(weights, strict=True)
    return originals.flatten(originals.call(model, inputs))


def is_stable(config, weights, inputs, outputs):
    """Whether rounding errors leave the order of detections alone (proposals are picked by comparing scores)."""
    generator = torch.Generator().manual_seed(1)
    nudged = {k: v + 5e-7 * torch.randn(v.shape, generator=generator) for k, v in inputs.items()}
    again = run(config, weights, nudged)
    for name, value in outputs.items():
        if name.endswith("scores") and (value[:-1] - value[1:] < 2e-5).any():
            return False  # near ties may come in any order
        bound = {"boxes": 5e-3, "labels": 0, "masks": 1e-3}.get(name.split(".")[-1], 5e-5)
        if again[name].shape != value.shape or (value.numel() and (again[name] - value).abs().max() > bound):
            return False
    return True


def make(case, folder):
    config = dict(case.config)
    if not case.as_given and config["model_type"] in originals.HF_CLASSES:
        config = originals.hf_config(config).to_dict()
    if config["model_type"] in originals.HF_CLASSES:
        config["_attn_implementation"] = case.attention
    inputs = case.inputs(torch.Generator().manual_seed(case.seed))
    config["_call"] = "model([images])" if "0.0" in inputs else "model(*inputs)" if "0" in inputs else "model(**inputs)"
    detection = "rcnn" in config["model_type"]
    for seed in range(case.seed, case.seed + 40):
        model = originals.build(config)
        random_weights(model, seed, detection)
        if detection:
            spread_scores(model, inputs)
        weights = {k: v.clone().contiguous() for k, v in model.state_dict().items()}
        outputs = run(config, weights, inputs)
        if not detection or is_stable(config, weights, inputs, outputs):
            break
    else:
        raise RuntimeError(f"{folder.name}: no seed gives detections that rounding leaves alone")
    assert all(v.isfinite().all() for v in outputs.values()), f"{folder.name}: output not finite"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    save_file(weights, folder / "model.safetensors")
    save_file({k: v.contiguous() for k, v in inputs.items()}, folder / "inputs.safetensors")
    save_file({k: v.contiguous() for k, v in outputs.items()}, folder / "outputs.safetensors")
    size = sum(f.stat().st_size for f in folder.iterdir())
    spread = {k: round(v.float().std().item(), 3) for k, v in outputs.items() if v.numel() > 1}
    print(f"{folder.name}: {size >> 10} KB, std {spread}", flush=True)


def verify(folder):
    config = json.loads((folder / "config.json").read_text())
    weights, inputs, wanted = (load_file(folder / f"{n}.safetensors") for n in ("model", "inputs", "outputs"))
    outputs = run(config, weights, inputs)
    if outputs.keys() != wanted.keys():
        print(f"{folder.name}: outputs {sorted(outputs)} instead of {sorted(wanted)}")
        return
    differences = {
        k: (outputs[k].double() - v.double()).abs().max().item() if v.numel() else 0.0 for k, v in wanted.items()
    }
    print(f"{folder.name}: largest absolute difference {differences}", flush=True)


def main(arguments):
    if arguments[:1] == ["--verify"]:
        for folder in arguments[1:]:
            verify(pathlib.Path(folder))
        return
    torch.set_num_threads(1)  # tiny tensors
    chosen = cases.all_cases()
    if arguments[:1] == ["--drawn"]:
        chosen = cases.drawn(int(arguments[1]), int(arguments[2]), arguments[4:])
        arguments = arguments[3:4]
    output, wanted = pathlib.Path(arguments[0]), arguments[1:]
    for case in chosen:
        name = f"{case.family}-{case.variant}"
        if not wanted or name in wanted or case.family in wanted:
            try:
                make(case, output / name)
            except Exception as error:  # one case's failure does not end the run
                print(f"{name}: FAILED: {type(error).__name__}: {error}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
