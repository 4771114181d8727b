"""The original models in Python, with random weights and inputs of the sizes that nongemm uses."""


def _text_inputs(torch, batch, length, device):
    ids = torch.randint(0, 1000, (batch, length), device=device)
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}


def _gpt2(torch, batch, dtype, device, attention):
    from transformers import GPT2Config, GPT2LMHeadModel

    model = GPT2LMHeadModel._from_config(GPT2Config(), attn_implementation=attention, dtype=dtype)
    return model, _text_inputs(torch, batch, 256, device)


def _bert(torch, batch, dtype, device, attention):
    from transformers import BertConfig, BertForMaskedLM

    model = BertForMaskedLM._from_config(BertConfig(), attn_implementation=attention, dtype=dtype)
    return model, _text_inputs(torch, batch, 128, device)


def _detr(torch, batch, dtype, device, attention):
    from transformers import CONFIG_MAPPING, DetrForObjectDetection

    config = CONFIG_MAPPING["detr"].from_dict({"num_labels": 91})
    model = DetrForObjectDetection._from_config(config, attn_implementation=None, dtype=dtype)
    return model, {
        "pixel_values": torch.randn(batch, 3, 800, 1088, dtype=dtype, device=device),
        "pixel_mask": torch.ones(batch, 800, 1088, dtype=torch.int64, device=device),
    }


def _torchvision(name):
    def make(torch, batch, dtype, device, attention):
        import torchvision

        model = getattr(torchvision.models, name)().to(dtype)
        return model, {"": torch.randn(batch, 3, 224, 224, dtype=dtype, device=device)}

    return make


MODELS = {
    "gpt2": _gpt2,
    "bert": _bert,
    "detr": _detr,
    "swin-t": _torchvision("swin_t"),
    "vit-b": _torchvision("vit_b_16"),
}
DTYPES = {"fp32": "float32", "fp16": "float16", "bf16": "bfloat16"}


def make(name, batch=1, dtype="fp32", device="cpu", attention="sdpa", mode="no_grad"):
    """The model in eval mode on its device, and a function that runs one inference and waits for it.

    mode is torch's: no_grad, as model cards have it, or inference_mode, which costs less per operator.
    Raises ImportError where torch or the model's library is not installed."""
    import torch

    torch.manual_seed(0)
    model, inputs = MODELS[name](torch, batch, getattr(torch, DTYPES[dtype]), device, attention)
    model = model.eval().to(device)
    positional = [inputs.pop("")] if "" in inputs else []
    wait = torch.cuda.synchronize if device != "cpu" else lambda: None

    def call():
        with getattr(torch, mode)():
            result = model(*positional, **inputs)
        wait()
        return result

    return model, call
