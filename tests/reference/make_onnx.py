"""Writes ONNX cases: tiny models exported by torch.onnx.export, their inputs and outputs.

    python make_onnx.py OUTPUT [CASE ...]   writes OUTPUT/onnx_<case>/{model.onnx, inputs.safetensors, outputs.safetensors}

A case's name ends in the exporter: "_dynamo" or "_script" (TorchScript).
"""

import inspect
import pathlib
import sys
import warnings

import torch
from safetensors.torch import save_file

import import_models
import make_import

warnings.filterwarnings("ignore")

# Base model, opset, external data.
CASES = {
    "resnet_script": ("resnet", 17, False),
    "resnet_dynamo": ("resnet", 18, True),
    "gpt2_script": ("gpt2", 14, False),
    "segformer_script": ("segformer", 16, False),
    "dynamic_batch_script": ("dynamic_batch", 13, False),
    "llama_script": ("llama_masked", 14, False),
    "swin_script": ("swin", 14, False),
    "gpt2_dynamo": ("gpt2", 18, False),
    "llama_dynamo": ("llama_dynamic", 20, False),
    "swin_dynamo": ("swin", 19, False),
    "segformer_dynamo": ("segformer", 21, False),
    "t5_encoder_script": ("t5_encoder", 17, False),
}

# Sizes that are left open, by base model: of the first input.
FREE = {"dynamic_batch": {0: "batch"}, "llama_dynamic": {0: "batch", 1: "length"}}


class Positional(torch.nn.Module):
    """The exporters want inputs by position."""

    def __init__(self, model, names):
        super().__init__()
        self.model = model
        self.names = names

    def forward(self, *inputs):
        outputs = self.model(**dict(zip(self.names, inputs))) if self.names else self.model(*inputs)
        return tuple(outputs.values()) if isinstance(outputs, dict) else outputs


def write_case(name, folder):
    torch.manual_seed(0)
    base, opset, external = CASES[name]
    case = import_models.CASES[base]()
    case.model.eval()
    if name == "swin_dynamo":  # the exporter cannot write its fused attention
        case.model.model.set_attn_implementation("eager")
    import_models.random_weights(case.model)
    names = list(case.kwargs)
    model = Positional(case.model, names).eval()
    args = tuple(case.kwargs.values()) if names else case.args
    input_names = names or list(inspect.signature(case.model.forward).parameters)[: len(args)]
    with torch.no_grad():
        outputs = model(*args)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    output_names = [f"output_{i}" for i in range(len(outputs))]
    folder.mkdir(parents=True, exist_ok=True)
    options = {"input_names": input_names, "output_names": output_names, "opset_version": opset}
    if name.endswith("_script"):
        axes = {input_names[0]: FREE[base]} if base in FREE else None
        torch.onnx.export(model, args, str(folder / "model.onnx"), dynamo=False, dynamic_axes=axes, **options)
    else:
        torch.onnx.export(
            model, args, str(folder / "model.onnx"), dynamo=True, external_data=external, verbose=False,
            dynamic_shapes={"inputs": (FREE[base],)} if base in FREE else None, **options
        )
    run = case.run_args if case.run_args is not None else args
    with torch.no_grad():
        outputs = model(*run)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    save_file({n: t.clone().contiguous() for n, t in zip(input_names, run)}, folder / "inputs.safetensors")
    save_file(make_import.as_tensors(dict(zip(output_names, outputs))), folder / "outputs.safetensors")
    print(name, sum(f.stat().st_size for f in folder.iterdir()) // 1024, "KiB", flush=True)


def main():
    for name in sys.argv[2:] or list(CASES):
        write_case(name, pathlib.Path(sys.argv[1]) / ("onnx_" + name))


if __name__ == "__main__":
    main()
