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


def _maskformer(torch, batch, dtype, device, attention):
    from transformers import MaskFormerConfig, MaskFormerForInstanceSegmentation

    model = MaskFormerForInstanceSegmentation._from_config(MaskFormerConfig(), dtype=dtype)
    return model, {
        "pixel_values": torch.randn(batch, 3, 800, 1088, dtype=dtype, device=device),
        "pixel_mask": torch.ones(batch, 800, 1088, dtype=torch.int64, device=device),
    }


def _segformer(torch, batch, dtype, device, attention):
    from transformers import SegformerConfig, SegformerForSemanticSegmentation

    model = SegformerForSemanticSegmentation._from_config(SegformerConfig(num_labels=150), dtype=dtype)
    return model, {"pixel_values": torch.randn(batch, 3, 512, 512, dtype=dtype, device=device)}


def _llama3(torch, batch, dtype, device, attention):
    """Llama 3 8B, its weights drawn on the device: a host takes minutes for them."""
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(vocab_size=128256, hidden_size=4096, intermediate_size=14336, num_hidden_layers=32,
                         num_attention_heads=32, num_key_value_heads=8, max_position_embeddings=8192,
                         rms_norm_eps=1e-5, rope_theta=500000.0)
    with torch.device(device):
        model = LlamaForCausalLM._from_config(config, attn_implementation=attention, dtype=dtype)
    return model, _text_inputs(torch, batch, 2048, device)


def _rcnn(name):
    def make(torch, batch, dtype, device, attention):
        import torchvision

        model = getattr(torchvision.models.detection, name)(weights=None, weights_backbone=None).to(dtype)
        # The sizes that the model's own transform leaves as they are.
        return model, {"": [torch.rand(3, 800, 1066, dtype=dtype, device=device) for _ in range(batch)]}

    return make


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
    "fasterrcnn": _rcnn("fasterrcnn_resnet50_fpn"),
    "llama3-8b": _llama3,
    "maskformer": _maskformer,
    "maskrcnn": _rcnn("maskrcnn_resnet50_fpn"),
    "segformer": _segformer,
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
